namespace EdgeNode.Ingest.H265;

/// <summary>Makes a <see cref="VideoFormat"/> from H.265 parameter sets (ITU-T H.265 §7.3.2, ISO/IEC 14496-15 §8.3.3.1).</summary>
public static class H265Format
{
    private const int LengthSize = 4;

    /// <summary>From one VPS, one SPS and one PPS NAL unit, without start codes or lengths.</summary>
    /// <exception cref="InvalidDataException">The parameter sets cannot be read.</exception>
    public static VideoFormat FromParameterSets(ReadOnlySpan<byte> vps, ReadOnlySpan<byte> sps, ReadOnlySpan<byte> pps) =>
        FromParameterSets([vps.ToArray()], [sps.ToArray()], [pps.ToArray()]);

    /// <summary>
    /// From an HEVCDecoderConfigurationRecord (hvcC payload, libavformat's extradata of MP4 files). The result's own
    /// record always says 4-byte lengths, as access units have; the file's <see cref="DecoderConfigurationRecord.LengthSize"/>
    /// may differ, and then its reader rewrites the lengths.
    /// </summary>
    /// <exception cref="InvalidDataException">The record cannot be read.</exception>
    public static VideoFormat FromDecoderConfiguration(ReadOnlySpan<byte> hvcc)
    {
        DecoderConfigurationRecord record = DecoderConfigurationRecord.Read(hvcc);
        return FromParameterSets(record.VideoParameterSets, record.SequenceParameterSets, record.PictureParameterSets);
    }

    /// <summary>From several parameter sets; the first SPS describes the pictures.</summary>
    /// <exception cref="InvalidDataException">The parameter sets cannot be read.</exception>
    internal static VideoFormat FromParameterSets(IReadOnlyList<byte[]> video, IReadOnlyList<byte[]> sequence, IReadOnlyList<byte[]> picture)
    {
        foreach (byte[] set in video)
            VideoParameterSet.IdOf(set);
        foreach (byte[] set in picture)
            PictureParameterSet.Parse(set);
        var described = SequenceParameterSet.Parse(sequence[0]);
        var record = new DecoderConfigurationRecord
        {
            LengthSize = LengthSize,
            VideoParameterSets = video,
            SequenceParameterSets = sequence,
            PictureParameterSets = picture,
        };
        return new VideoFormat
        {
            Codec = VideoCodec.H265,
            Width = described.Width,
            Height = described.Height,
            DecoderConfiguration = record.Write(described),
            CodecString = described.CodecString,
            ReorderDepth = described.ReorderDepth,
            DeclaredFrameRate = described.FrameRate,
        };
    }
}
