using System.Net;
using System.Text.Json;
using EdgeNode.Access;

namespace EdgeNode.Tests.Http;

public sealed class OpenApiTests : IAsyncLifetime
{
    private static readonly string[] OpenToAll = ["/", "/healthz", "/readyz"];
    private NodeServer _node = null!;

    public async Task InitializeAsync() => _node = await NodeServer.StartAsync();

    public async Task DisposeAsync() => await _node.DisposeAsync();

    [Fact]
    public async Task Without_a_token_every_route_but_three_is_refused()
    {
        using HttpClient stranger = _node.Client(null);
        foreach ((string path, HttpMethod method, _) in await RoutesAsync())
        {
            using HttpResponseMessage answer = await SendAsync(stranger, method, Fill(path, "x", NodeServer.FileCamera));
            if (OpenToAll.Contains(path))
                Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            else
                await answer.ProblemAsync(HttpStatusCode.Unauthorized);
        }
    }

    [Fact]
    public async Task A_viewer_of_another_camera_gets_nothing_of_this_one()
    {
        string token = _node.Token(Role.Viewer, "other");
        using HttpClient viewer = _node.Client(Role.Viewer, "other");
        int named = 0;
        foreach ((string path, HttpMethod method, JsonElement operation) in await RoutesAsync())
        {
            bool namesCamera = operation.GetProperty("parameters").EnumerateArray().Any(p => p.GetProperty("name").GetString() == "camera_id");
            string target = Fill(path, token, NodeServer.FileCamera);
            using HttpResponseMessage answer = await SendAsync(viewer, method, namesCamera && !path.Contains("camera_id") ? $"{target}?camera_id={NodeServer.FileCamera}" : target);
            string body = await answer.Content.ReadAsStringAsync();
            Assert.DoesNotContain($"\"{NodeServer.FileCamera}\"", body);
            if (!namesCamera)
                continue;
            named++;
            Assert.Contains(answer.StatusCode, new[] { HttpStatusCode.Forbidden, HttpStatusCode.NotFound });
        }

        Assert.True(named >= 5, $"only {named} routes name a camera");
    }

    [Fact]
    public async Task A_viewer_may_only_look()
    {
        using HttpClient viewer = _node.Client(Role.Viewer);
        foreach ((string path, HttpMethod method, JsonElement operation) in await RoutesAsync())
        {
            if (!operation.TryGetProperty("x-role", out JsonElement role) || role.GetString() == "viewer")
                continue;
            using HttpResponseMessage answer = await SendAsync(viewer, method, Fill(path, "x", NodeServer.FileCamera));
            Assert.Contains(role.GetString()!, await answer.ProblemAsync(HttpStatusCode.Forbidden));
        }
    }

    [Fact]
    public async Task Every_reference_leads_somewhere_and_every_operation_has_a_name_of_its_own()
    {
        using HttpClient admin = _node.Client(Role.Admin);
        JsonElement document = await (await admin.GetAsync("openapi.json")).JsonAsync();
        Assert.Equal("3.1.0", document.GetProperty("openapi").GetString());
        foreach (string reference in References(document))
        {
            JsonElement at = document;
            foreach (string step in reference.TrimStart('#', '/').Split('/'))
                Assert.True(at.TryGetProperty(step, out at), reference);
        }

        string[] ids = [.. (await RoutesAsync()).Select(r => r.Operation.GetProperty("operationId").GetString()!)];
        Assert.Equal(ids.Length, ids.Distinct().Count());
        JsonElement add = document.GetProperty("components").GetProperty("schemas").GetProperty("AddCameraRequest");
        Assert.Equal(["camera_id", "rtsp_url"], add.GetProperty("required").EnumerateArray().Select(e => e.GetString()).Order());
    }

    private static IEnumerable<string> References(JsonElement node) => node.ValueKind switch
    {
        JsonValueKind.Object => node.EnumerateObject().SelectMany(p => p.Name == "$ref" ? [p.Value.GetString()!] : References(p.Value)),
        JsonValueKind.Array => node.EnumerateArray().SelectMany(References),
        _ => [],
    };

    private async Task<List<(string Path, HttpMethod Method, JsonElement Operation)>> RoutesAsync()
    {
        using HttpClient admin = _node.Client(Role.Admin);
        JsonElement document = await (await admin.GetAsync("openapi.json")).JsonAsync();
        return [.. document.GetProperty("paths").EnumerateObject().SelectMany(path => path.Value.EnumerateObject()
            .Select(operation => (path.Name, HttpMethod.Parse(operation.Name), operation.Value)))];
    }

    private static string Fill(string path, string token, string camera) => path
        .Replace("{jwt}", token).Replace("{camera_id}", camera).Replace("{file}", "index.m3u8").Replace("{session_id}", "none")
        .Replace("{event_id}", "none").Replace("{id}", Guid.Empty.ToString()).Replace("{photo}", Guid.Empty.ToString());

    private static Task<HttpResponseMessage> SendAsync(HttpClient client, HttpMethod method, string path) =>
        client.SendAsync(new HttpRequestMessage(method, path.TrimStart('/')), HttpCompletionOption.ResponseHeadersRead).ContinueWith(
            async sent =>
            {
                HttpResponseMessage answer = await sent;
                // A stream of events never ends by itself.
                if (answer.Content.Headers.ContentType?.MediaType == "text/event-stream")
                    answer.Content = new StringContent("");
                return answer;
            }).Unwrap();
}
