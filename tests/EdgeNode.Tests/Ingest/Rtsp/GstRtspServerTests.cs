using System.Diagnostics;
using EdgeNode.Configuration;
using EdgeNode.Ingest;
using EdgeNode.Ingest.Rtsp;

namespace EdgeNode.Tests.Ingest.Rtsp;

/// <summary>Against a real server: GStreamer's, with digest authentication.</summary>
public class GstRtspServerTests
{
    private const string Python = "/usr/bin/python3";

    [SkippableTheory]
    [InlineData(RtpTransport.Tcp)]
    [InlineData(RtpTransport.Udp)]
    public void A_real_server_streams_after_digest_login(RtpTransport transport)
    {
        Skip.IfNot(HasServer(), "gst-rtsp-server with python3-gi is not installed.");
        using Process server = Start("--user cam --password p@ss/w:1 --with-parent");
        try
        {
            string ready = server.StandardOutput.ReadLine() ?? "";
            Assert.StartsWith("ready ", ready);
            string address = $"127.0.0.1:{ready.Split(' ')[1]}";

            using (var wrong = new RtspSource(RtspUrl.Parse($"rtsp://cam:wrong@{address}/cam")))
                Assert.Equal(SourceTrouble.Unauthorized, Assert.Throws<SourceException>(wrong.Open).Trouble);
            using (var missing = new RtspSource(RtspUrl.Parse($"rtsp://{address}/nowhere", "cam", "p@ss/w:1")))
                Assert.Equal(SourceTrouble.NotFound, Assert.Throws<SourceException>(missing.Open).Trouble);

            using var source = new RtspSource(RtspUrl.Parse($"rtsp://cam:p@ss/w:1@{address}/cam"), new RtspSourceOptions { Transport = transport });
            source.Open();
            long last = long.MinValue;
            for (int picture = 0; picture < 75; picture++)
            {
                AccessUnit unit = source.Read()!;
                Assert.Equal((picture == 0, (640, 360)), (unit.StartsTimeline, (unit.Format.Width, unit.Format.Height)));
                Assert.True(unit.Dts > last && unit.Pts >= unit.Dts && !unit.IsDamaged);
                if (picture == 0)
                    Assert.True(unit.IsKey);
                last = unit.Dts;
                unit.Release();
            }

            Assert.Equal(0, source.LostPackets);
        }
        finally
        {
            server.StandardInput.Close();
            server.WaitForExit();
        }
    }

    private static bool HasServer()
    {
        if (!File.Exists(Python))
            return false;
        using var probe = Process.Start(new ProcessStartInfo(Python, ["-c", "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer, Gst; Gst.init(None); assert Gst.ElementFactory.find('x264enc')"]) { RedirectStandardError = true })!;
        probe.StandardError.ReadToEnd();
        probe.WaitForExit();
        return probe.ExitCode == 0;
    }

    private static Process Start(string arguments)
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "EdgeNode.sln")))
            folder = Path.GetDirectoryName(folder)!;
        string script = Path.Combine(folder, "tests", "EdgeNode.IntegrationTests", "Rtsp", "gst_rtsp_server.py");
        return Process.Start(new ProcessStartInfo(Python, [script, .. arguments.Split(' ')]) { RedirectStandardOutput = true, RedirectStandardInput = true })!;
    }
}
