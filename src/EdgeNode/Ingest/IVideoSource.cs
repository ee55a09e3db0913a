namespace EdgeNode.Ingest;

/// <summary>
/// Where a camera's pictures, and its AAC audio, come from: one connection, read by one thread that blocks. Timestamps are the source's own
/// (90 kHz, rising, from any start, pictures and audio on one clock); <see cref="CameraIngest"/> puts them on the camera's continuous timeline.
/// </summary>
public interface IVideoSource : IDisposable
{
    /// <summary>Connects and starts the stream; blocks, within the source's own deadline.</summary>
    /// <exception cref="SourceException">It could not be had; the message says why in one sentence, without secrets.</exception>
    void Open();

    /// <summary>
    /// Blocks for the next picture or audio frame; null when the source has come to its end. The caller releases it. Its
    /// <see cref="AccessUnit.CapturedAt"/> is when it arrived (from a recording: when it was due).
    /// </summary>
    /// <exception cref="SourceException">The connection broke, or nothing came within the source's deadline.</exception>
    AccessUnit? Read();

    /// <summary>
    /// Said before <see cref="Open"/>: so many starts in a row came to nothing although the camera answered. A source may give a slow
    /// camera more time at each; it never gives a streaming one more.
    /// </summary>
    void GrantPatience(int failedStarts)
    {
    }

    /// <summary>Packets that never came, since it was opened; 0 where that cannot be known. From any thread.</summary>
    long LostPackets => 0;

    /// <summary>What the camera's audio is that the node leaves out, such as <c>G.711 A-law</c>; null when there is none. From any thread.</summary>
    string? LeftOutAudio => null;

    /// <summary>Makes a blocked <see cref="Open"/> or <see cref="Read"/> return at once, from any thread.</summary>
    void Abort();
}

/// <summary>Kinds of trouble with a source, which decide how soon it is tried again.</summary>
public enum SourceTrouble
{
    /// <summary>Nobody answers at the address.</summary>
    Unreachable,

    /// <summary>The camera refused (busy, no more sessions): wait longer.</summary>
    Refused,

    /// <summary>User or password are wrong: wait longer.</summary>
    Unauthorized,

    /// <summary>No such stream there.</summary>
    NotFound,

    /// <summary>Connected, but nothing came within the deadline.</summary>
    Stalled,

    /// <summary>The connection ended.</summary>
    Closed,

    /// <summary>It speaks, but nothing that the node understands: no H.264 or H.265 video, a broken answer.</summary>
    Unsupported,
}

/// <summary>A source that cannot be had or went away. The message is one sentence for the user, free of secrets.</summary>
public sealed class SourceException(SourceTrouble trouble, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What kind of trouble.</summary>
    public SourceTrouble Trouble { get; } = trouble;
}
