namespace EdgeNode.Ingest;

/// <summary>Video codecs that travel through the node.</summary>
public enum VideoCodec
{
    /// <summary>ITU-T H.264, ISO/IEC 14496-10.</summary>
    H264,

    /// <summary>ITU-T H.265, ISO/IEC 23008-2.</summary>
    H265,
}

/// <summary>
/// What a decoder and a player must know before the first picture. Immutable: a camera that changes its
/// parameters gets a new instance, and consumers compare by reference.
/// </summary>
public sealed class VideoFormat
{
    /// <summary>The codec of the access units.</summary>
    public required VideoCodec Codec { get; init; }

    /// <summary>Width in pixels after cropping.</summary>
    public required int Width { get; init; }

    /// <summary>Height in pixels after cropping.</summary>
    public required int Height { get; init; }

    /// <summary>
    /// AVCDecoderConfigurationRecord or HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1, §8.3.3.1) with the parameter
    /// sets: the payload of avcC or hvcC, and libavcodec's extradata.
    /// </summary>
    public required byte[] DecoderConfiguration { get; init; }

    /// <summary>The CODECS string after RFC 6381, such as <c>avc1.64001f</c> or <c>hvc1.1.6.L93.B0</c>.</summary>
    public required string CodecString { get; init; }

    /// <summary>Pictures that may be held back for reordering; 0 when decoding order is presentation order.</summary>
    public int ReorderDepth { get; init; }

    /// <summary>Pictures a second as the stream itself declares them; 0 when it does not.</summary>
    public double DeclaredFrameRate { get; init; }
}
