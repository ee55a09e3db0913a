using System.Buffers.Binary;

namespace EdgeNode.Ingest.H264;

/// <summary>AVCDecoderConfigurationRecord, the payload of MP4's avcC box (ISO/IEC 14496-15 §5.3.3.1).</summary>
public sealed class DecoderConfigurationRecord
{
    private const int LongestSet = 0xFFFF;
    private const int HeaderLength = 6;

    /// <summary>Bytes of the length before each NAL unit of the stream: 1, 2 or 4. The node's own access units have 4.</summary>
    public required int LengthSize { get; init; }

    /// <summary>Sequence parameter sets, NAL units without start codes; 1 to 31.</summary>
    public required IReadOnlyList<byte[]> SequenceParameterSets { get; init; }

    /// <summary>Picture parameter sets, NAL units without start codes; 1 to 255.</summary>
    public required IReadOnlyList<byte[]> PictureParameterSets { get; init; }

    /// <summary>Reads a record.</summary>
    /// <exception cref="InvalidDataException">It is of another version, ends early or holds no parameter sets.</exception>
    public static DecoderConfigurationRecord Read(ReadOnlySpan<byte> avcc)
    {
        if (avcc.Length < HeaderLength + 1 || avcc[0] != 1)
            throw new InvalidDataException("The H.264 decoder configuration is no avcC record.");
        int lengthSize = 1 + (avcc[4] & 3);
        if (lengthSize == 3)
            throw new InvalidDataException("The H.264 decoder configuration has NAL unit lengths of 3 bytes.");

        ReadOnlySpan<byte> rest = avcc[5..];
        List<byte[]> sequence = ReadSets(ref rest, 0x1F, NalUnitType.Sps);
        List<byte[]> picture = ReadSets(ref rest, 0xFF, NalUnitType.Pps);
        if (sequence.Count == 0 || picture.Count == 0)
            throw new InvalidDataException("The H.264 decoder configuration holds no parameter sets.");
        return new DecoderConfigurationRecord { LengthSize = lengthSize, SequenceParameterSets = sequence, PictureParameterSets = picture };
    }

    /// <summary>Writes the record; the first SPS is <paramref name="first"/>.</summary>
    /// <exception cref="InvalidDataException">A parameter set is empty or above 65535 bytes, or there are too many.</exception>
    public byte[] Write(SequenceParameterSet first)
    {
        if (SequenceParameterSets.Count is 0 or > 31 || PictureParameterSets.Count is 0 or > 255)
            throw new InvalidDataException("An H.264 decoder configuration needs 1 to 31 sequence and 1 to 255 picture parameter sets.");
        int length = HeaderLength + 1;
        foreach (byte[] set in SequenceParameterSets.Concat(PictureParameterSets))
        {
            if (set.Length is 0 or > LongestSet)
                throw new InvalidDataException($"An H.264 parameter set has {set.Length} bytes; 1 to {LongestSet} are allowed.");
            length += 2 + set.Length;
        }

        bool extended = SequenceParameterSet.HasChromaFormat(first.Profile);
        byte[] avcc = new byte[length + (extended ? 4 : 0)];
        avcc[0] = 1;
        avcc[1] = first.Profile;
        avcc[2] = first.Constraints;
        avcc[3] = first.Level;
        avcc[4] = (byte)(0xFC | (LengthSize - 1));
        avcc[5] = (byte)(0xE0 | SequenceParameterSets.Count);
        Span<byte> rest = WriteSets(avcc.AsSpan(HeaderLength), SequenceParameterSets);
        rest[0] = (byte)PictureParameterSets.Count;
        rest = WriteSets(rest[1..], PictureParameterSets);
        if (extended)
        {
            rest[0] = (byte)(0xFC | first.ChromaFormat);
            rest[1] = (byte)(0xF8 | (first.LumaDepth - 8));
            rest[2] = (byte)(0xF8 | (first.ChromaDepth - 8));
            rest[3] = 0; // no SPS extensions
        }

        return avcc;
    }

    private static List<byte[]> ReadSets(ref ReadOnlySpan<byte> rest, byte countMask, NalUnitType type)
    {
        if (rest.IsEmpty)
            throw new InvalidDataException("The H.264 decoder configuration ends too early.");
        int count = rest[0] & countMask;
        rest = rest[1..];
        var sets = new List<byte[]>(count);
        for (int i = 0; i < count; i++)
        {
            if (rest.Length < 2 || BinaryPrimitives.ReadUInt16BigEndian(rest) > rest.Length - 2)
                throw new InvalidDataException("The H.264 decoder configuration ends too early.");
            int length = BinaryPrimitives.ReadUInt16BigEndian(rest);
            ReadOnlySpan<byte> set = rest.Slice(2, length);
            rest = rest[(2 + length)..];
            if (set.IsEmpty || NalUnitHeader.TypeOf(set[0]) != type)
                throw new InvalidDataException("The H.264 decoder configuration holds something that is no parameter set.");
            sets.Add(set.ToArray());
        }

        return sets;
    }

    private static Span<byte> WriteSets(Span<byte> into, IReadOnlyList<byte[]> sets)
    {
        foreach (byte[] set in sets)
        {
            BinaryPrimitives.WriteUInt16BigEndian(into, (ushort)set.Length);
            set.CopyTo(into[2..]);
            into = into[(2 + set.Length)..];
        }

        return into;
    }
}
