using System.Collections.Concurrent;
using EdgeNode.Ingest;
using EdgeNode.Native.FFmpeg;
using EdgeNode.Tests.Media;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace EdgeNode.Tests.Ingest;

/// <summary>Live streams over HTTP, from a server of our own that serves what ffmpeg made.</summary>
[Collection("clips")]
public sealed class LiveUrlSourceTests(SharedClips clips)
{
    private const string Flv = "video/x-flv";
    private const string Ts = "video/mp2t";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData("/live.flv", Flv)]
    [InlineData("/live.ts", Ts)]
    public void Pictures_and_AAC_come_as_the_camera_sent_them(string path, string type)
    {
        string file = clips.WithAudio("aac" + Path.GetExtension(path), "-c:a", "aac", "-ac", "2");
        using WebServer server = WebServer.Of((path, type, File.ReadAllBytes(file)));
        using var source = LiveUrlSource.Http(server.Url(path));
        source.Open();

        List<Seen> seen = ReadAll(source);

        Seen[] pictures = [.. seen.Where(unit => unit.Audio is null)], audio = [.. seen.Where(unit => unit.Audio is not null)];
        Assert.Equal(SharedClips.Pictures, pictures.Length);
        Assert.True(pictures[0].IsKey && pictures[0].StartsTimeline);
        Assert.All(pictures.Zip(pictures.Skip(1)), pair => Assert.InRange(pair.Second.Dts - pair.First.Dts, 3600 - 90, 3600 + 90));
        Assert.InRange(audio.Length, 135, 145); // 3 s of 1024 samples
        Assert.All(audio.Zip(audio.Skip(1)), pair => Assert.InRange(pair.Second.Dts - pair.First.Dts, 1920 - 100, 1920 + 100));
        Assert.InRange(audio[0].Dts - pictures[0].Dts, -9000, 9000);
        AudioFormat format = Assert.Single(audio.Select(unit => unit.Audio).Distinct())!;
        Assert.Equal((AudioCodec.Aac, 48_000, 2, "mp4a.40.2"), (format.Codec, format.SampleRate, format.Channels, format.CodecString));
        Assert.Equal([0x11, 0x90], format.DecoderConfiguration[..2]);
        Assert.All(audio, unit => Assert.NotEqual(0xFFF, unit.FirstBytes >> 4)); // no ADTS header is left
        Assert.Null(source.LeftOutAudio);
        Assert.Null(source.Read());
    }

    [Fact]
    public void H265_comes_over_HTTP_too()
    {
        using WebServer server = WebServer.Of(("/live.ts", Ts, File.ReadAllBytes(clips.Remuxed("hevc-live.ts", clips.MakeH265("hevc-made.mp4")))));
        using var source = LiveUrlSource.Http(server.Url("/live.ts"));
        source.Open();
        Assert.Equal(SharedClips.Pictures, ReadAll(source).Count);
        Assert.Equal((VideoCodec.H265, SharedClips.Width), (source.Format!.Codec, source.Format.Width));
    }

    [Theory]
    [InlineData("/g711.flv", Flv, "G.711 A-law", "-c:a", "pcm_alaw", "-ar", "8000")]
    [InlineData("/mp2.ts", Ts, "MPEG audio", "-c:a", "mp2")]
    public void Other_audio_is_left_out_and_named_and_costs_no_picture(string path, string type, string name, params string[] options)
    {
        using WebServer server = WebServer.Of((path, type, File.ReadAllBytes(clips.WithAudio(path[1..], options))));
        using var source = LiveUrlSource.Http(server.Url(path));
        source.Open();

        List<Seen> seen = ReadAll(source);

        Assert.Equal(name, source.LeftOutAudio);
        Assert.Equal(SharedClips.Pictures, seen.Count);
        Assert.All(seen, unit => Assert.Null(unit.Audio));
    }

    [Fact]
    public async Task A_camera_that_falls_silent_is_left_after_five_seconds_without_a_video_packet()
    {
        byte[] clip = File.ReadAllBytes(clips.WithAudio("aac.flv", "-c:a", "aac", "-ac", "2"));
        var sent = new TaskCompletionSource();
        using var server = new WebServer(async (_, connection) =>
        {
            await connection.WriteAsync((byte[])[.. WebServer.Head("200 OK", Flv), .. clip[..(clip.Length * 2 / 3)]]);
            await sent.Task;
        });
        var time = new FakeTimeProvider();
        using var source = LiveUrlSource.Http(server.Url("/live.flv"), time: time);
        source.Open();
        int pictures = 0;
        Task reading = Task.Factory.StartNew(
            () =>
            {
                while (source.Read() is { } unit)
                {
                    Interlocked.Increment(ref pictures);
                    unit.Release();
                }
            },
            TaskCreationOptions.LongRunning);
        await AdvanceUntil(reading, time);

        SourceException stalled = await ThrownBy(reading);
        Assert.Equal((SourceTrouble.Stalled, $"Nothing came from http://127.0.0.1:{server.Port} for 5 s."), (stalled.Trouble, stalled.Message));
        Assert.True(pictures > 40);
        sent.SetResult();
    }

    [Fact]
    public async Task A_slow_start_has_a_longer_deadline_that_grows_with_each_failure()
    {
        var never = new TaskCompletionSource();
        using var server = new WebServer((_, _) => never.Task);
        foreach ((int failed, int seconds) in new[] { (0, 10), (1, 20), (2, 40), (3, 60), (99, 60) })
        {
            var time = new FakeTimeProvider();
            using var source = LiveUrlSource.Http(server.Url("/live.flv"), time: time);
            source.GrantPatience(failed);
            int asked = server.Requests.Length;
            Task opening = Task.Factory.StartNew(source.Open, TaskCreationOptions.LongRunning);
            Assert.True(SpinWait.SpinUntil(() => server.Requests.Length > asked, Limit));

            time.Advance(TimeSpan.FromSeconds(seconds - 0.1));
            Assert.False(opening.IsCompleted);
            time.Advance(TimeSpan.FromSeconds(0.2));

            SourceException late = await ThrownBy(opening);
            Assert.Equal((SourceTrouble.Stalled, $"http://127.0.0.1:{server.Port} did not answer within {seconds} s."), (late.Trouble, late.Message));
        }

        never.SetResult();
    }

    [Theory]
    [InlineData("live.flv", Flv)]
    [InlineData("live.ts", Ts)]
    public void A_server_that_closes_again_and_again_is_opened_again_on_one_timeline(string name, string type)
    {
        byte[] clip = File.ReadAllBytes(clips.Remuxed("reconnect." + name.Split('.')[1]));
        using WebServer server = WebServer.Of(("/" + name, type, clip));
        var states = new BlockingCollection<CameraStatus>();
        using var ingest = new CameraIngest("door", () => LiveUrlSource.Http(server.Url("/" + name)), states.Add, TimeProvider.System, NullLogger.Instance);
        using var sink = new Sink();
        using IDisposable attachment = ingest.Gop.Attach(sink);
        ingest.Start();

        Assert.True(SpinWait.SpinUntil(() => ingest.Connections >= 3 && sink.Count >= 2 * SharedClips.Pictures, Limit));

        Assert.Contains(states, status => status.State == CameraState.Connecting && status.Reason == "The stream came to its end.");
        Assert.Equal(0, sink.NotRising);
        Assert.Equal(0, ingest.RepairedStamps);
        Assert.True(sink.Starts >= 2);
    }

    [Theory]
    [InlineData("401 Unauthorized", SourceTrouble.Unauthorized)]
    [InlineData("404 Not Found", SourceTrouble.NotFound)]
    [InlineData("503 Service Unavailable", SourceTrouble.Refused)]
    public void A_refusal_is_told_without_the_password(string status, SourceTrouble trouble)
    {
        using var server = new WebServer((_, connection) => connection.WriteAsync(WebServer.Head(status, "text/html", 0)).AsTask());
        using var source = LiveUrlSource.Http($"http://user:secretword@127.0.0.1:{server.Port}/secretpath?token=secrettoken");

        var refused = Assert.Throws<SourceException>(source.Open);

        Assert.Equal(trouble, refused.Trouble);
        Assert.DoesNotContain("secret", refused.ToString(), StringComparison.Ordinal);
        Assert.Contains($"127.0.0.1:{server.Port}", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>Every printable character, in the URL as it is typed and in fields of their own.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Any_printable_password_arrives_as_it_is(bool inUrl)
    {
        string password = string.Concat(Enumerable.Range(33, 94).Select(c => (char)c).Where(c => !inUrl || c != '%')) + "é";
        const string User = "us.er";
        using var server = new WebServer((request, connection) => connection.WriteAsync(request.Contains("Authorization:", StringComparison.OrdinalIgnoreCase)
            ? WebServer.Head("404 Not Found", "text/plain", 0)
            : WebServer.Head("401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"", "text/plain", 0)).AsTask());
        using var source = inUrl
            ? LiveUrlSource.Http($"http://{User}:{password}@127.0.0.1:{server.Port}/live.flv")
            : LiveUrlSource.Http(server.Url("/live.flv"), User, password);

        Assert.Equal(SourceTrouble.NotFound, Assert.Throws<SourceException>(source.Open).Trouble);

        string expected = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{User}:{password}"));
        Assert.Contains($"Authorization: Basic {expected}\r\n", server.Requests[^1], StringComparison.Ordinal);
        Assert.StartsWith("GET /live.flv HTTP/1.1\r\n", server.Requests[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Credentials_too_long_for_libavformats_rtsp_are_refused_rather_than_cut()
    {
        var refused = Assert.Throws<SourceException>(() => LiveUrlSource.Rtsp("rtsp://127.0.0.1/main", "cam", new string('x', 130)));
        Assert.Equal((SourceTrouble.Unsupported, "User and password are too long for client: ffmpeg: use client: own."), (refused.Trouble, refused.Message));
    }

    [Theory]
    [InlineData("file:///etc/passwd")]
    [InlineData("concat:http://127.0.0.1/a|/etc/passwd")]
    [InlineData("subfile,,start,0,end,0,,:/etc/passwd")]
    [InlineData("pipe:0")]
    [InlineData("async:file:/etc/passwd")]
    [InlineData("data:application/sdp,v=0")]
    [InlineData("/etc/passwd")]
    public void A_hostile_url_is_never_opened(string url)
    {
        Assert.Equal(SourceTrouble.Unsupported, Assert.Throws<SourceException>(() => LiveUrlSource.Http(url)).Trouble);
        Assert.Equal(SourceTrouble.Unsupported, Assert.Throws<SourceException>(() => LiveUrlSource.Rtsp(url)).Trouble);
    }

    [Theory]
    [InlineData("application/vnd.apple.mpegurl", "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:3\n#EXTINF:3.0,\nfile://{0}\n#EXT-X-ENDLIST\n")]
    [InlineData("video/mp2t", "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3.0,\n{0}\n#EXT-X-ENDLIST\n")]
    [InlineData("video/x-flv", "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3.0,\nconcat:{0}|{0}\n#EXT-X-ENDLIST\n")]
    [InlineData("text/plain", "ffconcat version 1.0\nfile '{0}'\n")]
    [InlineData("text/plain", "ffconcat version 1.0\nfile 'file:{0}'\noption safe 0\n")]
    [InlineData("application/sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\na=control:file://{0}\n")]
    [InlineData("application/dash+xml", "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" mediaPresentationDuration=\"PT3S\"><Period><AdaptationSet><Representation id=\"1\" bandwidth=\"1\" mimeType=\"video/mp4\"><BaseURL>file://{0}</BaseURL></Representation></AdaptationSet></Period></MPD>")]
    public void Hostile_content_opens_no_file(string type, string body)
    {
        // A clip that would play, if it were opened.
        string file = clips.Remuxed("private.ts");
        byte[] playlist = System.Text.Encoding.UTF8.GetBytes(string.Format(body, file));
        using WebServer server = WebServer.Of(("/live", type, playlist), ("/live.m3u8", type, playlist), ("/live.sdp", type, playlist), ("/live.flv", type, playlist));
        foreach (string path in new[] { "/live", "/live.m3u8", "/live.sdp", "/live.flv" })
        {
            using var live = LiveUrlSource.Http(server.Url(path));
            using var film = new FileSource(server.Url(path));
            SourceException refused = Assert.Throws<SourceException>(live.Open);
            Assert.Equal(SourceTrouble.Unsupported, refused.Trouble);
            Assert.Equal(SourceTrouble.Unsupported, Assert.Throws<SourceException>(film.Open).Trouble);
        }

        Assert.All(server.Requests, request => Assert.StartsWith("GET /live", request));
    }

    [Fact]
    public void The_hostile_playlist_would_play_without_the_whitelists()
    {
        string file = clips.Remuxed("private.ts");
        using WebServer server = WebServer.Of(("/live.m3u8", "application/vnd.apple.mpegurl", System.Text.Encoding.UTF8.GetBytes(
            $"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:3\n#EXTINF:3.0,\nfile://{file}\n#EXT-X-ENDLIST\n")));
        using FormatContext opened = FormatContext.Open(server.Url("/live.m3u8"), [("protocol_whitelist", "http,tcp,file")], () => false);
        Assert.Equal("h264", opened.Stream(0).CodecName);
    }

    [Theory]
    [InlineData("file:///etc/passwd")]
    [InlineData("file:{0}")]
    [InlineData("concat:{0}")]
    [InlineData("{0}")]
    public void A_redirect_leads_to_no_file(string location)
    {
        string file = clips.Remuxed("private.ts");
        using var server = new WebServer((request, connection) => connection.WriteAsync(request.StartsWith("GET /live ", StringComparison.Ordinal)
            ? WebServer.Head($"302 Found\r\nLocation: {string.Format(location, file)}", Ts, 0)
            : WebServer.Head("404 Not Found", "text/plain", 0)).AsTask());
        using var live = LiveUrlSource.Http(server.Url("/live"));
        Assert.Throws<SourceException>(live.Open);
    }

    [Fact]
    public void An_option_that_this_release_does_not_take_is_an_error_that_names_both()
    {
        var refused = Assert.Throws<FFmpegException>(() => FormatContext.Open($"file:{clips.WithoutBFrames}", [("stimeout", "5000000")], () => false));
        Assert.Equal($"FFmpeg {FFmpegLibrary.Version} does not know the option stimeout.", refused.Message);
    }

    [Fact]
    public async Task Abort_ends_the_wait_for_an_answer()
    {
        var never = new TaskCompletionSource();
        using var server = new WebServer((_, _) => never.Task);
        using var source = LiveUrlSource.Http(server.Url("/live.flv"), time: new FakeTimeProvider());
        Task opening = Task.Factory.StartNew(source.Open, TaskCreationOptions.LongRunning);
        Assert.True(SpinWait.SpinUntil(() => server.Requests.Length > 0, Limit));

        source.Abort();

        Assert.Equal(SourceTrouble.Closed, (await ThrownBy(opening)).Trouble);
        never.SetResult();
    }

    [Fact]
    public void A_host_without_an_address_is_unreachable()
    {
        using var source = LiveUrlSource.Http("http://no-such-camera.invalid/live.flv");
        SourceException refused = Assert.Throws<SourceException>(source.Open);
        Assert.Equal(SourceTrouble.Unreachable, refused.Trouble);
        Assert.StartsWith("http://no-such-camera.invalid cannot be reached: ", refused.Message);
    }

    private static async Task AdvanceUntil(Task task, FakeTimeProvider time)
    {
        // The deadline begins anew with each picture, so time goes on until the wait for one is over.
        for (int i = 0; i < 1000 && !task.IsCompleted; i++)
        {
            await Task.WhenAny(task, Task.Delay(30));
            time.Advance(TimeSpan.FromSeconds(1));
        }
    }

    private static Task<SourceException> ThrownBy(Task task) => Assert.ThrowsAsync<SourceException>(() => task.WaitAsync(Limit));

    private static List<Seen> ReadAll(LiveUrlSource source)
    {
        var seen = new List<Seen>();
        while (source.Read() is { } unit)
        {
            seen.Add(new Seen(unit.Dts, unit.IsKey, unit.StartsTimeline, unit.Audio, unit.Length > 1 ? (unit.Data[0] << 8) | unit.Data[1] : 0));
            unit.Release();
        }

        return seen;
    }

    private sealed record Seen(long Dts, bool IsKey, bool StartsTimeline, AudioFormat? Audio, int FirstBytes);

    private sealed class Sink : IAccessUnitSink, IDisposable
    {
        private long _last = long.MinValue;
        private int _count;

        public int Count => Volatile.Read(ref _count);

        public int NotRising { get; private set; }

        public int Starts { get; private set; }

        public void OnAccessUnit(AccessUnit unit)
        {
            NotRising += unit.Dts <= _last ? 1 : 0;
            Starts += unit.StartsTimeline ? 1 : 0;
            _last = unit.Dts;
            Interlocked.Increment(ref _count);
        }

        public void Dispose()
        {
        }
    }
}
