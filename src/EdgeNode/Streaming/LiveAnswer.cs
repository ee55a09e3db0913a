namespace EdgeNode.Streaming;

/// <summary>How a request to a live stream ended.</summary>
public enum LiveStatus
{
    /// <summary>The body is there: 200.</summary>
    Ok,

    /// <summary>It asked for what no player may ask for: 400 (RFC 8216bis §6.2.5.2).</summary>
    BadRequest,

    /// <summary>There is no such thing, or it has gone: 404.</summary>
    NotFound,

    /// <summary>It did not come within the time to wait: 503.</summary>
    Unavailable,
}

/// <summary>A playlist, shared by all viewers; there only when <see cref="LiveStatus.Ok"/>.</summary>
public readonly record struct PlaylistAnswer(LiveStatus Status, PlaylistText? Text)
{
    /// <summary>The playlist as UTF-8; empty where there is none.</summary>
    public ReadOnlyMemory<byte> Body => Text is null ? default : Text.Bytes;
}

/// <summary>A part; the receiver disposes the body, which is there only when <see cref="LiveStatus.Ok"/>.</summary>
public readonly record struct MediaAnswer(LiveStatus Status, MediaBody? Body);
