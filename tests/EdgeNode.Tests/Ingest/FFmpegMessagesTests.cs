using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using EdgeNode.Ingest;
using EdgeNode.Ingest.Libav;
using EdgeNode.Native.FFmpeg;
using EdgeNode.Tests.Ingest.Rtsp;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace EdgeNode.Tests.Ingest;

public class FFmpegMessagesTests
{
    private const string Canary = "c@n/a#r?y w\"o%rd";

    [Fact]
    public void What_FFmpeg_says_of_failing_cameras_reaches_the_log_without_a_password()
    {
        var log = new Lines();
        var raw = new ConcurrentQueue<string>();
        using var messages = new FFmpegMessages(log, TimeProvider.System);
        using IDisposable unscrubbed = FFmpegLog.Listen(line => raw.Enqueue(line.Text));

        // An RTSP camera that refuses, one that talks nonsense, HTTP servers that do either or lead on with the login in the URL, and nobody at all.
        using (var camera = new StubCamera { Answer = request => StubCamera.Respond(request, "401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"") })
            Fail(LiveUrlSource.Rtsp(camera.Url, "canary-user", Canary));
        using (var nonsense = new StubCamera { Answer = _ => "HTTP/1.0 418 Teapot " + Canary + "\r\n\r\n" })
            Fail(LiveUrlSource.Rtsp(nonsense.Url, "canary-user", Canary, options: new LiveUrlOptions { OpenWithin = TimeSpan.FromSeconds(2), OpenWithinAtMost = TimeSpan.FromSeconds(2) }));
        using (var refusing = new WebServer((_, connection) => connection.WriteAsync(WebServer.Head("401 Unauthorized", "text/html", 0)).AsTask()))
            Fail(LiveUrlSource.Http(refusing.Url("/live.flv?password=canary-query"), "canary-user", Canary));
        using (WebServer garbage = WebServer.Of(("/live.flv", "video/x-flv", [.. "FLV\x01\x05\0\0\0\x09"u8, .. new byte[4096]])))
            Fail(LiveUrlSource.Http(garbage.Url("/live.flv"), "canary-user", Canary));
        string escaped = Uri.EscapeDataString(Canary);
        using (var leading = new WebServer((_, connection) => connection.WriteAsync(WebServer.Head($"302 Found\r\nLocation: nowhere://canary-user:{escaped}@door/x", "text/html", 0)).AsTask()))
            Fail(LiveUrlSource.Http(leading.Url("/live.flv"), "canary-user", Canary));
        int nobody = FreePort();
        Fail(LiveUrlSource.Rtsp($"rtsp://127.0.0.1:{nobody}/{Uri.EscapeDataString("canary-user")}?pwd=canary-query", "canary-user", Canary));
        Fail(LiveUrlSource.Http($"http://canary-user:{escaped}@127.0.0.1:{nobody}/live.flv"));

        Assert.Contains(log.All, line => line.StartsWith("Warning FFmpeg: [", StringComparison.Ordinal));
        Assert.Contains(log.All, line => line.Contains("401", StringComparison.Ordinal));
        Assert.Contains(log.All, line => line.Contains("refused", StringComparison.OrdinalIgnoreCase));
        string[] forms = [Canary, escaped, escaped.ToLowerInvariant(), Convert.ToBase64String(Encoding.UTF8.GetBytes(Canary)), "canary-user", "canary-query"];
        Assert.All(log.All, line => Assert.All(forms, form => Assert.DoesNotContain(form, line, StringComparison.Ordinal)));

        void Fail(LiveUrlSource source)
        {
            using (source)
            {
                var failed = Assert.Throws<SourceException>(source.Open);
                Assert.DoesNotContain("canary", failed.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void A_camera_writes_no_line_of_its_own_and_moves_no_cursor()
    {
        var log = new Lines();
        using var messages = new FFmpegMessages(log, TimeProvider.System);
        using (var camera = new StubCamera { Answer = request => StubCamera.Respond(request, "418 \u001b[2Jtea\u0007pot") })
        using (LiveUrlSource source = LiveUrlSource.Rtsp(camera.Url))
            Assert.Throws<SourceException>(source.Open);

        string line = Assert.Single(log.All, line => line.Contains("pot", StringComparison.Ordinal));
        Assert.DoesNotContain(line, char.IsControl);
    }

    [Fact]
    public void A_login_is_known_as_basic_authentication_sends_it_too()
    {
        var scrubber = new CredentialScrubber();
        using IDisposable known = scrubber.Know(DemuxerInput.HttpStream("http://door/live.flv", "us", "pw", TimeSpan.Zero).Secrets);
        Assert.Equal("Authorization: Basic ***", scrubber.Scrub("Authorization: Basic " + Convert.ToBase64String("us:pw"u8)));
    }

    [Theory]
    [InlineData("[rtsp @ 0x1] open rtsp://user:p@ss@door:554/live?x=1 failed", "[rtsp @ 0x1] open rtsp://***@door:554/… failed")]
    [InlineData("Connection to tcp://10.0.0.1:554?timeout=0 failed: Connection refused", "Connection to tcp://10.0.0.1:554/… failed: Connection refused")]
    [InlineData("'https://user:%70w@[2001:db8::1]/a@b'", "'https://***@b'")]
    [InlineData("http://door/", "http://door")]
    [InlineData("nothing to see", "nothing to see")]
    public void Of_a_url_scheme_and_host_are_left(string text, string expected) => Assert.Equal(expected, new CredentialScrubber().Scrub(text));

    [Fact]
    public void A_password_is_known_in_all_its_forms_for_as_long_as_its_source_is_open()
    {
        var scrubber = new CredentialScrubber();
        using (scrubber.Know("p/w:ö", null, "ab"))
        using (scrubber.Know("p/w:ö"))
        {
        }

        IDisposable first = scrubber.Know("p/w:ö");
        IDisposable second = scrubber.Know("p/w:ö");
        second.Dispose();
        second.Dispose();
        Assert.Equal("a *** b *** c *** d ***.", scrubber.Scrub("a p/w:ö b p%2Fw%3A%C3%B6 c p%2fw%3a%c3%b6 d p/w:%C3%B6."));
        first.Dispose();
        Assert.Equal("p/w:ö", scrubber.Scrub("p/w:ö"));
    }

    [Fact]
    public void A_message_that_repeats_is_one_line_a_minute_with_a_count()
    {
        var log = new Lines();
        var time = new FakeTimeProvider();
        using var messages = new FFmpegMessages(log, time);
        string unknown = $"there-is-no-such-thing-{Guid.NewGuid():N}";
        for (int i = 0; i < 5; i++)
            Open();
        Assert.Single(log.All, line => line.Contains("no-such-thing", StringComparison.Ordinal));

        time.Advance(TimeSpan.FromMinutes(1.1));
        Open();

        Assert.Equal(2, log.All.Count(line => line.Contains("no-such-thing", StringComparison.Ordinal)));
        Assert.Contains(log.All, line => line.Contains("no-such-thing", StringComparison.Ordinal) && line.EndsWith("(4 more since the last line)", StringComparison.Ordinal));

        void Open() => Assert.Throws<FFmpegException>(() => FormatContext.Open("file:/dev/null", [("protocol_whitelist", unknown)], () => false));
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private sealed class Lines : ILogger
    {
        private readonly ConcurrentQueue<string> _lines = [];

        public string[] All => [.. _lines];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _lines.Enqueue($"{logLevel} {formatter(state, exception)}");
    }
}
