using EdgeNode.Configuration;
using EdgeNode.Ingest;
using EdgeNode.Tests.Ingest.Rtsp;
using Microsoft.Extensions.Time.Testing;

namespace EdgeNode.Tests.Ingest;

/// <summary><c>client: ffmpeg</c>: RTSP by libavformat.</summary>
public class LiveRtspByFFmpegTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [SkippableTheory]
    [InlineData(RtpTransport.Tcp)]
    [InlineData(RtpTransport.Udp)]
    public void A_real_server_streams_after_digest_login(RtpTransport transport)
    {
        using GstServer server = GstServer.StartOrSkip("--user", "cam", "--password", "p@ss w/rd#1?%\"");
        using (var wrong = LiveUrlSource.Rtsp($"rtsp://cam:wrong@{server.Address}/cam", transport: transport))
            Assert.Equal(SourceTrouble.Unauthorized, Assert.Throws<SourceException>(wrong.Open).Trouble);
        using (var missing = LiveUrlSource.Rtsp($"rtsp://{server.Address}/nowhere", "cam", "p@ss w/rd#1?%\"", transport))
            Assert.Equal(SourceTrouble.NotFound, Assert.Throws<SourceException>(missing.Open).Trouble);

        using var source = LiveUrlSource.Rtsp($"rtsp://{server.Address}/cam", "cam", "p@ss w/rd#1?%\"", transport);
        source.Open();
        long last = long.MinValue;
        for (int picture = 0; picture < 75; picture++)
        {
            AccessUnit unit = source.Read()!;
            Assert.Equal((picture == 0, (640, 360)), (unit.StartsTimeline, (unit.Format.Width, unit.Format.Height)));
            Assert.True(unit.Dts > last && unit.Pts >= unit.Dts);
            Assert.True(picture > 0 || unit.IsKey);
            last = unit.Dts;
            unit.Release();
        }
    }

    [Fact]
    public async Task A_camera_that_plays_and_sends_nothing_is_left_after_the_deadline_with_a_teardown()
    {
        using StubCamera camera = SilentCamera();
        var time = new FakeTimeProvider();
        var source = LiveUrlSource.Rtsp(camera.Url, time: time);
        Task opening = Task.Factory.StartNew(source.Open, TaskCreationOptions.LongRunning);
        camera.WaitFor("RTSP/1.0");
        time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.False(opening.IsCompleted);

        time.Advance(TimeSpan.FromSeconds(0.2));

        SourceException stalled = await Assert.ThrowsAsync<SourceException>(() => opening.WaitAsync(Limit));
        Assert.Equal((SourceTrouble.Stalled, $"rtsp://127.0.0.1:{camera.Port} did not answer within 10 s."), (stalled.Trouble, stalled.Message));
        source.Dispose();
        camera.WaitFor("TEARDOWN");
    }

    // It asks something after its answer to PLAY. Only when FFmpeg answers has it read that answer too: before, it closes without TEARDOWN.
    private static StubCamera SilentCamera()
    {
        var camera = new StubCamera
        {
            Answer = request => request.StartsWith("RTSP/1.0", StringComparison.Ordinal) ? "" : null,
            FramesAfterPlayAnswer = () => ["OPTIONS * RTSP/1.0\r\nCSeq: 99\r\n\r\n"u8.ToArray()],
        };
        camera.Description = camera.Description[camera.Description.IndexOf("m=video", StringComparison.Ordinal)..].Insert(0, "v=0\r\ns=x\r\n");
        return camera;
    }

    [Fact]
    public async Task Abort_of_a_silent_camera_says_teardown()
    {
        using StubCamera camera = SilentCamera();
        var source = LiveUrlSource.Rtsp(camera.Url, time: new FakeTimeProvider());
        Task opening = Task.Factory.StartNew(source.Open, TaskCreationOptions.LongRunning);
        camera.WaitFor("RTSP/1.0");

        source.Abort();

        Assert.Equal(SourceTrouble.Closed, (await Assert.ThrowsAsync<SourceException>(() => opening.WaitAsync(Limit))).Trouble);
        source.Dispose();
        camera.WaitFor("TEARDOWN");
    }

    [Theory]
    [InlineData("453 Not Enough Bandwidth", SourceTrouble.Refused)]
    [InlineData("503 Service Unavailable", SourceTrouble.Refused)]
    [InlineData("404 Not Found", SourceTrouble.NotFound)]
    [InlineData("403 Forbidden", SourceTrouble.Unauthorized)]
    public void A_refusal_is_told_apart(string status, SourceTrouble trouble)
    {
        using var camera = new StubCamera { Answer = request => request.StartsWith("DESCRIBE", StringComparison.Ordinal) ? StubCamera.Respond(request, status) : null };
        using var source = LiveUrlSource.Rtsp(camera.Url);
        Assert.Equal(trouble, Assert.Throws<SourceException>(source.Open).Trouble);
    }

    [Fact]
    public void Only_H264_and_H265_are_taken_and_what_is_there_is_named()
    {
        using var camera = new StubCamera { Description = "v=0\r\ns=x\r\nm=audio 0 RTP/AVP 0\r\na=control:audio\r\n" };
        using var source = LiveUrlSource.Rtsp(camera.Url, options: new LiveUrlOptions { OpenWithin = TimeSpan.FromSeconds(1) });
        SourceException refused = Assert.Throws<SourceException>(source.Open);
        Assert.Contains(refused.Trouble, new[] { SourceTrouble.Unsupported, SourceTrouble.Stalled });
    }

    [Theory]
    [InlineData("rtp://239.0.0.1:1234")]
    [InlineData("file:///etc/passwd")]
    [InlineData("http://127.0.0.1:{0}/x")]
    public void A_redirect_leads_out_of_rtsp_nowhere(string location)
    {
        using var server = new WebServer((_, connection) => connection.WriteAsync(WebServer.Head("404 Not Found", "text/plain", 0)).AsTask());
        using var camera = new StubCamera { Answer = request => request.StartsWith("DESCRIBE", StringComparison.Ordinal) ? StubCamera.Respond(request, "302 Moved", "Location: " + string.Format(location, server.Port)) : null };
        using var source = LiveUrlSource.Rtsp(camera.Url, options: new LiveUrlOptions { OpenWithin = TimeSpan.FromSeconds(2) });
        Assert.Throws<SourceException>(source.Open);
        Assert.Empty(server.Requests);
    }
}
