using System.Buffers.Binary;

namespace EdgeNode.Ingest.H265;

/// <summary>HEVCDecoderConfigurationRecord, the payload of MP4's hvcC box (ISO/IEC 14496-15 §8.3.3.1).</summary>
public sealed class DecoderConfigurationRecord
{
    private const int HeaderLength = 23;
    private const int LongestSet = 0xFFFF;
    private const int MostArrays = 32;
    private const int MostSets = 64;

    /// <summary>Bytes of the length before each NAL unit of the stream: 1, 2 or 4. The node's own access units have 4.</summary>
    public required int LengthSize { get; init; }

    /// <summary>Video parameter sets, NAL units without start codes; 1 to 16.</summary>
    public required IReadOnlyList<byte[]> VideoParameterSets { get; init; }

    /// <summary>Sequence parameter sets, NAL units without start codes; 1 to 16.</summary>
    public required IReadOnlyList<byte[]> SequenceParameterSets { get; init; }

    /// <summary>Picture parameter sets, NAL units without start codes; 1 to 64.</summary>
    public required IReadOnlyList<byte[]> PictureParameterSets { get; init; }

    /// <summary>Reads a record; what it holds beside parameter sets (SEI) is left out.</summary>
    /// <exception cref="InvalidDataException">It is of another version, ends early or lacks parameter sets.</exception>
    public static DecoderConfigurationRecord Read(ReadOnlySpan<byte> hvcc)
    {
        // Files from before the standard was finished say version 0.
        if (hvcc.Length < HeaderLength || hvcc[0] > 1)
            throw new InvalidDataException("The H.265 decoder configuration is no hvcC record.");
        int lengthSize = 1 + (hvcc[21] & 3);
        if (lengthSize == 3)
            throw new InvalidDataException("The H.265 decoder configuration has NAL unit lengths of 3 bytes.");

        var video = new List<byte[]>();
        var sequence = new List<byte[]>();
        var picture = new List<byte[]>();
        int arrays = Math.Min((int)hvcc[22], MostArrays);
        ReadOnlySpan<byte> rest = hvcc[HeaderLength..];
        for (int array = 0; array < arrays; array++)
        {
            if (rest.Length < 3)
                throw new InvalidDataException("The H.265 decoder configuration ends too early.");
            var type = (NalUnitType)(rest[0] & 0x3F);
            int count = BinaryPrimitives.ReadUInt16BigEndian(rest[1..]);
            rest = rest[3..];
            for (int i = 0; i < count; i++)
            {
                if (rest.Length < 2 || BinaryPrimitives.ReadUInt16BigEndian(rest) > rest.Length - 2)
                    throw new InvalidDataException("The H.265 decoder configuration ends too early.");
                int length = BinaryPrimitives.ReadUInt16BigEndian(rest);
                ReadOnlySpan<byte> set = rest.Slice(2, length);
                rest = rest[(2 + length)..];
                if (!NalUnitHeader.IsParameterSet(type))
                    continue;
                if (set.Length <= NalUnitHeader.Length || NalUnitHeader.TypeOf(set[0]) != type)
                    throw new InvalidDataException("The H.265 decoder configuration holds something that is no parameter set.");
                List<byte[]> sets = type == NalUnitType.Vps ? video : type == NalUnitType.Sps ? sequence : picture;
                if (sets.Count == MostSets)
                    throw new InvalidDataException("The H.265 decoder configuration has too many parameter sets.");
                sets.Add(set.ToArray());
            }
        }

        if (video.Count == 0 || sequence.Count == 0 || picture.Count == 0)
            throw new InvalidDataException("The H.265 decoder configuration lacks parameter sets.");
        return new DecoderConfigurationRecord
        {
            LengthSize = lengthSize,
            VideoParameterSets = video,
            SequenceParameterSets = sequence,
            PictureParameterSets = picture,
        };
    }

    /// <summary>Writes the record; the first SPS is <paramref name="first"/>.</summary>
    /// <exception cref="InvalidDataException">A parameter set is empty or above 65535 bytes, or there are none or too many.</exception>
    public byte[] Write(SequenceParameterSet first)
    {
        int length = HeaderLength;
        foreach (IReadOnlyList<byte[]> sets in (IReadOnlyList<byte[]>[])[VideoParameterSets, SequenceParameterSets, PictureParameterSets])
        {
            if (sets.Count is 0 or > MostSets)
                throw new InvalidDataException($"An H.265 decoder configuration needs 1 to {MostSets} parameter sets of each kind.");
            length += 3;
            foreach (byte[] set in sets)
            {
                if (set.Length is 0 or > LongestSet)
                    throw new InvalidDataException($"An H.265 parameter set has {set.Length} bytes; 1 to {LongestSet} are allowed.");
                length += 2 + set.Length;
            }
        }

        ProfileTierLevel general = first.General;
        byte[] hvcc = new byte[length];
        hvcc[0] = 1;
        hvcc[1] = general.Profile;
        BinaryPrimitives.WriteUInt32BigEndian(hvcc.AsSpan(2), general.Compatibility);
        BinaryPrimitives.WriteUInt32BigEndian(hvcc.AsSpan(6), (uint)(general.Constraints >> 16));
        BinaryPrimitives.WriteUInt16BigEndian(hvcc.AsSpan(10), (ushort)general.Constraints);
        hvcc[12] = general.Level;
        hvcc[13] = 0xF0; // min_spatial_segmentation_idc, two bytes: not said
        hvcc[15] = 0xFC; // parallelismType: not said
        hvcc[16] = (byte)(0xFC | first.ChromaFormat);
        hvcc[17] = (byte)(0xF8 | Math.Min(7, first.LumaDepth - 8));
        hvcc[18] = (byte)(0xF8 | Math.Min(7, first.ChromaDepth - 8));
        hvcc[21] = (byte)((first.TemporalLayers << 3) | (first.TemporalNesting ? 4 : 0) | (LengthSize - 1)); // avgFrameRate before it: not said
        hvcc[22] = 3;
        Span<byte> rest = WriteSets(hvcc.AsSpan(HeaderLength), NalUnitType.Vps, VideoParameterSets);
        rest = WriteSets(rest, NalUnitType.Sps, SequenceParameterSets);
        WriteSets(rest, NalUnitType.Pps, PictureParameterSets);
        return hvcc;
    }

    private static Span<byte> WriteSets(Span<byte> into, NalUnitType type, IReadOnlyList<byte[]> sets)
    {
        into[0] = (byte)(0x80 | (int)type); // array_completeness: none of them is in the stream, as hvc1 demands
        BinaryPrimitives.WriteUInt16BigEndian(into[1..], (ushort)sets.Count);
        into = into[3..];
        foreach (byte[] set in sets)
        {
            BinaryPrimitives.WriteUInt16BigEndian(into, (ushort)set.Length);
            set.CopyTo(into[2..]);
            into = into[(2 + set.Length)..];
        }

        return into;
    }
}
