namespace EdgeNode.Streaming;

/// <summary>What a media playlist of a live stream carries: pictures, or their sound as a rendition of its own (RFC 8216bis §4.4.6.1).</summary>
public enum MediaTrack
{
    /// <summary>The pictures: <c>media.m3u8</c>.</summary>
    Video,

    /// <summary>The sound: <c>audio.m3u8</c>, whose media's names begin with <c>a-</c>.</summary>
    Audio,
}
