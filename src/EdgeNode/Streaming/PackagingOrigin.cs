namespace EdgeNode.Streaming;

/// <summary>
/// Where a run of packaging begins. A stream that stopped and starts again goes on behind its last run, so that a player
/// that slept meanwhile never sees numbers or times go back.
/// </summary>
/// <param name="MediaSequence">Number of the first segment.</param>
/// <param name="DecodeTime">Decode time of the first picture, 90 kHz ticks.</param>
/// <param name="InitializationVersion">Number of the first initialization section.</param>
/// <param name="DiscontinuitySequence">Discontinuities before the first segment.</param>
/// <param name="ContinuesRun">An earlier run came before: the first segment is a discontinuity.</param>
public readonly record struct PackagingOrigin(
    long MediaSequence, long DecodeTime, int InitializationVersion, long DiscontinuitySequence, bool ContinuesRun)
{
    /// <summary>The first run of a stream: segments count from 1.</summary>
    public static PackagingOrigin First => new(1, 0, 1, 0, false);
}
