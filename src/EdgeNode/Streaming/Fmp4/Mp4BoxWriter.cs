using System.Buffers;
using System.Buffers.Binary;

namespace EdgeNode.Streaming.Fmp4;

/// <summary>Writes boxes of ISO/IEC 14496-12 (big-endian, size before type) into a pooled buffer that grows and is used again.</summary>
public sealed class Mp4BoxWriter : IDisposable
{
    private byte[] _buffer;

    /// <summary>Makes a writer with room for <paramref name="capacity"/> bytes to begin with.</summary>
    public Mp4BoxWriter(int capacity = 1024) => _buffer = ArrayPool<byte>.Shared.Rent(capacity);

    /// <summary>Bytes written.</summary>
    public int Length { get; private set; }

    /// <summary>What was written; valid until the next write.</summary>
    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, Length);

    /// <summary>Forgets what was written and keeps the buffer.</summary>
    public void Clear() => Length = 0;

    /// <summary>Opens a box of a four-character type; returns what <see cref="End"/> wants.</summary>
    public int Begin(ReadOnlySpan<byte> type)
    {
        int start = Length;
        UInt32(0);
        Bytes(type);
        return start;
    }

    /// <summary>Opens a full box: version and 24 bits of flags follow the type.</summary>
    public int Begin(ReadOnlySpan<byte> type, byte version, uint flags)
    {
        int start = Begin(type);
        UInt32(((uint)version << 24) | flags);
        return start;
    }

    /// <summary>Closes the box begun at <paramref name="start"/> by writing its size.</summary>
    public void End(int start) => PatchUInt32(start, (uint)(Length - start));

    /// <summary>Writes one byte.</summary>
    public void UInt8(byte value) => Reserve(1)[0] = value;

    /// <summary>Writes 16 bits.</summary>
    public void UInt16(ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Reserve(2), value);

    /// <summary>Writes 32 bits.</summary>
    public void UInt32(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Reserve(4), value);

    /// <summary>Writes 32 signed bits.</summary>
    public void Int32(int value) => BinaryPrimitives.WriteInt32BigEndian(Reserve(4), value);

    /// <summary>Writes 64 bits.</summary>
    public void UInt64(ulong value) => BinaryPrimitives.WriteUInt64BigEndian(Reserve(8), value);

    /// <summary>Writes bytes as they are.</summary>
    public void Bytes(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Reserve(bytes.Length));

    /// <summary>Writes zeroes.</summary>
    public void Zeroes(int count) => Reserve(count).Clear();

    /// <summary>Writes over 32 bits that are there already.</summary>
    public void PatchUInt32(int position, uint value) => BinaryPrimitives.WriteUInt32BigEndian(_buffer.AsSpan(position, 4), value);

    /// <summary>Gives the buffer back.</summary>
    public void Dispose()
    {
        byte[] buffer = _buffer;
        _buffer = [];
        Length = 0;
        if (buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(buffer);
    }

    private Span<byte> Reserve(int count)
    {
        if (Length + count > _buffer.Length)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(Length + count, _buffer.Length * 2));
            Written.CopyTo(larger);
            if (_buffer.Length > 0)
                ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }

        Span<byte> room = _buffer.AsSpan(Length, count);
        Length += count;
        return room;
    }
}
