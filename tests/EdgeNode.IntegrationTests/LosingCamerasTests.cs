using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace EdgeNode.IntegrationTests;

/// <summary>Cameras that go away, over and over: the others do not notice, and nothing is left over.</summary>
[Trait("Category", "Repeated")]
public sealed class LosingCamerasTests
{
    private static readonly string Film = Path.Combine(Given.Films, "demo.mp4");

    [Fact]
    public async Task One_of_16_cameras_is_killed_again_and_again_and_the_others_lose_no_packet()
    {
        using var steady = new GstRtspServer("--path", "/cam", "--count", "15", "--file", Film);
        using var victim = new GstRtspServer("--path", "/victim", "--file", Film);
        using var node = new NodeUnderTest(string.Join('\n', Enumerable.Range(0, 15).Select(i => Camera($"cam{i}", steady.Port, $"cam{i}")).Append(Camera("victim", victim.Port, "victim"))));
        await steady.StartAsync();
        await victim.StartAsync();
        await node.StartAsync();
        using HttpClient admin = await node.ClientAsync();
        await UntilAsync(admin, node, all => all.All(IsStreaming));
        for (int kill = 1; kill <= Soak.Times(10, 100); kill++)
        {
            victim.Stop();
            await UntilAsync(admin, node, all => !IsStreaming(all[^1]));
            await victim.StartAsync();
            await UntilAsync(admin, node, all => IsStreaming(all[^1]) && (long)all[^1]["connections"]! > kill);
        }

        JsonNode[] steadyOnes = (await HealthAsync(admin))[..15];
        Assert.All(steadyOnes, camera => Assert.Equal((1L, 0L, true), ((long)camera["connections"]!, (long)camera["lost_packets"]!, IsStreaming(camera))));
    }

    [Fact]
    public async Task Dead_silent_and_flapping_cameras_leave_nothing_behind()
    {
        int each = Soak.Times(3, 20);
        using var server = new GstRtspServer("--path", "/cam", "--file", Film);
        using var silent = new TcpListener(System.Net.IPAddress.Loopback, 0);
        using var flapping = new TamperingProxy(server.Port) { CloseAfter = 20 };
        silent.Start(1024);
        int deadPort = RunningProcess.FreePort(), silentPort = ((System.Net.IPEndPoint)silent.LocalEndpoint).Port;
        using var node = new NodeUnderTest(string.Join('\n', Enumerable.Range(0, each).SelectMany(i =>
            (string[])[Camera($"dead{i}", deadPort, "cam"), Camera($"silent{i}", silentPort, "cam"), Camera($"flapping{i}", flapping.Port, "cam")])));
        await server.StartAsync();
        await node.StartAsync();
        using HttpClient admin = await node.ClientAsync();

        int tries = Soak.Times(120, 5000);
        await UntilAsync(admin, node, all => Tries(all) >= tries / 3);
        (long memory, int threads, int handles) = Residue(node.Process.Id);
        await UntilAsync(admin, node, all => Tries(all) >= tries);
        (long memoryAfter, int threadsAfter, int handlesAfter) = Residue(node.Process.Id);
        string said = $"{memory >> 10} → {memoryAfter >> 10} KB, {threads} → {threadsAfter} threads, {handles} → {handlesAfter} handles after {tries} tries";
        // A connection that is just being made holds a socket; the pool of threads comes and goes.
        Assert.True(threadsAfter <= threads + 6 && handlesAfter <= handles + 2 * each + 8 && memoryAfter <= memory + (12 << 20), said);
    }

    private static string Camera(string id, int port, string path) => $"  - {{ id: {id}, url: \"rtsp://127.0.0.1:{port}/{path}\", analytics: {{ enabled: false }} }}";

    private static bool IsStreaming(JsonNode camera) => (string?)camera["state"] == "streaming";

    private static long Tries(JsonNode[] cameras) => cameras.Sum(camera => (long)camera["tries"]!);

    private static async Task<JsonNode[]> HealthAsync(HttpClient admin) =>
        [.. (await admin.GetFromJsonAsync<JsonNode>("api/stream/health"))!["cameras"]!.AsArray().Select(camera => camera!)];

    private static async Task UntilAsync(HttpClient admin, NodeUnderTest node, Func<JsonNode[], bool> condition)
    {
        using var limit = new CancellationTokenSource(Soak.Patience);
        JsonNode[] cameras = [];
        while (!limit.IsCancellationRequested)
        {
            cameras = await HealthAsync(admin);
            if (condition(cameras))
                return;
            await Task.Delay(100, CancellationToken.None);
        }

        throw new TimeoutException($"The cameras never came to that: {string.Join('\n', cameras.Select(camera => camera.ToJsonString()))}\n{node.Process.Output}");
    }

    private static (long Memory, int Threads, int Handles) Residue(int process)
    {
        string[] status = File.ReadAllLines($"/proc/{process}/status");
        long Value(string name) => long.Parse(status.First(line => line.StartsWith(name, StringComparison.Ordinal)).Split(':')[1].Replace("kB", "", StringComparison.Ordinal).Trim());
        return (Value("VmRSS") << 10, (int)Value("Threads"), Directory.GetFiles($"/proc/{process}/fd").Length);
    }
}
