namespace EdgeNode.Streaming;

/// <summary>What a live stream aims at. The defaults are the product's; tests narrow them.</summary>
public sealed record PackagingOptions
{
    /// <summary>A segment ends at the first keyframe after this long.</summary>
    public TimeSpan SegmentDuration { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Parts are the whole number of frames nearest to this. Players stutter below 200 ms.</summary>
    public TimeSpan PartDuration { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>Cameras whose frames are further apart get plain HLS.</summary>
    public TimeSpan LongestFrameWithParts { get; init; } = TimeSpan.FromMilliseconds(334);

    /// <summary>TARGETDURATION at least, whole seconds.</summary>
    public int ShortestTarget { get; init; } = 2;

    /// <summary>TARGETDURATION at most, whole seconds: longer GOPs are cut.</summary>
    public int LongestTarget { get; init; } = 12;

    /// <summary>Complete segments that stay listed at least; more where three target durations need them (RFC 8216bis §6.2.2).</summary>
    public int ListedSegments { get; init; } = 4;

    /// <summary>Media held for one camera at most, bytes: beyond it the oldest segments go, whatever the playlist promised.</summary>
    public long MaxBytes { get; init; } = 64 << 20;

    /// <summary>A stream that nobody asks for stops after this long.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long the first request waits for the first segment at most.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(10);
}
