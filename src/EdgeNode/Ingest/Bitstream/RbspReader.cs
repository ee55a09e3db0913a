namespace EdgeNode.Ingest.Bitstream;

/// <summary>
/// Reads bits of a NAL unit's payload, stepping over emulation prevention bytes (ITU-T H.264 and H.265, both §7.3.1 and §7.2). Meant for
/// headers: bit by bit, with the end of the payload checked at each.
/// </summary>
internal ref struct RbspReader
{
    private readonly ReadOnlySpan<byte> _bytes;
    private int _next;
    private int _zeros;
    private uint _current;
    private int _bitsLeft;

    /// <param name="payload">The bytes behind the NAL unit's header.</param>
    public RbspReader(ReadOnlySpan<byte> payload) => _bytes = payload;

    /// <summary>Whole bytes that are left, emulation prevention bytes among them.</summary>
    public readonly int BytesLeft => _bytes.Length - _next;

    /// <summary>One bit.</summary>
    /// <exception cref="InvalidDataException">The payload ends before it.</exception>
    public bool ReadBit()
    {
        if (_bitsLeft == 0)
            LoadByte();
        _bitsLeft--;
        return ((_current >> _bitsLeft) & 1) != 0;
    }

    /// <summary>u(n): the next <paramref name="count"/> bits, 32 at most.</summary>
    public uint ReadBits(int count)
    {
        uint value = 0;
        for (int i = 0; i < count; i++)
            value = (value << 1) | (ReadBit() ? 1u : 0);
        return value;
    }

    /// <summary>Steps over <paramref name="count"/> bits.</summary>
    public void SkipBits(int count)
    {
        for (; count >= 8 && _bitsLeft == 0; count -= 8)
        {
            LoadByte();
            _bitsLeft = 0;
        }

        for (; count > 0; count--)
            ReadBit();
    }

    /// <summary>ue(v), §9.1 (H.265 §9.2), which must not be above <paramref name="atMost"/>.</summary>
    /// <exception cref="InvalidDataException">The value is larger, or the payload ends before it.</exception>
    public uint ReadUnsigned(uint atMost)
    {
        uint value = ReadUnsigned();
        return value <= atMost ? value : throw new InvalidDataException($"A video header holds {value} where {atMost} is the most.");
    }

    /// <summary>ue(v), §9.1.</summary>
    public uint ReadUnsigned()
    {
        int zeros = 0;
        while (!ReadBit())
        {
            if (++zeros == 32)
                throw new InvalidDataException("A video header holds a number of more than 32 bits.");
        }

        return (uint)((1UL << zeros) - 1 + ReadBits(zeros));
    }

    /// <summary>se(v), §9.1.1.</summary>
    public int ReadSigned()
    {
        long code = ReadUnsigned();
        return (int)((code & 1) != 0 ? (code + 1) / 2 : -(code / 2));
    }

    private void LoadByte()
    {
        if (_zeros >= 2 && _next < _bytes.Length && _bytes[_next] == 3)
        {
            _next++;
            _zeros = 0;
        }

        if (_next >= _bytes.Length)
            throw new InvalidDataException("A video header ends too early.");
        _current = _bytes[_next++];
        _zeros = _current == 0 ? _zeros + 1 : 0;
        _bitsLeft = 8;
    }
}
