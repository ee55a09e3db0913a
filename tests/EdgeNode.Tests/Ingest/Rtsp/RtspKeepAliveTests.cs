using EdgeNode.Ingest.Rtsp;
using Microsoft.Extensions.Time.Testing;

namespace EdgeNode.Tests.Ingest.Rtsp;

/// <summary>Cameras end a session without a sign of life, and each counts another one (go2rtc#2409, SharpRTSP#63, mediamtx#1403).</summary>
public class RtspKeepAliveTests
{
    private static readonly TimeSpan SessionTimeout = TimeSpan.FromSeconds(15);

    private readonly FakeTimeProvider _clock = new();
    private readonly RtpBytes _rtp = new();

    [Theory]
    [InlineData("GET_PARAMETER", "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER")]
    [InlineData("OPTIONS", "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")]
    [InlineData("SET_PARAMETER", "DESCRIBE, SETUP, PLAY, TEARDOWN, SET_PARAMETER")]
    [InlineData("report", "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")]
    public void Each_habit_is_served_for_ten_minutes(string habit, string methods)
    {
        DateTimeOffset sign = _clock.GetUtcNow();
        bool plays = false;
        using var camera = new StubCamera { Public = methods, SessionHeader = "1;timeout=15" };
        camera.Answer = request =>
        {
            string method = request.Split(' ')[0];
            plays |= method == "PLAY";
            if (method == habit && plays)
                sign = _clock.GetUtcNow();
            bool isKnown = !plays || method is "PLAY" or "TEARDOWN" || method == habit;
            return isKnown ? null : StubCamera.Respond(request, "405 Method Not Allowed");
        };
        using var source = new RtspSource(RtspUrl.Parse(camera.Url), new RtspSourceOptions { AnswerWithin = TimeSpan.FromHours(1), StallAfter = TimeSpan.FromHours(1) }, _clock);
        source.Open();
        Step(camera, source, key: true);
        for (int second = 1; second <= 600; second++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            Step(camera, source);
            Step(camera, source);

            // What it sent by now is on its way, and a refusal of it is to be read, while the clock stands still.
            if (_clock.GetUtcNow() - sign > SessionTimeout - TimeSpan.FromSeconds(3))
                Assert.True(SpinWait.SpinUntil(SignedAfterAStep, TimeSpan.FromSeconds(20)), $"No sign of life after {second} s.");
        }

        Assert.Equal(1, camera.Connections);

        bool SignedAfterAStep()
        {
            Step(camera, source);
            while (habit == "report" && camera.Received.TryTake(out _))
                sign = _clock.GetUtcNow();
            return _clock.GetUtcNow() - sign <= SessionTimeout - TimeSpan.FromSeconds(3);
        }
    }

    [Theory]
    [InlineData("CSeq: 4\r\n")]
    [InlineData("")]
    public void A_keep_alive_refused_under_a_wrong_number_or_none_costs_nothing(string number) // retina#133
    {
        using var camera = new StubCamera { SessionHeader = "1;timeout=15" };
        camera.Answer = request => request.StartsWith("GET_PARAMETER", StringComparison.Ordinal) ? $"RTSP/1.0 400 Bad Request\r\n{number}\r\n" : null;
        using var source = new RtspSource(RtspUrl.Parse(camera.Url), new RtspSourceOptions { StallAfter = TimeSpan.FromHours(1) }, _clock);
        source.Open();
        Step(camera, source, key: true);
        _clock.Advance(TimeSpan.FromSeconds(8));
        Step(camera, source);
        Step(camera, source);
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                Step(camera, source);
                return camera.Methods().SkipWhile(method => method != "GET_PARAMETER").Contains("OPTIONS");
            },
            TimeSpan.FromSeconds(20)));
    }

    private void Step(StubCamera camera, RtspSource source, bool key = false)
    {
        _rtp.Timestamp += 3000;
        camera.Push(RtpBytes.Interleave(4, _rtp.Packet(RtpBytes.Slice(key, 100), marker: true)));
        source.Read()!.Release();
    }
}
