using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace EdgeNode.Benchmarks;

/// <summary>One edgenode for all cameras, with a viewer on each: without one it packages nothing.</summary>
internal sealed partial class EdgeNodePackaging : IPackaging
{
    private readonly MeasuredProcess _node;
    private readonly Viewer[] _viewers;

    private EdgeNodePackaging(MeasuredProcess node, Viewer[] viewers)
    {
        _node = node;
        _viewers = viewers;
    }

    public IReadOnlyCollection<MeasuredProcess> Processes => [_node];

    public static async Task<IPackaging> StartAsync(BenchmarkSettings settings, RtspCameras cameras, int count, string folder)
    {
        int port = RtspCameras.FreePort();
        Uri address = new($"http://127.0.0.1:{port}/");
        string configuration = Path.Combine(folder, "edgenode.yaml");
        await File.WriteAllTextAsync(configuration, Configuration(port, cameras, count, folder));

        List<Viewer> viewers = [];
        MeasuredProcess node = new(Path.Combine(folder, "edgenode.log"), settings.Binary, "run", "--config", configuration);
        try
        {
            using HttpClient client = new() { BaseAddress = address };
            await Wait.UntilAsync("edgenode to answer /healthz", node, async () =>
            {
                try
                {
                    using HttpResponseMessage response = await client.GetAsync("healthz");
                    return response.IsSuccessStatusCode;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            });
            (string printed, _) = await MeasuredProcess.RunAsync(settings.Binary, "token", "--camera", "*", "--config", configuration);
            string token = Jwt().Match(printed) is { Success: true } found ? found.Value : throw new BenchmarkException($"'edgenode token' printed no token but: {printed}");
            for (int camera = 0; camera < count; camera++)
                viewers.Add(new(new(address, $"live/{token}/cam{camera}/index.m3u8")));
            foreach (Viewer viewer in viewers)
                await Wait.UntilAsync("edgenode's first segment", node, () => Task.FromResult(viewer.HasSegment));
            return new EdgeNodePackaging(node, [.. viewers]);
        }
        catch
        {
            viewers.ForEach(viewer => viewer.Dispose());
            node.Dispose();
            throw;
        }
    }

    public Task<string[]> ProgressAsync() => Task.FromResult<string[]>([.. _viewers.Select(viewer => viewer.Playlist)]);

    public void Dispose()
    {
        foreach (Viewer viewer in _viewers)
            viewer.Dispose();
        _node.Dispose();
    }

    private static string Configuration(int port, RtspCameras cameras, int count, string folder)
    {
        StringBuilder yaml = new();
        yaml.Append(CultureInfo.InvariantCulture, $$"""
            node: { site: bench, id: bench, state: "{{Path.Combine(folder, "state")}}" }
            http: { listen: "127.0.0.1:{{port}}" }
            cameras:

            """);
        for (int camera = 0; camera < count; camera++)
            yaml.Append(CultureInfo.InvariantCulture, $"  - {{ id: cam{camera}, url: \"{cameras.Url(camera)}\", analytics: {{ enabled: false }} }}\n");
        return yaml.ToString();
    }

    [GeneratedRegex(@"eyJ[\w-]+\.[\w-]+\.[\w-]+")]
    private static partial Regex Jwt();
}
