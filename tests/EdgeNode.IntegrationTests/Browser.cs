using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;

namespace EdgeNode.IntegrationTests;

/// <summary>Headless Chromium, driven by its DevTools protocol.</summary>
internal sealed class Browser : IDisposable
{
    public const string Program = "/usr/bin/chromium";

    private readonly string _profile = Directory.CreateTempSubdirectory("edgenode-browser").FullName;
    private readonly ClientWebSocket _socket = new();
    private RunningProcess? _process;
    private int _lastId;

    public async Task OpenAsync(string url)
    {
        _process = new RunningProcess(
            Program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--mute-audio", "--autoplay-policy=no-user-gesture-required", "--remote-debugging-port=0",
            "--window-size=1280,720", $"--user-data-dir={_profile}", "about:blank");
        string line = await _process.LineAsync(l => l.StartsWith("DevTools listening on ", StringComparison.Ordinal));
        var endpoint = new Uri(line["DevTools listening on ".Length..]);
        using var http = new HttpClient();
        string targets = await http.GetStringAsync($"http://{endpoint.Authority}/json/list");
        string target = JsonNode.Parse(targets)!.AsArray().First(t => (string?)t!["type"] == "page")!["webSocketDebuggerUrl"]!.GetValue<string>();
        await _socket.ConnectAsync(new Uri(target), CancellationToken.None);
        await SendAsync("Page.enable", []);
        await SendAsync("Page.navigate", new JsonObject { ["url"] = url });
    }

    /// <summary>The value of an expression in the page; promises are awaited.</summary>
    public async Task<JsonNode?> EvaluateAsync(string expression)
    {
        JsonNode answer = await SendAsync("Runtime.evaluate", new JsonObject { ["expression"] = expression, ["returnByValue"] = true, ["awaitPromise"] = true });
        return answer["result"]?["value"];
    }

    /// <summary>Waits until an expression in the page is true.</summary>
    public async Task UntilAsync(string condition)
    {
        using var limit = new CancellationTokenSource(RunningProcess.Patience);
        while ((await EvaluateAsync($"!!({condition})"))?.GetValue<bool>() != true)
        {
            if (limit.IsCancellationRequested)
                throw new TimeoutException($"Never true in the page: {condition}\n{await EvaluateAsync("document.body.innerText")}");
            await Task.Delay(100, CancellationToken.None);
        }
    }

    /// <summary>Cuts the page off from the network, or gives it back.</summary>
    public async Task SetOfflineAsync(bool offline)
    {
        await SendAsync("Network.enable", []);
        await SendAsync("Network.emulateNetworkConditions", new JsonObject { ["offline"] = offline, ["latency"] = 0, ["downloadThroughput"] = -1, ["uploadThroughput"] = -1 });
    }

    /// <summary>What the page looks like, as PNG.</summary>
    public async Task<byte[]> ScreenshotAsync() =>
        Convert.FromBase64String((await SendAsync("Page.captureScreenshot", []))["data"]!.GetValue<string>());

    public void Dispose()
    {
        _socket.Dispose();
        _process?.Dispose();
        Directory.Delete(_profile, recursive: true);
    }

    private async Task<JsonNode> SendAsync(string method, JsonObject parameters)
    {
        int id = ++_lastId;
        byte[] request = Encoding.UTF8.GetBytes(new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters }.ToJsonString());
        using var limit = new CancellationTokenSource(RunningProcess.Patience);
        await _socket.SendAsync(request, WebSocketMessageType.Text, true, limit.Token);
        var buffer = new byte[1 << 16];
        using var message = new MemoryStream();
        while (true)
        {
            message.SetLength(0);
            ValueWebSocketReceiveResult received;
            do
            {
                received = await _socket.ReceiveAsync(buffer.AsMemory(), limit.Token);
                message.Write(buffer, 0, received.Count);
            }
            while (!received.EndOfMessage);
            JsonNode answer = JsonNode.Parse(message.ToArray())!;
            if ((int?)answer["id"] == id)
                return answer["result"] ?? throw new InvalidOperationException($"{method}: {answer["error"]}");
        }
    }
}
