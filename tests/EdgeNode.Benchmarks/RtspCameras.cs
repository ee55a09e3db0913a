using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace EdgeNode.Benchmarks;

/// <summary>A clip served in a loop as so many cameras by GStreamer's RTSP server.</summary>
internal sealed class RtspCameras : IDisposable
{
    private readonly MeasuredProcess _server;
    private readonly int _port;

    private RtspCameras(MeasuredProcess server, int port)
    {
        _server = server;
        _port = port;
    }

    public static async Task<RtspCameras> StartAsync(BenchmarkSettings settings, string folder, int count)
    {
        int port = FreePort();
        // Debian's Python has the bindings of GStreamer; another one in the PATH has not.
        MeasuredProcess server = new(Path.Combine(folder, "rtsp.log"), "/usr/bin/python3", settings.RtspServer,
            "--port", Text(port), "--count", Text(count), "--file", settings.Clip);
        await Wait.UntilAsync($"the RTSP server to listen ({settings.RtspServer})", server, () => Task.FromResult(Listens(port)));
        return new(server, port);
    }

    /// <summary>URL of a camera, counted from 0.</summary>
    public string Url(int camera) => $"rtsp://127.0.0.1:{_port}/cam{camera}";

    public void Dispose() => _server.Dispose();

    /// <summary>A TCP port of loopback that nobody listens on.</summary>
    public static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static bool Listens(int port)
    {
        try
        {
            using TcpClient client = new("127.0.0.1", port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
