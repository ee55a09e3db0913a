using System.Formats.Tar;
using System.IO.Compression;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;

namespace EdgeNode.IntegrationTests;

/// <summary>Passwords that would be noticed wherever they came out: sought in every log, route, topic, error text, file and bundle.</summary>
public sealed class CanaryTests
{
    /// <summary>In the file's URLs and fields, in what the API adds, at the broker. Each has characters that somebody may encode.</summary>
    private static readonly string[] Canaries = ["canary-url-1", "canary/field#2", "canary@ffmpeg?3", "canary api&4", "canary:broker=5", "canary-http-6"];

    [Fact]
    public async Task A_password_comes_out_nowhere()
    {
        using var camera = new GstRtspServer("--path", "/cam", "--file", Path.Combine(Given.Films, "demo.mp4"), "--user", "cam", "--password", "another");
        using var broker = new Mosquitto();
        using var node = new NodeUnderTest(
            $$"""
              - { id: in-url, url: "rtsp://cam:{{Canaries[0]}}@127.0.0.1:{{camera.Port}}/cam" }
              - { id: in-fields, url: "rtsp://127.0.0.1:{{camera.Port}}/cam", username: cam, password: "{{Canaries[1]}}" }
              - { id: by-ffmpeg, url: "rtsp://127.0.0.1:{{camera.Port}}/cam", username: cam, password: "{{Canaries[2]}}", client: ffmpeg }
              - { id: by-http, url: "http://cam:{{Canaries[5]}}@127.0.0.1:{{RunningProcess.FreePort()}}/live.flv" }
            """,
            extra: $"mqtt: {{ broker: \"mqtt://127.0.0.1:{broker.Port}\", username: node, password: \"{Canaries[4]}\" }}");
        await camera.StartAsync();
        await broker.StartAsync();
        using RunningProcess witness = broker.Subscribe();
        await node.StartAsync();
        using HttpClient admin = await node.ClientAsync();
        var answers = new StringBuilder();

        using HttpResponseMessage added = await admin.PostAsJsonAsync("api/stream/cameras/add", new
        {
            camera_id = "by-api",
            rtsp_url = $"rtsp://cam:{Uri.EscapeDataString(Canaries[3])}@127.0.0.1:{camera.Port}/cam",
            name = "Added",
            enable_analytics = false,
        });
        answers.AppendLine(await added.Content.ReadAsStringAsync());
        Assert.True(added.IsSuccessStatusCode, answers.ToString());
        foreach (object bad in (object[])[new { camera_id = "by-api", rtsp_url = $"rtsp://cam:{Canaries[0]}@x/cam", name = "again" }, new { camera_id = "x y", rtsp_url = $"ftp://cam:{Canaries[0]}@x/cam", name = "" }])
            answers.AppendLine(await (await admin.PostAsJsonAsync("api/stream/cameras/add", bad)).Content.ReadAsStringAsync());
        answers.AppendLine(await (await admin.PostAsJsonAsync("api/stream/cameras/test", new { rtsp_url = $"rtsp://cam:{Canaries[0]}@127.0.0.1:{camera.Port}/cam" })).Content.ReadAsStringAsync());
        foreach (string id in (string[])["in-url", "in-fields", "by-ffmpeg", "by-http", "by-api"])
            await witness.LineAsync(l => l.Contains($"cameras/{id}/state", StringComparison.Ordinal) && l.Contains("\"reason\":\"", StringComparison.Ordinal));

        JsonNode api = (await admin.GetFromJsonAsync<JsonNode>("openapi.json"))!;
        int routes = 0;
        foreach ((string path, JsonNode? methods) in api["paths"]!.AsObject())
        {
            if (methods!["get"] is null || path.Contains("/stream", StringComparison.Ordinal) && path.StartsWith("/api/events", StringComparison.Ordinal))
                continue;
            string url = path.Replace("{camera_id}", "in-url", StringComparison.Ordinal).Replace("{camera}", "in-url", StringComparison.Ordinal);
            using HttpResponseMessage answer = await admin.GetAsync(url.TrimStart('/'));
            answers.AppendLine(path).AppendLine(Encoding.Latin1.GetString(await answer.Content.ReadAsByteArrayAsync()));
            routes++;
        }

        Assert.True(routes > 10, $"{routes} routes");
        string bundle = Path.Combine(node.State, "..", "bundle.tar.gz");
        (int bundled, string said, _) = await node.CommandAsync("support-bundle", bundle);
        Assert.True(bundled == 0, said);
        await node.Process.TerminateAsync();

        AssertClean("log", node.Process.Output);
        AssertClean("topics", witness.Output);
        AssertClean("routes", answers.ToString());
        AssertClean("support-bundle's output", said);
        await foreach ((string name, string content) in UnpackAsync(bundle))
            AssertClean($"support bundle, {name}", content);
        foreach (string file in Directory.EnumerateFiles(node.State, "*", SearchOption.AllDirectories))
            AssertClean($"state, {Path.GetFileName(file)}", Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file)));
    }

    private static void AssertClean(string where, string text)
    {
        foreach (string canary in Canaries)
        {
            foreach (string form in (string[])[canary, Uri.EscapeDataString(canary), Convert.ToBase64String(Encoding.UTF8.GetBytes(canary)), Convert.ToBase64String(Encoding.UTF8.GetBytes($"cam:{canary}"))])
                Assert.False(text.Contains(form, StringComparison.OrdinalIgnoreCase), $"'{form}' in the {where}");
        }
    }

    private static async IAsyncEnumerable<(string Name, string Content)> UnpackAsync(string file)
    {
        await using var packed = new GZipStream(File.OpenRead(file), CompressionMode.Decompress);
        await using var tar = new TarReader(packed);
        int files = 0;
        while (await tar.GetNextEntryAsync() is TarEntry entry)
        {
            using var content = new MemoryStream();
            if (entry.DataStream is not null)
                await entry.DataStream.CopyToAsync(content);
            files++;
            yield return (entry.Name, Encoding.Latin1.GetString(content.ToArray()));
        }

        Assert.True(files >= 3, $"{files} files in the bundle");
    }
}
