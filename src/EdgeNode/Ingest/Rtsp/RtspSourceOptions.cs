namespace EdgeNode.Ingest.Rtsp;

/// <summary>Deadlines of an RTSP source.</summary>
public sealed record RtspSourceOptions
{
    /// <summary>Until name and TCP connection are there.</summary>
    public TimeSpan ConnectWithin { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Until each request is answered.</summary>
    public TimeSpan AnswerWithin { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Until the first video packet, after PLAY: cameras wake their encoder first.</summary>
    public TimeSpan FirstPacketWithin { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest time without a video packet after that.</summary>
    public TimeSpan StallAfter { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest time with video packets but without a picture, which needs a keyframe and its parameter sets: longer than the keyframe intervals of cameras.</summary>
    public TimeSpan KeyframeWithin { get; init; } = TimeSpan.FromSeconds(70);

    /// <summary>Between RTCP receiver reports: some cameras count only these as a sign of life, every 5 s.</summary>
    public TimeSpan ReportEvery { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest time for TEARDOWN when the source is closed.</summary>
    public TimeSpan TeardownWithin { get; init; } = TimeSpan.FromSeconds(0.5);
}
