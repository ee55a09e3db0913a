namespace EdgeNode.Ingest.Bitstream;

/// <summary>Reads big-endian bit fields of plain bytes: for headers, bit by bit, with the end checked at each.</summary>
internal ref struct BitReader(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _next;

    /// <summary>Bits that are left.</summary>
    public readonly int Left => 8 * _bytes.Length - _next;

    /// <summary>One bit.</summary>
    /// <exception cref="InvalidDataException">There is none left.</exception>
    public bool ReadBit()
    {
        if (Left <= 0)
            throw new InvalidDataException("A header ends too early.");
        bool bit = ((_bytes[_next >> 3] >> (7 - (_next & 7))) & 1) != 0;
        _next++;
        return bit;
    }

    /// <summary>The next <paramref name="count"/> bits, 32 at most.</summary>
    public uint ReadBits(int count)
    {
        uint value = 0;
        for (int i = 0; i < count; i++)
            value = (value << 1) | (ReadBit() ? 1u : 0);
        return value;
    }

    /// <summary>On to the next whole byte.</summary>
    public void Align() => _next = (_next + 7) & ~7;
}
