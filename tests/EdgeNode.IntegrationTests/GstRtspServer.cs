namespace EdgeNode.IntegrationTests;

/// <summary>GStreamer's RTSP server, as a camera that serves a film.</summary>
internal sealed class GstRtspServer : IDisposable
{
    private readonly string[] _arguments;
    private RunningProcess? _server;

    public GstRtspServer(params string[] arguments)
    {
        _arguments = arguments;
        Port = RunningProcess.FreePort();
    }

    public int Port { get; }

    public async Task StartAsync()
    {
        string script = Path.Combine(Given.Repository, "tests", "EdgeNode.IntegrationTests", "Rtsp", "gst_rtsp_server.py");
        _server = new RunningProcess("/usr/bin/python3", [script, "--port", Port.ToString(), .. _arguments]);
        await _server.LineAsync(line => line.StartsWith("ready", StringComparison.Ordinal));
    }

    public void Signal(string name) => _server!.Signal(name);

    public void Stop()
    {
        _server?.Dispose();
        _server = null;
    }

    public void Dispose() => Stop();
}
