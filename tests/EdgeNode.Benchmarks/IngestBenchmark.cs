using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;

namespace EdgeNode.Benchmarks;

/// <summary>N cameras taken in by the node's own RTSP client, and by libavformat in the same node (<c>client: ffmpeg</c>), nobody watching.</summary>
internal static class IngestBenchmark
{
    private const double CpuGoal = 0.3;
    private static readonly int[] Cameras = [1, 16, 32];
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(5);

    public static async Task RunAsync(BenchmarkSettings settings)
    {
        Console.WriteLine($"""

            Taking in 1080p30 H.264 (4 Mbit/s, GOP 2 s) from RTSP over TCP, {settings.Window.TotalSeconds:0} s after {WarmUp.TotalSeconds:0} s of warm-up: one edgenode
            with its own client, against one with libavformat ('client: ffmpeg'). CPU in percent of one core; memory in MB, proportional (PSS),
            above that of a node without cameras, both a camera. The GOPs that are kept for viewers are in both.

            | cameras | CPU own | CPU libavformat | memory own | memory libavformat | CPU ratio | memory ratio |
            | ------: | ------: | --------------: | ---------: | -----------------: | --------: | -----------: |
            """);
        Usage idle = await MeasureAsync(settings, 0, "own");
        foreach (int cameras in Cameras)
        {
            Usage ours = await MeasureAsync(settings, cameras, "own");
            Usage theirs = await MeasureAsync(settings, cameras, "ffmpeg");
            double cpuOurs = (ours.Cores - idle.Cores) / cameras, cpuTheirs = (theirs.Cores - idle.Cores) / cameras;
            double memoryOurs = (double)(ours.Proportional - idle.Proportional) / cameras, memoryTheirs = (double)(theirs.Proportional - idle.Proportional) / cameras;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {cameras} | {cpuOurs:0.00 %} | {cpuTheirs:0.00 %} | {memoryOurs / 1e6:0.0} | {memoryTheirs / 1e6:0.0} | {(cameras == 1 ? (cpuOurs / cpuTheirs).ToString("0.000", CultureInfo.InvariantCulture) : Goal.Judge(cpuOurs / cpuTheirs, CpuGoal))} | {memoryOurs / memoryTheirs:0.000} |"));
        }
    }

    private static async Task<Usage> MeasureAsync(BenchmarkSettings settings, int cameras, string client)
    {
        string folder = Directory.CreateDirectory($"/dev/shm/edgenode-bench-{Environment.ProcessId}").FullName;
        try
        {
            using RtspCameras server = await RtspCameras.StartAsync(settings, folder, Math.Max(1, cameras));
            using EdgeNodeRun node = await EdgeNodeRun.StartAsync(settings, server, cameras, folder, $"client: {client},");
            using HttpClient api = new() { BaseAddress = node.Address };
            api.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await node.TokenAsync());
            await Wait.UntilAsync("every camera to stream", node.Process, async () => await StreamingAsync(api) == cameras);
            await Task.Delay(WarmUp);
            Usage usage = await Usage.MeasureAsync([node.Process], new(folder), settings.Window);
            return await StreamingAsync(api) == cameras ? usage : throw new BenchmarkException("A camera was lost within the window, so the numbers would say nothing.");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<int> StreamingAsync(HttpClient api) =>
        JsonNode.Parse(await api.GetStringAsync("api/stream/cameras"))!["cameras"]!.AsArray().Count(camera => (string?)camera!["state"] == "streaming");
}
