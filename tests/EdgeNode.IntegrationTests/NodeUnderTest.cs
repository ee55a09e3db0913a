using System.Net.Http.Headers;

namespace EdgeNode.IntegrationTests;

/// <summary>The published binary, run with a configuration and a state folder of its own.</summary>
internal sealed class NodeUnderTest : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("edgenode-node").FullName;
    private RunningProcess? _process;

    public NodeUnderTest(string cameras, string? mqtt = null, int? httpPort = null, string extra = "")
    {
        Port = httpPort ?? RunningProcess.FreePort();
        HttpsPort = RunningProcess.FreePort();
        ConfigFile = Path.Combine(_folder, "edgenode.yaml");
        File.WriteAllText(ConfigFile, $$"""
            node: { site: test, id: node-1, state: {{_folder}}/state, base_url: "http://127.0.0.1:{{Port}}" }
            http: { listen: "127.0.0.1:{{Port}}", https: "127.0.0.1:{{HttpsPort}}" }
            models: { folder: {{Given.Models}} }
            {{(mqtt is null ? "" : $"mqtt: {{ broker: \"{mqtt}\" }}")}}
            {{extra}}
            cameras:
            {{cameras}}
            """);
    }

    public int Port { get; }

    public int HttpsPort { get; }

    public string ConfigFile { get; }

    public string State => Path.Combine(_folder, "state");

    public RunningProcess Process => _process ?? throw new InvalidOperationException("The node was not started.");

    public async Task StartAsync()
    {
        _process = new RunningProcess(Given.Binary, "run", "--config", ConfigFile);
        using var http = new HttpClient();
        using var limit = new CancellationTokenSource(RunningProcess.Patience);
        while (true)
        {
            try
            {
                (await http.GetAsync($"http://127.0.0.1:{Port}/healthz", limit.Token)).EnsureSuccessStatusCode();
                return;
            }
            catch (HttpRequestException) when (!_process.HasExited)
            {
                await Task.Delay(50, limit.Token);
            }
            catch (Exception fault)
            {
                throw new InvalidOperationException($"The node did not come up: {fault.Message}\n{_process.Output}");
            }
        }
    }

    /// <summary>Token and view URL of a camera, minted on the command line.</summary>
    public async Task<(string Token, string ViewUrl)> TokenAsync(string camera, string role = "viewer")
    {
        (int exitCode, string output, _) = await RunningProcess.RunAsync(Given.Binary, "token", "--camera", camera, "--role", role, "--config", ConfigFile);
        Assert.True(exitCode == 0, output);
        string Value(string name) => output.Split('\n').First(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..].Trim();
        return (Value("token:"), Value("view:"));
    }

    public async Task<HttpClient> ClientAsync(string role = "admin", string camera = "*")
    {
        var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{Port}/") };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (await TokenAsync(camera, role)).Token);
        return client;
    }

    public Task<(int ExitCode, string Output, string Errors)> CommandAsync(params IEnumerable<string> arguments) =>
        RunningProcess.RunAsync(Given.Binary, [.. arguments, "--config", ConfigFile]);

    public void Dispose()
    {
        _process?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
