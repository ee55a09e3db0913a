namespace EdgeNode.Ingest.Bitstream;

/// <summary>
/// Walks the NAL units of one packet: behind big-endian lengths of 1 to 4 bytes (ISO/IEC 14496-15 §5.3.2, §8.3.2), or, with length size 0, behind
/// start codes (annex B of ITU-T H.264 and H.265). Units are never empty.
/// </summary>
internal ref struct NalUnitReader(ReadOnlySpan<byte> data, int lengthSize)
{
    private static ReadOnlySpan<byte> StartCode => [0, 0, 1];

    private ReadOnlySpan<byte> _rest = lengthSize == 0 ? AfterStartCode(data) : data;

    /// <summary>The next unit, without length or start code; false at the end.</summary>
    /// <exception cref="InvalidDataException">A length reaches beyond the end.</exception>
    public bool TryRead(out ReadOnlySpan<byte> unit)
    {
        while (!_rest.IsEmpty)
        {
            unit = lengthSize == 0 ? ReadAnnexB() : ReadLengthPrefixed();
            if (!unit.IsEmpty)
                return true;
        }

        unit = default;
        return false;
    }

    private static ReadOnlySpan<byte> AfterStartCode(ReadOnlySpan<byte> data)
    {
        int at = data.IndexOf(StartCode);
        return at < 0 ? default : data[(at + StartCode.Length)..];
    }

    private ReadOnlySpan<byte> ReadAnnexB()
    {
        int end = _rest.IndexOf(StartCode);
        ReadOnlySpan<byte> unit = end < 0 ? _rest : _rest[..end];
        _rest = end < 0 ? default : _rest[(end + StartCode.Length)..];

        // A four-byte start code's first zero, and trailing_zero_8bits: a unit itself never ends in a zero (§7.4.1, H.265 §7.4.2.1).
        return unit.TrimEnd((byte)0);
    }

    private ReadOnlySpan<byte> ReadLengthPrefixed()
    {
        if (_rest.Length < lengthSize)
            throw new InvalidDataException("The video packet ends inside a length.");
        uint length = 0;
        for (int i = 0; i < lengthSize; i++)
            length = (length << 8) | _rest[i];
        if (length > _rest.Length - lengthSize)
            throw new InvalidDataException("The video packet is shorter than its NAL units say.");
        ReadOnlySpan<byte> unit = _rest.Slice(lengthSize, (int)length);
        _rest = _rest[(lengthSize + (int)length)..];
        return unit;
    }
}
