using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace EdgeNode.IntegrationTests;

/// <summary>The one front door of the published binary: what is changed through it lasts, and what is changed beside it is taken up.</summary>
public sealed class FrontDoorTests
{
    private static readonly string Film = $"file:{Given.Films}/demo.mp4";

    [Fact]
    public async Task It_speaks_TLS_and_HTTP_2_with_a_certificate_of_its_own()
    {
        using var node = new NodeUnderTest($"  - {{ id: film, url: \"{Film}\", analytics: {{ enabled: false }} }}");
        await node.StartAsync();
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, certificate, _, _) => certificate!.Subject.Contains("node-1", StringComparison.Ordinal) };
        using var client = new HttpClient(handler) { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        string viewUrl = (await node.TokenAsync("film")).ViewUrl.Replace($"http://127.0.0.1:{node.Port}", $"https://127.0.0.1:{node.HttpsPort}", StringComparison.Ordinal);
        var playlist = new LivePlaylist(client, viewUrl);
        await playlist.UntilAsync(p => p.LastSegment >= 1);
    }

    [Fact]
    public async Task A_camera_and_a_token_of_the_API_outlive_a_restart_and_are_gone_once_removed()
    {
        using var camera = new GstRtspServer("--path", "/cam", "--file", Path.Combine(Given.Films, "demo.mp4"), "--user", "cam", "--password", "p@ss:w/rd#1");
        using var node = new NodeUnderTest($"  - {{ id: film, url: \"{Film}\", analytics: {{ enabled: false }} }}");
        await camera.StartAsync();
        await node.StartAsync();
        using HttpClient admin = await node.ClientAsync();
        var wanted = new { camera_id = "added", rtsp_url = $"rtsp://cam:wrong@127.0.0.1:{camera.Port}/cam", name = "Added", enable_analytics = false };
        Assert.True((await admin.PostAsJsonAsync("api/stream/cameras/add", wanted)).IsSuccessStatusCode);
        await CameraAsync(admin, "added", c => (string?)c["state"] == "failed");
        var mended = new { rtsp_url = $"rtsp://127.0.0.1:{camera.Port}/cam", username = "cam", password = "p@ss:w/rd#1" };
        using HttpResponseMessage changed = await admin.PutAsJsonAsync("api/stream/cameras/added", mended);
        Assert.True(changed.IsSuccessStatusCode, await changed.Content.ReadAsStringAsync());
        await CameraAsync(admin, "added", c => (string?)c["state"] == "streaming");
        Assert.Equal(HttpStatusCode.Conflict, (await admin.DeleteAsync("api/stream/cameras/film")).StatusCode);

        using HttpResponseMessage issued = await admin.PostAsJsonAsync("api/tokens", new { name = "prometheus", role = "viewer" });
        JsonNode token = (await issued.Content.ReadFromJsonAsync<JsonNode>())!;
        Assert.True(issued.IsSuccessStatusCode, token.ToJsonString());
        using var prometheus = new HttpClient { BaseAddress = admin.BaseAddress };
        prometheus.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (string?)token["token"]);
        Assert.Contains("edgenode_camera_lost_packets_total{camera=\"added\"} 0", await prometheus.GetStringAsync("metrics"), StringComparison.Ordinal);

        await node.Process.TerminateAsync();
        await node.StartAsync();
        await CameraAsync(admin, "added", c => (string?)c["state"] == "streaming");
        Assert.Equal(HttpStatusCode.OK, (await prometheus.GetAsync("metrics")).StatusCode);
        JsonNode kept = (await admin.GetFromJsonAsync<JsonNode>("api/tokens"))!["tokens"]!.AsArray().Single(t => (string?)t!["name"] == "prometheus")!;
        Assert.True((await admin.DeleteAsync($"api/tokens/{kept["id"]}")).IsSuccessStatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await prometheus.GetAsync("metrics")).StatusCode);
        Assert.True((await admin.DeleteAsync("api/stream/cameras/added")).IsSuccessStatusCode);
        JsonNode audit = (await admin.GetFromJsonAsync<JsonNode>("api/audit"))!;
        Assert.Contains(audit["entries"]!.AsArray(), e => (string?)e!["object"] == "camera:added");

        await node.Process.TerminateAsync();
        await node.StartAsync();
        JsonNode cameras = (await admin.GetFromJsonAsync<JsonNode>("api/stream/cameras"))!;
        Assert.Equal(["film"], cameras["cameras"]!.AsArray().Select(c => (string?)c!["camera_id"]));
    }

    [Fact]
    public async Task SIGHUP_takes_up_what_changed_and_leaves_other_cameras_alone()
    {
        string Camera(string id) => $"  - {{ id: {id}, url: \"{Film}\", analytics: {{ enabled: false }} }}\n";
        using var node = new NodeUnderTest(Camera("one") + Camera("two"));
        await node.StartAsync();
        using HttpClient admin = await node.ClientAsync();
        string good = await File.ReadAllTextAsync(node.ConfigFile);
        string since = (string)(await CameraAsync(admin, "one", c => (string?)c["state"] == "streaming"))["since"]!;

        await File.WriteAllTextAsync(node.ConfigFile, good + "nonsense: true\n");
        node.Process.Signal("HUP");
        await node.Process.LineAsync(l => l.Contains("nonsense", StringComparison.Ordinal));
        await File.WriteAllTextAsync(node.ConfigFile, good.Replace(Camera("two").TrimEnd(), Camera("three").TrimEnd(), StringComparison.Ordinal));
        node.Process.Signal("HUP");
        await CameraAsync(admin, "three", c => (string?)c["state"] == "streaming");
        JsonNode[] cameras = [.. (await admin.GetFromJsonAsync<JsonNode>("api/stream/cameras"))!["cameras"]!.AsArray().Select(c => c!)];
        Assert.Equal(["one", "three"], cameras.Select(c => (string?)c["camera_id"]));
        Assert.Equal(since, (string?)cameras[0]["since"]);
    }

    private static async Task<JsonNode> CameraAsync(HttpClient admin, string id, Func<JsonNode, bool> condition)
    {
        using var limit = new CancellationTokenSource(RunningProcess.Patience);
        while (true)
        {
            JsonNode list = (await admin.GetFromJsonAsync<JsonNode>("api/stream/cameras", limit.Token))!;
            if (list["cameras"]!.AsArray().FirstOrDefault(c => (string?)c!["camera_id"] == id) is JsonNode camera && condition(camera))
                return camera;
            await Task.Delay(100, limit.Token);
        }
    }
}
