using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace EdgeNode.Benchmarks;

/// <summary>One edgenode that takes cameras in and analyses nothing.</summary>
internal sealed partial class EdgeNodeRun : IDisposable
{
    private readonly string _configuration;
    private readonly string _binary;

    private EdgeNodeRun(MeasuredProcess process, Uri address, string binary, string configuration)
    {
        Process = process;
        Address = address;
        _binary = binary;
        _configuration = configuration;
    }

    public MeasuredProcess Process { get; }

    public Uri Address { get; }

    /// <summary>Starts it with cameras 0 to <paramref name="count"/> - 1, each with these <paramref name="options"/> (YAML).</summary>
    public static async Task<EdgeNodeRun> StartAsync(BenchmarkSettings settings, RtspCameras cameras, int count, string folder, string options = "")
    {
        int port = RtspCameras.FreePort();
        Uri address = new($"http://127.0.0.1:{port}/");
        string configuration = Path.Combine(folder, "edgenode.yaml");
        await File.WriteAllTextAsync(configuration, Configuration(port, cameras, count, folder, options));
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
            return new(node, address, settings.Binary, configuration);
        }
        catch
        {
            node.Dispose();
            throw;
        }
    }

    /// <summary>A token that shows every camera.</summary>
    public async Task<string> TokenAsync()
    {
        (string printed, _) = await MeasuredProcess.RunAsync(_binary, "token", "--camera", "*", "--config", _configuration);
        return Jwt().Match(printed) is { Success: true } found ? found.Value : throw new BenchmarkException($"'edgenode token' printed no token but: {printed}");
    }

    public void Dispose() => Process.Dispose();

    private static string Configuration(int port, RtspCameras cameras, int count, string folder, string options)
    {
        StringBuilder yaml = new();
        yaml.Append(CultureInfo.InvariantCulture, $$"""
            node: { site: bench, id: bench, state: "{{Path.Combine(folder, "state")}}" }
            http: { listen: "127.0.0.1:{{port}}" }
            cameras:{{(count == 0 ? " []" : "")}}

            """);
        for (int camera = 0; camera < count; camera++)
            yaml.Append(CultureInfo.InvariantCulture, $"  - {{ id: cam{camera}, url: \"{cameras.Url(camera)}\", {options} analytics: {{ enabled: false }} }}\n");
        return yaml.ToString();
    }

    [GeneratedRegex(@"eyJ[\w-]+\.[\w-]+\.[\w-]+")]
    private static partial Regex Jwt();
}
