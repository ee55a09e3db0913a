namespace EdgeNode.Ingest.H264;

/// <summary>Makes a <see cref="VideoFormat"/> from H.264 parameter sets (ITU-T H.264 §7.3.2.1, ISO/IEC 14496-15 §5.3.3.1).</summary>
public static class H264Format
{
    private const int LengthSize = 4;

    /// <summary>From one SPS and one PPS NAL unit, without start codes or lengths.</summary>
    /// <exception cref="InvalidDataException">The parameter sets cannot be read.</exception>
    public static VideoFormat FromParameterSets(ReadOnlySpan<byte> sps, ReadOnlySpan<byte> pps)
    {
        if (pps.Length < 2 || NalUnitHeader.TypeOf(pps[0]) != NalUnitType.Pps)
            throw new InvalidDataException("The H.264 picture parameter set is missing.");
        return FromParameterSets([sps.ToArray()], [pps.ToArray()]);
    }

    /// <summary>
    /// From an AVCDecoderConfigurationRecord (avcC payload, libavformat's extradata of MP4 files). The result's own
    /// record always says 4-byte lengths, as access units have; the file's <see cref="DecoderConfigurationRecord.LengthSize"/>
    /// may differ, and then its reader rewrites the lengths.
    /// </summary>
    /// <exception cref="InvalidDataException">The record cannot be read.</exception>
    public static VideoFormat FromDecoderConfiguration(ReadOnlySpan<byte> avcc)
    {
        DecoderConfigurationRecord record = DecoderConfigurationRecord.Read(avcc);
        return FromParameterSets(record.SequenceParameterSets, record.PictureParameterSets);
    }

    /// <summary>From several parameter sets; the first SPS describes the pictures.</summary>
    /// <exception cref="InvalidDataException">The parameter sets cannot be read.</exception>
    internal static VideoFormat FromParameterSets(IReadOnlyList<byte[]> sequence, IReadOnlyList<byte[]> picture)
    {
        var described = SequenceParameterSet.Parse(sequence[0]);
        var record = new DecoderConfigurationRecord
        {
            LengthSize = LengthSize,
            SequenceParameterSets = sequence,
            PictureParameterSets = picture,
        };
        return new VideoFormat
        {
            Codec = VideoCodec.H264,
            Width = described.Width,
            Height = described.Height,
            DecoderConfiguration = record.Write(described),
            CodecString = described.CodecString,
            ReorderDepth = described.ReorderDepth,
            DeclaredFrameRate = described.FrameRate,
        };
    }
}
