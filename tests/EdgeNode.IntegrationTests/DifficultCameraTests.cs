using System.Text.Json.Nodes;

namespace EdgeNode.IntegrationTests;

/// <summary>Cameras as they are: whatever one sends, what the node streams of it can be decoded, and it says what is the matter.</summary>
public sealed class DifficultCameraTests(DifficultCameras cameras) : IClassFixture<DifficultCameras>
{
    [Theory]
    [InlineData("long-gop", "h264", "160,120")]
    [InlineData("irregular-gop", "h264", "160,120")]
    [InlineData("b-frames", "h264", "160,120")]
    [InlineData("variable-rate", "h264", "160,120")]
    [InlineData("intra-refresh", "h264", "160,120")]
    [InlineData("slices", "h264", "160,120")]
    [InlineData("10-bit", "h264", "160,120")]
    [InlineData("sets-in-sdp", "h264", "160,120")]
    [InlineData("sets-in-band", "h264", "160,120")]
    [InlineData("h265", "hevc", "160,120")]
    [InlineData("h265-b-frames", "hevc", "160,120")]
    [InlineData("h265-10-bit", "hevc", "160,120")]
    [InlineData("h265-in-sdp", "hevc", "160,120")]
    [InlineData("audio-aac", "h264", "160,120")]
    [InlineData("audio-latm", "h264", "160,120")]
    [InlineData("audio-pcmu", "h264", "160,120")]
    [InlineData("audio-pcma", "h264", "160,120")]
    [InlineData("audio-opus", "h264", "160,120")]
    [InlineData("audio-l16", "h264", "160,120")]
    [InlineData("4k", "h264", "3840,2160")]
    [InlineData("tiny", "h264", "64,48")]
    [InlineData("udp", "h264", "160,120")]
    [InlineData("wrap", "h264", "160,120")]
    [InlineData("rogue-stamps", "h264", "160,120")]
    [InlineData("options-only", "h264", "160,120")]
    [InlineData("get-parameter-only", "h264", "160,120")]
    public async Task What_is_streamed_can_be_decoded(string camera, string codec, string size)
    {
        await StreamingAsync(camera);
        (string stream, int frames, string errors) = await ProbeAsync(camera);
        Assert.Equal(($"{codec},{size}", ""), (stream, errors));
        Assert.True(frames >= 10, $"{frames} pictures");
        await StreamingAsync(camera);
    }

    [Theory]
    [InlineData("long-gop")]
    [InlineData("irregular-gop")]
    [InlineData("b-frames")]
    [InlineData("variable-rate")]
    [InlineData("intra-refresh")]
    [InlineData("h265-b-frames")]
    [InlineData("size-change")]
    [InlineData("loss")]
    [InlineData("jump")]
    [InlineData("rogue-stamps")]
    [InlineData("closes")]
    [InlineData("audio-aac")]
    public async Task What_is_streamed_keeps_the_rules_of_HLS(string camera)
    {
        await cameras.StateAsync(camera, c => (string?)c["state"] == "streaming");
        using var client = new HttpClient();
        (Uri video, Uri? audio, _) = await StreamConformance.OpenAsync(client, new Uri((await cameras.Node.TokenAsync(camera)).ViewUrl));
        var stream = new StreamConformance(client, video);
        Task sound = audio is null ? Task.CompletedTask : new StreamConformance(client, audio, "a-").WalkAsync(40);
        await stream.WalkAsync(40);
        await sound;
        Assert.True(stream.Media >= 10, $"{stream.Media} parts");
        Assert.Equal(camera == "audio-aac", audio is not null);
        if (camera is "size-change")
            Assert.True(stream.Discontinuities > 0, "the size changed");
    }

    [Fact]
    public async Task A_jump_of_the_camera_s_clock_interrupts_nothing()
    {
        await StreamingAsync("jump");
        await HasCarriedAsync("jump", 200);
        (string stream, int frames, string errors) = await ProbeAsync("jump");
        Assert.Equal(("h264,160,120", ""), (stream, errors));
        Assert.True(frames >= 10, $"{frames} pictures");
        Assert.Equal(1, cameras.Proxy("jump").Connections);
    }

    [Fact]
    public async Task Lost_packets_are_counted_and_end_nothing()
    {
        await StreamingAsync("loss");
        await HasCarriedAsync("loss", 300);
        await cameras.HealthAsync("loss", c => (long)c["lost_packets"]! > 3);
        (string stream, int frames, _) = await ProbeAsync("loss");
        Assert.Equal("h264,160,120", stream);
        Assert.True(frames >= 10, $"{frames} pictures");
        Assert.Equal(1, cameras.Proxy("loss").Connections);
    }

    [Fact]
    public async Task A_size_that_changes_in_mid_stream_is_streamed_on()
    {
        await StreamingAsync("size-change");
        using var client = new HttpClient();
        var playlist = new LivePlaylist(client, (await cameras.Node.TokenAsync("size-change")).ViewUrl);
        await playlist.UntilAsync(p => p.HasDiscontinuity);
        (string stream, int frames, _) = await ProbeAsync("size-change");
        Assert.Contains(stream, (string[])["h264,160,120", "h264,320,240"]);
        Assert.True(frames >= 10, $"{frames} pictures");
    }

    [Fact]
    public async Task A_camera_that_falls_silent_is_stalled_and_comes_back()
    {
        await StreamingAsync("stall");
        cameras.Proxy("stall").IsSilent = true;
        JsonNode state = await cameras.StateAsync("stall", c => (string?)c["state"] == "stalled");
        Assert.Contains("no video", (string?)state["reason"], StringComparison.Ordinal);
        cameras.Proxy("stall").IsSilent = false;
        await StreamingAsync("stall");
    }

    [Fact]
    public async Task A_camera_that_hangs_up_again_and_again_is_taken_in_again_and_again()
    {
        TamperingProxy proxy = cameras.Proxy("closes");
        await cameras.HealthAsync("closes", _ => proxy.Connections >= 4);
        await StreamingAsync("closes");
        using var client = new HttpClient();
        var playlist = new LivePlaylist(client, (await cameras.Node.TokenAsync("closes")).ViewUrl);
        await playlist.UntilAsync(p => p.HasDiscontinuity && p.LastSegment >= 2);
    }

    [Theory]
    [InlineData("options-only", "OPTIONS")]
    [InlineData("get-parameter-only", "GET_PARAMETER")]
    public async Task A_session_is_kept_alive_in_the_way_that_the_camera_knows(string camera, string method)
    {
        await StreamingAsync(camera);
        TamperingProxy proxy = cameras.Proxy(camera);
        await cameras.HealthAsync(camera, _ =>
        {
            lock (proxy.Requests)
                return proxy.Requests.Skip(proxy.Requests.LastIndexOf("PLAY")).Count(m => m == method) >= 3;
        });
        Assert.Equal(1, proxy.Connections);
        await StreamingAsync(camera);
    }

    [Theory]
    [InlineData("audio-pcmu", "G.711 µ-law")]
    [InlineData("audio-pcma", "G.711 A-law")]
    [InlineData("audio-opus", "Opus")]
    [InlineData("audio-l16", "L16")]
    [InlineData("audio-latm", "AAC in LATM")]
    public async Task Audio_that_is_left_out_is_named(string camera, string codec)
    {
        await StreamingAsync(camera);
        JsonNode health = await cameras.HealthAsync(camera, c => c["audio_left_out"] is not null);
        Assert.Equal(codec, (string?)health["audio_left_out"]);
        Assert.Null(health["audio"]);
    }

    [Fact]
    public async Task Aac_is_taken_in()
    {
        JsonNode health = await cameras.HealthAsync("audio-aac", c => c["audio"] is not null);
        Assert.StartsWith("mp4a.40.", (string?)health["audio"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sound_is_played()
    {
        await StreamingAsync("audio-aac");
        string viewUrl = (await cameras.Node.TokenAsync("audio-aac")).ViewUrl;
        (int code, string output, string errors) = await RunningProcess.RunAsync(
            "ffprobe", "-v", "error", "-count_frames", "-read_intervals", "%+3", "-select_streams", "a", "-show_entries", "stream=codec_name,sample_rate,channels,nb_read_frames", "-of", "csv=p=0", viewUrl);
        Assert.True(code == 0, output);
        Assert.Equal("", errors);
        string[] words = output.Split('\n').First(line => line.Contains(',', StringComparison.Ordinal)).Split(',');
        Assert.Equal(["aac", "48000", "1"], words[..3]);
        Assert.True(int.Parse(words[3]) > 90, output);
    }

    [SkippableFact]
    public async Task Sound_is_played_in_a_browser_by_hls_js()
    {
        Skip.IfNot(File.Exists(Browser.Program), $"There is no {Browser.Program}: Ubuntu has Chromium only as a snap.");
        await StreamingAsync("audio-aac");
        string viewUrl = (await cameras.Node.TokenAsync("audio-aac")).ViewUrl;
        using var browser = new Browser();
        await browser.OpenAsync($"http://127.0.0.1:{cameras.Node.Port}/");
        await browser.UntilAsync("window.Hls");
        await browser.EvaluateAsync($$"""
            (() => {
              window.seen = [];
              window.film = document.body.appendChild(document.createElement('video'));
              film.muted = true;
              window.player = new Hls({ lowLatencyMode: true });
              player.on(Hls.Events.ERROR, (_, error) => seen.push(error.details + (error.fatal ? '!' : '')));
              player.loadSource('{{new Uri(viewUrl).PathAndQuery}}');
              player.attachMedia(film);
              film.play();
            })()
            """);
        await browser.UntilAsync("film.currentTime > 0 && (window.from ??= film.currentTime) && film.currentTime > from + 8 && film.webkitAudioDecodedByteCount > 10000");
        string seen = (string)(await browser.EvaluateAsync("seen.join()"))!;
        Assert.Equal("", seen);
        Assert.True((bool?)await browser.EvaluateAsync("player.audioTracks.length === 1 && player.latency < 4"));
    }

    private Task<JsonNode> StreamingAsync(string camera) => cameras.StateAsync(camera, c => (string?)c["state"] == "streaming" && c["reason"] is null);

    private Task HasCarriedAsync(string camera, int packets) => cameras.HealthAsync(camera, _ => cameras.Proxy(camera).Packets >= packets);

    private async Task<(string Stream, int Frames, string Errors)> ProbeAsync(string camera)
    {
        string viewUrl = (await cameras.Node.TokenAsync(camera)).ViewUrl;
        (int code, string output, string errors) = await RunningProcess.RunAsync(
            "ffprobe", "-v", "error", "-count_frames", "-read_intervals", "%+3", "-select_streams", "v", "-show_entries", "stream=codec_name,width,height,nb_read_frames", "-of", "csv=p=0", viewUrl);
        Assert.True(code == 0, output);
        string[] words = output.Split('\n').Except(errors.Split('\n')).First(line => line.Contains(',', StringComparison.Ordinal)).Split(',');
        return (string.Join(',', words[..3]), int.Parse(words[3]), errors);
    }
}
