using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace EdgeNode.IntegrationTests;

/// <summary>The published binary between a real RTSP server and a real broker.</summary>
public class MainPathTests
{
    private const string Root = "edgenode/test/node-1/";

    [Fact]
    public async Task A_camera_is_shown_and_its_faces_are_reported()
    {
        using var camera = new GstRtspServer("--path", "/main", "--file", Path.Combine(Given.Films, "demo.mp4"), "--user", "cam", "--password", "p@ss:w/rd#1");
        using var broker = new Mosquitto();
        using var node = new NodeUnderTest(
            $"  - {{ id: entrance, name: Main entrance, url: \"rtsp://127.0.0.1:{camera.Port}/main\", username: cam, password: \"p@ss:w/rd#1\" }}",
            $"mqtt://127.0.0.1:{broker.Port}");
        await camera.StartAsync();
        await broker.StartAsync();
        using RunningProcess witness = broker.Subscribe();
        (int enrolled, string output, _) = await node.CommandAsync(["enroll", "Franck", .. Directory.GetFiles(Path.Combine(Given.Gallery, "Franck"))]);
        Assert.True(enrolled == 0, output);
        await node.StartAsync();

        JsonNode status = await PayloadAsync(witness, "status", s => (string?)s["state"] == "online");
        Assert.Equal($"http://127.0.0.1:{node.Port}", (string?)status["base_url"]);
        await PayloadAsync(witness, "cameras/entrance/state", s => (string?)s["state"] == "streaming");
        JsonNode face = await PayloadAsync(witness, "events/face", e => (string?)e["identity"]!["status"] == "recognized");
        Assert.Equal(("Franck", "entrance", "test", "node-1"), ((string?)face["identity"]!["name"], (string?)face["camera"], (string?)face["site"], (string?)face["node"]));

        string id = (string)face["event_id"]!;
        JsonNode[] history = [.. witness.Lines.Where(l => l.StartsWith(Root + "events/face ", StringComparison.Ordinal)).Select(Mosquitto.Payload).Where(e => (string?)e["event_id"] == id)];
        Assert.Equal("started", (string?)history[0]["phase"]);
        Assert.Equal(Enumerable.Range(1, history.Length), history.Select(e => (int)e["seq"]!));

        string viewUrl = (await node.TokenAsync("entrance")).ViewUrl;
        (int probed, string streams, _) = await RunningProcess.RunAsync(
            "ffprobe", "-v", "error", "-count_frames", "-read_intervals", "%+3", "-show_entries", "stream=codec_name,width,height,nb_read_frames", "-of", "csv=p=0", viewUrl);
        Assert.True(probed == 0, streams);
        string[] stream = streams.Trim().Split('\n')[0].Split(',');
        Assert.Equal(["h264", "360", "288"], stream[..3]);
        Assert.True(int.Parse(stream[3]) >= 48, streams);

        using HttpClient admin = await node.ClientAsync();
        JsonNode logged = (await admin.GetFromJsonAsync<JsonNode>("api/events"))!["events"]!.AsArray().First(e => (string?)e!["event_id"] == id)!;
        Assert.Equal(history[0].ToJsonString(), logged.ToJsonString());
        JsonNode health = (await admin.GetFromJsonAsync<JsonNode>("api/stream/health"))!;
        Assert.Equal("streaming", (string?)health["cameras"]![0]!["state"]);
        JsonNode stats = (await admin.GetFromJsonAsync<JsonNode>("api/stream/analytics/stats?camera_id=entrance"))!["stats"]!;
        Assert.True((int)stats["frames_processed"]! > 0 && (int)stats["faces_recognized"]! > 0, stats.ToJsonString());

        await node.Process.TerminateAsync();
        Assert.Equal(0, node.Process.ExitCode);
        await PayloadAsync(witness, "status", s => (string?)s["state"] == "offline");
        await PayloadAsync(witness, "events/face", e => (string?)e["event_id"] == id && (string?)e["phase"] == "ended");
        Assert.DoesNotContain("p@ss", node.Process.Output + witness.Output + health.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_camera_that_goes_and_comes_back_is_played_on_in_the_same_session()
    {
        using var camera = new GstRtspServer("--path", "/main", "--file", Path.Combine(Given.Films, "demo.mp4"));
        using var broker = new Mosquitto();
        using var node = new NodeUnderTest(
            $"  - {{ id: entrance, url: \"rtsp://127.0.0.1:{camera.Port}/main\", analytics: {{ enabled: false }} }}",
            $"mqtt://127.0.0.1:{broker.Port}");
        await camera.StartAsync();
        await broker.StartAsync();
        using RunningProcess witness = broker.Subscribe($"{Root}cameras/entrance/state");
        await node.StartAsync();
        await PayloadAsync(witness, "cameras/entrance/state", s => (string?)s["state"] == "streaming");

        using var client = new HttpClient();
        var playlist = new LivePlaylist(client, (await node.TokenAsync("entrance")).ViewUrl);
        await playlist.UntilAsync(p => p.LastSegment >= 2);

        camera.Stop();
        int before = witness.Lines.Count;
        await witness.LineAsync(l => (string?)Mosquitto.Payload(l)["state"] is "connecting" or "stalled", before);
        await camera.StartAsync();
        await witness.LineAsync(l => (string?)Mosquitto.Payload(l)["state"] == "streaming", before);
        long segment = playlist.LastSegment;
        await playlist.UntilAsync(p => p.LastSegment >= segment + 2 && p.HasDiscontinuity);
    }

    [Fact]
    public async Task A_dead_node_is_declared_offline_by_its_will()
    {
        using var broker = new Mosquitto();
        using var node = new NodeUnderTest("  []", $"mqtt://127.0.0.1:{broker.Port}");
        await broker.StartAsync();
        using RunningProcess witness = broker.Subscribe();
        await node.StartAsync();
        await PayloadAsync(witness, "status", s => (string?)s["state"] == "online");
        node.Process.Kill();
        await PayloadAsync(witness, "status", s => (string?)s["state"] == "offline");
    }

    [Fact]
    public async Task An_unreachable_broker_holds_up_nothing()
    {
        using var node = new NodeUnderTest(
            $"  - {{ id: film, url: \"file:{Given.Films}/demo.mp4\", analytics: {{ enabled: false }} }}", $"mqtt://127.0.0.1:{RunningProcess.FreePort()}");
        await node.StartAsync();
        using var client = new HttpClient();
        var playlist = new LivePlaylist(client, (await node.TokenAsync("film")).ViewUrl);
        await playlist.UntilAsync(p => p.LastSegment >= 2);
        await node.Process.LineAsync(l => l.Contains("broker", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task Every_route_asks_for_a_token_that_shows_its_camera()
    {
        using var node = new NodeUnderTest($$"""
              - id: one
                url: "file:{{Given.Films}}/demo.mp4"
                analytics: { enabled: false }
              - id: two
                url: "file:{{Given.Films}}/visitor.mp4"
                analytics: { enabled: false }
            """);
        await node.StartAsync();
        using var stranger = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{node.Port}/") };
        foreach (string path in (string[])["api/stream/cameras", "api/stream/cameras/status", "api/stream/health", "api/stream/playback/sessions",
            "openapi.json", "metrics", "api/stream/analytics/stats?camera_id=one", "api/events", "api/events/stream", "live/x.y.z/one/index.m3u8", "api/stream/hls/nobody/playlist.m3u8"])
            Assert.Equal((HttpStatusCode.Unauthorized, path), ((await stranger.GetAsync(path)).StatusCode, path));
        Assert.Equal(HttpStatusCode.Unauthorized, (await stranger.PostAsJsonAsync("api/stream/playback/create-session", new { camera_id = "one", user_id = "u" })).StatusCode);
        foreach (string path in (string[])["favicon.ico", "no/such/route"])
            Assert.Equal((HttpStatusCode.NotFound, "application/problem+json"), await AnswerAsync(stranger, path));
        foreach (string path in (string[])["", "healthz", "readyz", "web/app.js", "web/hls.min.js"])
            Assert.Equal((HttpStatusCode.OK, path), ((await stranger.GetAsync(path)).StatusCode, path));

        (string token, string viewUrl) = await node.TokenAsync("one");
        Assert.Equal(HttpStatusCode.OK, (await stranger.GetAsync(viewUrl)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await stranger.GetAsync($"live/{token}/two/index.m3u8")).StatusCode);
        using HttpClient viewer = await node.ClientAsync("viewer", "one");
        Assert.Equal(HttpStatusCode.Forbidden, (await viewer.PostAsJsonAsync("api/stream/playback/create-session", new { camera_id = "two", user_id = "u" })).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await viewer.GetAsync("api/stream/analytics/stats?camera_id=two")).StatusCode);
        foreach (string path in (string[])["api/events", "api/events/stream"])
            Assert.Equal((HttpStatusCode.Forbidden, path), ((await viewer.GetAsync(path)).StatusCode, path));
        JsonNode cameras = (await viewer.GetFromJsonAsync<JsonNode>("api/stream/cameras"))!;
        Assert.Equal(["one"], cameras["cameras"]!.AsArray().Select(c => (string?)c!["camera_id"]));

        JsonNode session = (await (await viewer.PostAsJsonAsync("api/stream/playback/create-session", new { camera_id = "one", user_id = "u" })).Content.ReadFromJsonAsync<JsonNode>())!;
        Assert.Equal(HttpStatusCode.OK, (await stranger.GetAsync((string?)session["view_url"])).StatusCode);
        using HttpClient other = await node.ClientAsync("viewer", "one");
        Assert.Empty((await other.GetFromJsonAsync<JsonNode>("api/stream/playback/sessions"))!["sessions"]!.AsArray());
        Assert.Equal(HttpStatusCode.NotFound, (await other.DeleteAsync($"api/stream/playback/{session["session_id"]}")).StatusCode);
        Assert.Single((await viewer.GetFromJsonAsync<JsonNode>("api/stream/playback/sessions"))!["sessions"]!.AsArray());
        Assert.Equal(HttpStatusCode.OK, (await viewer.DeleteAsync($"api/stream/playback/{session["session_id"]}")).StatusCode);
        Assert.Equal(HttpStatusCode.Gone, (await stranger.GetAsync((string?)session["view_url"])).StatusCode);
        Assert.DoesNotContain(token, node.Process.Output, StringComparison.Ordinal);
    }

    private static async Task<(HttpStatusCode, string?)> AnswerAsync(HttpClient client, string path)
    {
        using HttpResponseMessage answer = await client.GetAsync(path);
        return (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType);
    }

    private static async Task<JsonNode> PayloadAsync(RunningProcess witness, string topic, Func<JsonNode, bool> condition) =>
        Mosquitto.Payload(await witness.LineAsync(l => l.StartsWith($"{Root}{topic} ", StringComparison.Ordinal) && condition(Mosquitto.Payload(l))));
}
