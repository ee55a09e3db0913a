using EdgeNode.Configuration;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>How an RTSP source takes its stream, and its deadlines.</summary>
public sealed record RtspSourceOptions
{
    private static readonly TimeSpan LongestFirstPacket = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LongestAnswer = TimeSpan.FromSeconds(20);

    /// <summary>How RTP travels.</summary>
    public RtpTransport Transport { get; init; } = RtpTransport.Tcp;

    /// <summary>Until name and TCP connection, and TLS where it is asked for, are there.</summary>
    public TimeSpan ConnectWithin { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Until each request is answered.</summary>
    public TimeSpan AnswerWithin { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Until the first video packet, after PLAY: cameras wake their encoder first.</summary>
    public TimeSpan FirstPacketWithin { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest time without a video packet after that.</summary>
    public TimeSpan StallAfter { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Time with video packets but without a picture after which <see cref="Remark"/> says so; the connection stays: smart codecs send a keyframe a minute.</summary>
    public TimeSpan RemarkWithoutPictureAfter { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Is told, on the reading thread, why no pictures come although the camera sends; one sentence, free of secrets.</summary>
    public Action<string>? Remark { get; init; }

    /// <summary>Between RTCP receiver reports: some cameras count only these as a sign of life, every 5 s.</summary>
    public TimeSpan ReportEvery { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest time for TEARDOWN when the source is closed.</summary>
    public TimeSpan TeardownWithin { get; init; } = TimeSpan.FromSeconds(0.5);

    /// <summary>
    /// The same with more patience for a camera that answered at so many starts in a row and then was silent: slow ones, on a slow link, are
    /// torn down for ever by a fixed limit. The first packet gets one limit more each time, up to 60 s, an answer up to 20 s.
    /// </summary>
    public RtspSourceOptions After(int failedStarts)
    {
        int factor = 1 + Math.Clamp(failedStarts, 0, 10);
        return this with { FirstPacketWithin = Grow(FirstPacketWithin, factor, LongestFirstPacket), AnswerWithin = Grow(AnswerWithin, factor, LongestAnswer) };
    }

    private static TimeSpan Grow(TimeSpan time, int factor, TimeSpan longest) => time >= longest ? time : time * factor < longest ? time * factor : longest;
}
