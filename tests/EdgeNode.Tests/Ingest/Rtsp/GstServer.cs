using System.Diagnostics;

namespace EdgeNode.Tests.Ingest.Rtsp;

/// <summary>GStreamer's RTSP server with a live test pattern, for as long as a test runs.</summary>
internal sealed class GstServer : IDisposable
{
    private const string Python = "/usr/bin/python3";
    private const string Probe = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer, Gst; Gst.init(None); assert Gst.ElementFactory.find('x264enc')";

    private readonly Process _process;

    private GstServer(Process process, string address)
    {
        _process = process;
        Address = address;
    }

    /// <summary>Host and port.</summary>
    public string Address { get; }

    /// <summary>Starts it with these arguments, or skips the test where it is not installed.</summary>
    public static GstServer StartOrSkip(params string[] arguments)
    {
        Skip.IfNot(IsInstalled(), "gst-rtsp-server with python3-gi is not installed.");
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "EdgeNode.sln")))
            folder = Path.GetDirectoryName(folder)!;
        string script = Path.Combine(folder, "tests", "EdgeNode.IntegrationTests", "Rtsp", "gst_rtsp_server.py");
        Process process = Process.Start(new ProcessStartInfo(Python, [script, .. arguments, "--with-parent"]) { RedirectStandardOutput = true, RedirectStandardInput = true })!;
        string ready = process.StandardOutput.ReadLine() ?? "";
        Assert.StartsWith("ready ", ready);
        return new GstServer(process, $"127.0.0.1:{ready.Split(' ')[1]}");
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }

    private static bool IsInstalled()
    {
        if (!File.Exists(Python))
            return false;
        using var probe = Process.Start(new ProcessStartInfo(Python, ["-c", Probe]) { RedirectStandardError = true })!;
        probe.StandardError.ReadToEnd();
        probe.WaitForExit();
        return probe.ExitCode == 0;
    }
}
