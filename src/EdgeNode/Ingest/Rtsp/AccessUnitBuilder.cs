using System.Buffers.Binary;
using EdgeNode.Native.Memory;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>
/// Joins NAL units behind 4-byte lengths in a block of its own, straight from the receive buffer. A finished picture moves
/// to a block of its own size: pictures are kept for whole GOPs and windows, where slack costs far more than one copy.
/// </summary>
internal sealed class AccessUnitBuilder : IDisposable
{
    /// <summary>Largest picture: an 8192×8192 one at some 2 bits a pixel.</summary>
    public const int LargestUnit = 16 << 20;

    private const int LengthSize = 4;
    private const int FirstBlock = 32 * 1024;

    // A block is kept while some picture of the last minute or so filled an eighth of it; the doubling alone leaves half of it empty.
    private const int RoomAtMost = 8;
    private const int FadingLog2 = 8;

    private PacketMemory? _block;
    private int _unitStart = -1;
    private int _recentLength;

    /// <summary>Bytes of the finished NAL units, and of the one being written.</summary>
    public int Length { get; private set; }

    /// <summary>Bytes of the block that gathers pictures; 0 while there is none.</summary>
    public int Capacity => _block?.Capacity ?? 0;

    /// <summary>A NAL unit is begun and not ended.</summary>
    public bool IsWriting => _unitStart >= 0;

    /// <summary>The bytes of the NAL unit being written.</summary>
    public ReadOnlySpan<byte> Writing => _block!.Span[(_unitStart + LengthSize)..Length];

    /// <summary>Begins a NAL unit with its header.</summary>
    public bool Begin(ReadOnlySpan<byte> header)
    {
        _block ??= PacketMemory.Rent(FirstBlock);
        if (!Reserve(LengthSize + header.Length))
            return false;
        _unitStart = Length;
        header.CopyTo(_block.Span[(Length + LengthSize)..]);
        Length += LengthSize + header.Length;
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

    /// <summary>Forgets the picture; the block serves the next, unless it has become far larger than pictures are.</summary>
    public void Clear()
    {
        _recentLength = Math.Max(Length, _recentLength - (_recentLength >> FadingLog2));
        if (Capacity > RoomAtMost * Math.Max(_recentLength, FirstBlock))
        {
            _block!.Release();
            _block = null;
        }

        Length = 0;
        _unitStart = -1;
    }

    /// <summary>The picture, behind <paramref name="prefix"/>, in a block of its own, whose reference becomes the caller's.</summary>
    public PacketMemory Take(ReadOnlySpan<byte> prefix, out int length)
    {
        length = prefix.Length + Length;
        PacketMemory picture = PacketMemory.Rent(length);
        prefix.CopyTo(picture.Span);
        _block!.Span[..Length].CopyTo(picture.Span[prefix.Length..]);
        Clear();
        return picture;
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
