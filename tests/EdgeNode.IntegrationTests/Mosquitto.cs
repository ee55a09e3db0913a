using System.Text.Json.Nodes;

namespace EdgeNode.IntegrationTests;

/// <summary>A real broker, and mosquitto_sub as the witness of what reached it.</summary>
internal sealed class Mosquitto : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("edgenode-broker").FullName;
    private RunningProcess? _broker;

    public int Port { get; } = RunningProcess.FreePort();

    public async Task StartAsync()
    {
        string file = Path.Combine(_folder, "mosquitto.conf");
        await File.WriteAllTextAsync(file, $"listener {Port} 127.0.0.1\nallow_anonymous true\npersistence false\n");
        _broker = new RunningProcess("/usr/sbin/mosquitto", "-c", file);
        await _broker.LineAsync(line => line.Contains("running", StringComparison.Ordinal));
    }

    public void Stop()
    {
        _broker?.Dispose();
        _broker = null;
    }

    /// <summary>Subscribes; each line is <c>TOPIC PAYLOAD</c>.</summary>
    public RunningProcess Subscribe(string filter = "#") => new("mosquitto_sub", "-h", "127.0.0.1", "-p", Port.ToString(), "-v", "-q", "1", "-t", filter);

    /// <summary>The payload of a line of <see cref="Subscribe"/> as JSON.</summary>
    public static JsonNode Payload(string line) => JsonNode.Parse(line[(line.IndexOf(' ') + 1)..])!;

    public void Dispose()
    {
        Stop();
        Directory.Delete(_folder, recursive: true);
    }
}
