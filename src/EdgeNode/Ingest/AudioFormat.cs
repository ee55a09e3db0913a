namespace EdgeNode.Ingest;

/// <summary>Audio codecs that travel through the node.</summary>
public enum AudioCodec
{
    /// <summary>MPEG-4 AAC, ISO/IEC 14496-3.</summary>
    Aac,
}

/// <summary>What a player must know before the first audio frame. Immutable; consumers compare by reference.</summary>
public sealed class AudioFormat
{
    /// <summary>The codec of the frames.</summary>
    public required AudioCodec Codec { get; init; }

    /// <summary>Samples a second and channel.</summary>
    public required int SampleRate { get; init; }

    /// <summary>Channels.</summary>
    public required int Channels { get; init; }

    /// <summary>AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1).</summary>
    public required byte[] DecoderConfiguration { get; init; }

    /// <summary>The CODECS string after RFC 6381, such as <c>mp4a.40.2</c>.</summary>
    public required string CodecString { get; init; }
}
