using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using EdgeNode.Configuration;
using EdgeNode.Ingest;
using EdgeNode.Ingest.Rtsp;
using Microsoft.Extensions.Time.Testing;

namespace EdgeNode.Tests.Ingest.Rtsp;

public sealed class RtspSourceTests : IDisposable
{
    private const byte DataChannel = 4;

    private readonly StubCamera _camera = new();
    private readonly RtpBytes _rtp = new();

    public void Dispose() => _camera.Dispose();

    [Fact]
    public void Asks_in_order_for_the_video_alone_and_says_goodbye()
    {
        _camera.FramesAfterPlayAnswer = () => [Key(), Other()];
        using (RtspSource source = Source())
        {
            source.Open();
            Take(source, unit => Assert.True(unit is { IsKey: true, StartsTimeline: true }));
            Take(source, unit => Assert.False(unit.IsKey));
        }

        Assert.Equal(["OPTIONS", "DESCRIBE", "SETUP", "PLAY", "TEARDOWN"], _camera.Methods());
        Assert.StartsWith($"SETUP {_camera.Url}/video RTSP/1.0\r\n", _camera.Requests[2]);
        Assert.Contains("Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n", _camera.Requests[2]);
        Assert.StartsWith($"PLAY {_camera.Url}/ RTSP/1.0\r\n", _camera.Requests[3]);
        Assert.Contains("Session: 42\r\n", _camera.Requests[4]);
    }

    [Fact]
    public void Pictures_before_the_answer_to_play_are_not_lost()
    {
        _camera.FramesBeforePlayAnswer = () => [Key(), Other()];
        using RtspSource source = Source();
        source.Open();

        Take(source, unit => Assert.True(unit.IsKey));
        Take(source, unit => Assert.False(unit.IsKey));
    }

    [Theory]
    [InlineData("Digest realm=\"cam\", nonce=\"abc\", qop=\"auth\"", "Digest ", "qop=auth")]
    [InlineData("Basic realm=\"cam\"", "Basic dXNlcjpwQHNzL3c6MQ==", "")]
    public void Logs_in_as_the_camera_asks(string challenge, string expected, string detail)
    {
        _camera.Answer = request => request.Contains("Authorization: ", StringComparison.Ordinal)
            ? null
            : StubCamera.Respond(request, "401 Unauthorized", "WWW-Authenticate: " + challenge);
        _camera.FramesAfterPlayAnswer = () => [Key()];
        using RtspSource source = Source($"rtsp://user:p@ss/w:1@127.0.0.1:{_camera.Port}/main");
        source.Open();
        Take(source, _ => { });

        Assert.Equal(["OPTIONS", "OPTIONS", "DESCRIBE", "SETUP", "PLAY"], _camera.Methods());
        Assert.All(_camera.Requests.Skip(1), request =>
        {
            Assert.Contains("Authorization: " + expected, request);
            Assert.Contains(detail, request);
            Assert.DoesNotContain("@", request.Split("\r\n")[0]);
        });
    }

    [Fact]
    public void A_stale_nonce_is_answered_anew()
    {
        int described = 0;
        _camera.Answer = request => request switch
        {
            _ when !request.Contains("Authorization", StringComparison.Ordinal) => StubCamera.Respond(request, "401 No", "WWW-Authenticate: Digest realm=\"cam\", nonce=\"1\""),
            _ when request.StartsWith("DESCRIBE", StringComparison.Ordinal) && described++ == 0 => StubCamera.Respond(request, "401 No", "WWW-Authenticate: Digest realm=\"cam\", nonce=\"2\", stale=true"),
            _ => null,
        };
        using RtspSource source = Source($"rtsp://a:b@127.0.0.1:{_camera.Port}/main");
        source.Open();

        Assert.Contains("nonce=\"2\"", _camera.WaitFor("SETUP"));
    }

    [Theory]
    [InlineData("", "set both")]
    [InlineData("user:hunter2@", "refuses this user")]
    public void Wrong_or_missing_credentials_are_unauthorized_after_one_try(string credentials, string says)
    {
        int nonce = 0;
        _camera.Answer = request => StubCamera.Respond(request, "401 Unauthorized", $"WWW-Authenticate: Digest realm=\"cam\", nonce=\"{nonce++}\"");
        SourceException refused = OpenFails($"rtsp://{credentials}127.0.0.1:{_camera.Port}/main");

        Assert.Equal(SourceTrouble.Unauthorized, refused.Trouble);
        Assert.Contains(says, refused.Message);
        Assert.DoesNotContain("hunter2", refused.ToString());
        Assert.True(_camera.Requests.Count <= 2);
    }

    [Theory]
    [InlineData("DESCRIBE", "404 Not Found", SourceTrouble.NotFound)]
    [InlineData("DESCRIBE", "503 Service Unavailable", SourceTrouble.Refused)]
    [InlineData("SETUP", "453 Not Enough Bandwidth", SourceTrouble.Refused)]
    [InlineData("SETUP", "461 Unsupported Transport", SourceTrouble.Unsupported)]
    [InlineData("PLAY", "454 Session Not Found", SourceTrouble.Refused)]
    [InlineData("DESCRIBE", "403 Forbidden", SourceTrouble.Unauthorized)]
    public void Refusals_are_told_apart(string method, string status, SourceTrouble trouble)
    {
        _camera.Answer = request => request.StartsWith(method, StringComparison.Ordinal) ? StubCamera.Respond(request, status) : null;

        Assert.Equal(trouble, OpenFails(_camera.Url).Trouble);
        if (method == "PLAY")
            _camera.WaitFor("TEARDOWN");
    }

    [Theory]
    [InlineData("ab\0cd")]
    [InlineData("ab\rcd;timeout=60")]
    public void A_session_id_that_cannot_be_sent_back_is_refused_and_closing_still_works(string session)
    {
        _camera.SessionHeader = session;
        SourceException refused = OpenFails(_camera.Url);

        Assert.Equal(SourceTrouble.Unsupported, refused.Trouble);
        Assert.Contains("session", refused.Message);
        Assert.DoesNotContain("PLAY", _camera.Methods());
    }

    [Fact]
    public void A_control_url_that_cannot_be_sent_is_refused_and_closing_still_works()
    {
        _camera.Description = _camera.Description.Replace("s=x\r\n", "s=x\r\na=control:rtsp://a\rb\r\n", StringComparison.Ordinal);

        Assert.Equal(SourceTrouble.Unsupported, OpenFails(_camera.Url).Trouble);
    }

    [Fact]
    public void A_camera_without_h264_or_h265_is_told_what_it_offers()
    {
        _camera.Description = "v=0\r\nm=video 0 RTP/AVP 97 26\r\na=rtpmap:97 VP8/90000\r\nm=audio 0 RTP/AVP 0\r\n";
        SourceException refused = OpenFails(_camera.Url);

        Assert.Equal(SourceTrouble.Unsupported, refused.Trouble);
        Assert.Contains("VP8, JPEG", refused.Message);
    }

    [Fact]
    public void A_redirect_is_followed_and_a_circle_of_them_is_not()
    {
        using var target = new StubCamera();
        target.FramesAfterPlayAnswer = () => [Key()];
        _camera.Answer = request => request.StartsWith("DESCRIBE", StringComparison.Ordinal) ? StubCamera.Respond(request, "302 Moved", "Location: " + target.Url) : null;
        using (RtspSource source = Source())
        {
            source.Open();
            Take(source, unit => Assert.True(unit.IsKey));
        }

        target.Answer = request => request.StartsWith("DESCRIBE", StringComparison.Ordinal) ? StubCamera.Respond(request, "302 Moved", "Location: " + _camera.Url) : null;
        Assert.Equal(SourceTrouble.Unsupported, OpenFails(_camera.Url).Trouble);
    }

    [Fact]
    public void A_redirect_to_rtsps_brings_no_pictures_in_the_clear_by_UDP()
    {
        _camera.Answer = request => request.StartsWith("DESCRIBE", StringComparison.Ordinal) ? StubCamera.Respond(request, "302 Moved", "Location: rtsps://127.0.0.1:1/main") : null;
        SourceException refused = OpenFails(_camera.Url, new RtspSourceOptions { Transport = RtpTransport.Udp });
        Assert.Equal(SourceTrouble.Unsupported, refused.Trouble);
        Assert.Contains("set transport: tcp", refused.Message);
    }

    [Fact]
    public void A_port_where_nobody_listens_is_unreachable()
    {
        int port = _camera.Port;
        _camera.Dispose();

        Assert.Equal(SourceTrouble.Unreachable, OpenFails($"rtsp://127.0.0.1:{port}/main").Trouble);
    }

    [Fact]
    public void A_camera_that_does_not_answer_has_stalled()
    {
        _camera.Answer = _ => "";

        Assert.Equal(SourceTrouble.Stalled, OpenFails(_camera.Url, Hasty()).Trouble);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_camera_that_falls_silent_has_stalled(bool afterPictures)
    {
        if (afterPictures)
            _camera.FramesAfterPlayAnswer = () => [Key()];
        using RtspSource source = Source(options: Hasty());
        source.Open();
        if (afterPictures)
            Take(source, _ => { });

        Assert.Equal(SourceTrouble.Stalled, Assert.Throws<SourceException>(() => source.Read()).Trouble);
        source.Dispose();
        _camera.WaitFor("TEARDOWN");
    }

    [Fact]
    public void Reports_of_the_camera_alone_are_no_video()
    {
        _camera.Stream = () => RtpBytes.Interleave(DataChannel + 1, [0x80, 200, 0, 6, .. new byte[24]]);
        using RtspSource source = Source(options: Hasty());
        source.Open();

        Assert.Equal(SourceTrouble.Stalled, Assert.Throws<SourceException>(() => source.Read()).Trouble);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Video_that_cannot_be_decoded_yet_is_remarked_and_the_connection_stays(bool hasParameterSets)
    {
        if (!hasParameterSets)
            _camera.Description = _camera.Description.Replace("sprop-parameter-sets", "x", StringComparison.Ordinal);
        _camera.Stream = () => Frame(key: !hasParameterSets);
        var clock = new FakeTimeProvider();
        ConcurrentQueue<string> remarks = new();
        using RtspSource source = Source(options: Patient() with { Remark = remarks.Enqueue }, clock: clock);
        source.Open();
        using var reading = new Reading(source);
        WaitUntil(() => source.SkippedPictures > 2);
        clock.Advance(TimeSpan.FromSeconds(9));
        WaitForMoreSkipped(source);
        Assert.Empty(remarks);
        clock.Advance(TimeSpan.FromSeconds(2));
        WaitUntil(() => !remarks.IsEmpty);
        clock.Advance(TimeSpan.FromMinutes(3));
        WaitForMoreSkipped(source);

        Assert.Contains("keyframe interval", Assert.Single(remarks));
        Assert.DoesNotContain("TEARDOWN", _camera.Methods());
    }

    private static void WaitForMoreSkipped(RtspSource source)
    {
        long before = source.SkippedPictures;
        WaitUntil(() => source.SkippedPictures > before + 2);
    }

    [Fact]
    public void A_camera_that_hangs_up_has_closed()
    {
        _camera.FramesAfterPlayAnswer = () => [Key()];
        using RtspSource source = Source();
        source.Open();
        Take(source, _ => { });
        _camera.HangUp();

        Assert.Equal(SourceTrouble.Closed, Assert.Throws<SourceException>(() => source.Read()).Trouble);
    }

    [Theory]
    [InlineData("OPTIONS, GET_PARAMETER", "GET_PARAMETER")]
    [InlineData("OPTIONS, PLAY", "OPTIONS")]
    public void Keeps_the_session_alive_when_half_of_its_time_has_passed(string methods, string expected)
    {
        _camera.Public = methods;
        _camera.SessionHeader = "abc;timeout=40";
        var clock = new FakeTimeProvider();
        using Reading reading = Read(clock);
        int before = _camera.Requests.Count;
        clock.Advance(TimeSpan.FromSeconds(19));
        reading.WaitForMore();
        Assert.Equal(before, _camera.Requests.Count);

        for (int times = 1; times <= 3; times++)
        {
            clock.Advance(TimeSpan.FromSeconds(20));
            WaitUntil(() => _camera.Requests.Count == before + times);
        }

        Assert.All(_camera.Requests.Skip(before), request =>
        {
            Assert.StartsWith(expected + " ", request);
            Assert.Contains("Session: abc\r\n", request);
        });
    }

    [Fact]
    public void A_camera_that_refuses_its_own_keep_alive_is_asked_for_options()
    {
        _camera.Answer = request => request.StartsWith("GET_PARAMETER", StringComparison.Ordinal) ? StubCamera.Respond(request, "405 Method Not Allowed") : null;
        var clock = new FakeTimeProvider();
        using Reading reading = Read(clock);
        clock.Advance(TimeSpan.FromSeconds(31));

        WaitUntil(() => _camera.Methods().SkipWhile(method => method != "GET_PARAMETER").Contains("OPTIONS"));
        reading.WaitForMore();
    }

    [Fact]
    public void A_session_that_the_camera_no_longer_knows_has_closed()
    {
        _camera.Answer = request => request.StartsWith("GET_PARAMETER", StringComparison.Ordinal) ? StubCamera.Respond(request, "454 Session Not Found") : null;
        var clock = new FakeTimeProvider();
        using Reading reading = Read(clock);
        clock.Advance(TimeSpan.FromSeconds(31));

        Assert.Equal(SourceTrouble.Closed, reading.WaitForEnd().Trouble);
    }

    [Fact]
    public void Sends_receiver_reports_on_the_control_channel()
    {
        var clock = new FakeTimeProvider();
        using Reading reading = Read(clock);
        clock.Advance(TimeSpan.FromSeconds(6));

        Assert.True(_camera.Received.TryTake(out byte[]? report, TimeSpan.FromSeconds(20)));
        Assert.Equal(52, report.Length);
        Assert.Equal([0x81, 201, 0, 7], report[..4]);
        Assert.Equal([0, 0, 0xCA, 0xFE], report[8..12]);
        Assert.Equal([0x81, 202, 0, 4], report[32..36]);
    }

    [Fact]
    public void A_request_of_the_cameras_own_is_answered_and_the_stream_goes_on()
    {
        _camera.FramesAfterPlayAnswer = () => [Key(), Encoding.ASCII.GetBytes("SET_PARAMETER rtsp://node RTSP/1.0\r\nCSeq: 77\r\n\r\n"), Other()];
        using RtspSource source = Source();
        source.Open();
        Take(source, _ => { });
        Take(source, unit => Assert.False(unit.IsKey));

        Assert.Contains("CSeq: 77\r\n", _camera.WaitFor("RTSP/1.0"));
    }

    [Fact]
    public void Abort_ends_a_blocked_read_and_the_camera_still_gets_its_goodbye()
    {
        using RtspSource source = Source();
        source.Open();
        SourceException? end = null;
        var thread = new Thread(() => end = Assert.Throws<SourceException>(() => source.Read()));
        thread.Start();
        WaitUntil(() => thread.ThreadState.HasFlag(ThreadState.WaitSleepJoin) || _camera.Methods().Contains("PLAY"));
        source.Abort();

        Assert.True(thread.Join(TimeSpan.FromSeconds(20)));
        Assert.Equal(SourceTrouble.Closed, end!.Trouble);
        source.Dispose();
        _camera.WaitFor("TEARDOWN");
    }

    [Fact]
    public void Abort_ends_an_open_that_waits_for_an_answer()
    {
        _camera.Answer = _ => "";
        using RtspSource source = Source(options: Patient());
        SourceException? end = null;
        var thread = new Thread(() => end = Assert.Throws<SourceException>(source.Open));
        thread.Start();
        _camera.WaitFor("OPTIONS");
        source.Abort();

        Assert.True(thread.Join(TimeSpan.FromSeconds(20)));
        Assert.Equal(SourceTrouble.Closed, end!.Trouble);
    }

    [Fact]
    public void Abort_ends_an_open_that_connects()
    {
        // A listener whose backlog is full leaves further connections in SYN_SENT.
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(0);
        var endPoint = (IPEndPoint)listener.LocalEndPoint!;
        using var first = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        first.Connect(endPoint);

        using RtspSource source = Source($"rtsp://127.0.0.1:{endPoint.Port}/", Patient());
        SourceException? end = null;
        var thread = new Thread(() => end = Assert.Throws<SourceException>(source.Open));
        thread.Start();
        // Whether it blocks by then or not, the outcome is the same.
        source.Abort();

        Assert.True(thread.Join(TimeSpan.FromSeconds(20)));
        Assert.Equal(SourceTrouble.Closed, end!.Trouble);
    }

    [Fact]
    public void A_connection_that_is_never_accepted_is_unreachable_within_its_time()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(0);
        var endPoint = (IPEndPoint)listener.LocalEndPoint!;
        using var first = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        first.Connect(endPoint);

        Assert.Equal(SourceTrouble.Unreachable, OpenFails($"rtsp://127.0.0.1:{endPoint.Port}/", Hasty()).Trouble);
    }

    [Fact]
    public void Whatever_a_camera_sends_ends_in_pictures_or_in_one_sentence()
    {
        var random = new Random(99);
        for (int round = 0; round < 150; round++)
        {
            _camera.Answer = request =>
            {
                if (random.Next(6) != 0)
                    return null;
                byte[] text = Encoding.ASCII.GetBytes(StubCamera.Respond(request, "200 OK", "Public: OPTIONS", "Session: 1;timeout=60", "Transport: x;interleaved=4-5", "Content-Length: 0"));
                for (int change = random.Next(1, 6); change > 0; change--)
                    text[random.Next(text.Length)] = (byte)random.Next(1, 127);
                return Encoding.ASCII.GetString(text);
            };
            _camera.FramesAfterPlayAnswer = () =>
            {
                byte[] bytes = [.. Key(), .. Other(), .. Other(), .. Key()];
                for (int change = random.Next(8); change > 0; change--)
                    bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                return [bytes];
            };
            using RtspSource source = Source(options: Hasty(10));
            SourceException end = Assert.Throws<SourceException>(() =>
            {
                source.Open();
                while (source.Read() is { } unit)
                    unit.Release();
            });
            Assert.DoesNotContain('\n', end.Message);
        }
    }

    private static RtspSourceOptions Hasty(int milliseconds = 150)
    {
        var time = TimeSpan.FromMilliseconds(milliseconds);
        return new RtspSourceOptions { ConnectWithin = time, AnswerWithin = time, FirstPacketWithin = time, StallAfter = time, TeardownWithin = time };
    }

    private static RtspSourceOptions Patient()
    {
        var time = TimeSpan.FromHours(1);
        return new RtspSourceOptions { ConnectWithin = time, AnswerWithin = time, FirstPacketWithin = time, StallAfter = time };
    }

    private static void WaitUntil(Func<bool> condition) => Assert.True(SpinWait.SpinUntil(condition, TimeSpan.FromSeconds(20)));

    private static void Take(RtspSource source, Action<AccessUnit> check)
    {
        AccessUnit unit = source.Read()!;
        check(unit);
        unit.Release();
    }

    private RtspSource Source(string? url = null, RtspSourceOptions? options = null, TimeProvider? clock = null) =>
        new(RtspUrl.Parse(url ?? _camera.Url), options, clock);

    private SourceException OpenFails(string url, RtspSourceOptions? options = null)
    {
        using RtspSource source = Source(url, options);
        return Assert.Throws<SourceException>(source.Open);
    }

    private Reading Read(FakeTimeProvider clock)
    {
        _camera.FramesAfterPlayAnswer = () => [Key()];
        _camera.Stream = Other;
        RtspSource source = Source(options: Patient(), clock: clock);
        source.Open();
        var reading = new Reading(source);
        reading.WaitForMore();
        return reading;
    }

    private byte[] Key() => Frame(key: true);

    private byte[] Other() => Frame(key: false);

    private byte[] Frame(bool key)
    {
        _rtp.Timestamp += 3000;
        return RtpBytes.Interleave(DataChannel, _rtp.Packet(RtpBytes.Slice(key, 200), marker: true));
    }

    /// <summary>A thread that reads a source to its end.</summary>
    private sealed class Reading : IDisposable
    {
        private readonly RtspSource _source;
        private readonly Thread _thread;
        private SourceException? _end;
        private int _units;

        public Reading(RtspSource source)
        {
            _source = source;
            _thread = new Thread(() => _end = Assert.Throws<SourceException>(() =>
            {
                while (source.Read() is { } unit)
                {
                    unit.Release();
                    Interlocked.Increment(ref _units);
                }
            }));
            _thread.Start();
        }

        public void WaitForMore()
        {
            int now = Volatile.Read(ref _units);
            WaitUntil(() => Volatile.Read(ref _units) > now + 2);
        }

        public SourceException WaitForEnd()
        {
            Assert.True(_thread.Join(TimeSpan.FromSeconds(20)));
            return _end!;
        }

        public void Dispose()
        {
            _source.Abort();
            _thread.Join();
            _source.Dispose();
        }
    }
}
