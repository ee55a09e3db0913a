using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace EdgeNode.Tests.Telemetry;

/// <summary>The real broker in a process of its own, on a loopback port, without persistence: a restart forgets everything.</summary>
internal sealed class Mosquitto : IDisposable
{
    private const string Binary = "/usr/sbin/mosquitto";

    private readonly string _folder = Directory.CreateTempSubdirectory("edgenode-mosquitto-").FullName;
    private Process? _process;

    internal Mosquitto(string extraConfiguration = "", bool allowAnonymous = true)
    {
        Skip.IfNot(File.Exists(Binary), $"{Binary} is not installed");
        File.WriteAllText(Path.Combine(_folder, "mosquitto.conf"), $"""
            listener {Port} 127.0.0.1
            allow_anonymous {(allowAnonymous ? "true" : "false")}
            persistence false
            {extraConfiguration}

            """);
    }

    internal int Port { get; } = FreePort();

    internal string Folder => _folder;

    public void Dispose()
    {
        Stop();
        Directory.Delete(_folder, recursive: true);
    }

    internal async Task<Mosquitto> StartAsync()
    {
        var start = new ProcessStartInfo(Binary, ["-c", Path.Combine(_folder, "mosquitto.conf")]) { RedirectStandardError = true, RedirectStandardOutput = true };
        _process = Process.Start(start)!;
        // Unread pipes would block it in the end.
        _process.OutputDataReceived += (_, _) => { };
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await Eventually.TrueAsync(CanConnect, "mosquitto listens");
        return this;
    }

    internal void Stop()
    {
        if (_process is null)
            return;
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _process = null;
    }

    internal static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private bool CanConnect()
    {
        try
        {
            using var client = new TcpClient();
            client.Connect(IPAddress.Loopback, Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
