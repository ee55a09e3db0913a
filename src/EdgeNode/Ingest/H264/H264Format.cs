namespace EdgeNode.Ingest.H264;

/// <summary>Makes a <see cref="VideoFormat"/> from H.264 parameter sets (ITU-T H.264 §7.3.2.1, ISO/IEC 14496-15 §5.3.3.1).</summary>
public static class H264Format
{
    /// <summary>From one SPS and one PPS NAL unit, without start codes or lengths.</summary>
    /// <exception cref="InvalidDataException">The parameter sets cannot be read.</exception>
    public static VideoFormat FromParameterSets(ReadOnlySpan<byte> sps, ReadOnlySpan<byte> pps) => throw new InvalidDataException("not written yet");

    /// <summary>From an AVCDecoderConfigurationRecord (avcC payload, libavformat's extradata of MP4 files).</summary>
    /// <exception cref="InvalidDataException">The record cannot be read.</exception>
    public static VideoFormat FromDecoderConfiguration(ReadOnlySpan<byte> avcc) => throw new InvalidDataException("not written yet");
}
