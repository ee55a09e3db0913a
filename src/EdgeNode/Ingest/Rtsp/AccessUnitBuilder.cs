using System.Buffers.Binary;
using EdgeNode.Ingest.H264;
using EdgeNode.Native.Memory;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>
/// Writes NAL units behind 4-byte lengths into one pooled block, straight from the receive buffer. The block is rented
/// for the size that the camera's pictures of that kind have had, and rented anew when one outgrows it.
/// </summary>
internal sealed class AccessUnitBuilder : IDisposable
{
    /// <summary>Largest picture: an 8192×8192 one at some 2 bits a pixel.</summary>
    public const int LargestUnit = 16 << 20;

    private const int LengthSize = 4;
    private const int SmallestBlock = 2048;

    private PacketMemory? _block;
    private int _unitStart = -1;
    private int _expectedKey = 32 * 1024;
    private int _expectedOther = 4 * 1024;

    /// <summary>Bytes of the finished NAL units, and of the one being written.</summary>
    public int Length { get; private set; }

    /// <summary>A NAL unit is begun and not ended.</summary>
    public bool IsWriting => _unitStart >= 0;

    /// <summary>The bytes of the NAL unit being written.</summary>
    public ReadOnlySpan<byte> Writing => _block!.Span[(_unitStart + LengthSize)..Length];

    /// <summary>Begins a NAL unit with its header byte.</summary>
    public bool Begin(byte header)
    {
        if (_block is null)
            _block = PacketMemory.Rent(NalUnitHeader.TypeOf(header) == NalUnitType.IdrSlice ? _expectedKey : _expectedOther);
        if (!Reserve(LengthSize + 1))
            return false;
        _unitStart = Length;
        _block.Span[Length + LengthSize] = header;
        Length += LengthSize + 1;
        return true;
    }

    /// <summary>Appends to the NAL unit; false when the picture becomes larger than <see cref="LargestUnit"/>.</summary>
    public bool Append(ReadOnlySpan<byte> bytes)
    {
        if (!Reserve(bytes.Length))
            return false;
        bytes.CopyTo(_block!.Span[Length..]);
        Length += bytes.Length;
        return true;
    }

    /// <summary>Ends the NAL unit and writes its length.</summary>
    public void End()
    {
        BinaryPrimitives.WriteInt32BigEndian(_block!.Span[_unitStart..], Length - _unitStart - LengthSize);
        _unitStart = -1;
    }

    /// <summary>Takes the NAL unit being written back.</summary>
    public void Cancel()
    {
        if (_unitStart < 0)
            return;
        Length = _unitStart;
        _unitStart = -1;
    }

    /// <summary>The first NAL unit of the picture.</summary>
    public ReadOnlySpan<byte> First()
    {
        ReadOnlySpan<byte> span = _block!.Span;
        return span.Slice(LengthSize, BinaryPrimitives.ReadInt32BigEndian(span));
    }

    /// <summary>Forgets the picture; the block serves the next.</summary>
    public void Clear()
    {
        Length = 0;
        _unitStart = -1;
    }

    /// <summary>Hands the picture's block over, whose reference becomes the caller's.</summary>
    public PacketMemory Take(bool isKey, out int length)
    {
        PacketMemory block = _block!;
        length = Length;
        ref int expected = ref isKey ? ref _expectedKey : ref _expectedOther;
        expected = Math.Max(SmallestBlock, Math.Max(length + length / 8, expected - expected / 16));

        // Pictures are kept for whole GOPs: one that lies in a block far too large moves to a fitting one.
        if (block.Capacity > SmallestBlock && block.Capacity - length > block.Capacity / 3)
        {
            PacketMemory fitting = PacketMemory.Rent(length);
            block.Span[..length].CopyTo(fitting.Span);
            Clear();
            return fitting;
        }

        _block = null;
        Clear();
        return block;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _block?.Release();
        _block = null;
        Clear();
    }

    private bool Reserve(int more)
    {
        int needed = Length + more;
        if (needed <= _block!.Capacity)
            return true;
        if (needed > LargestUnit)
            return false;
        PacketMemory larger = PacketMemory.Rent(Math.Max(needed, Math.Min(2 * _block.Capacity, LargestUnit)));
        _block.Span[..Length].CopyTo(larger.Span);
        _block.Release();
        _block = larger;
        return true;
    }
}
