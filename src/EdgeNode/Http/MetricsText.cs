using System.Globalization;
using System.Text;
using EdgeNode.Cameras;
using EdgeNode.Telemetry;

namespace EdgeNode.Http;

/// <summary>How node and cameras fare, in Prometheus' text format 0.0.4.</summary>
internal static class MetricsText
{
    /// <summary>The media type.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private static readonly string[] States = ["connecting", "streaming", "stalled", "failed", "disabled"];

    /// <summary>All metrics; cameras as given.</summary>
    public static string Write(HealthReport health, IReadOnlyList<Camera> cameras, int sessions, string version)
    {
        var text = new StringBuilder(4096);
        Describe(text, "edgenode_info", "gauge", "Version of the node; always 1.");
        text.Append(CultureInfo.InvariantCulture, $"edgenode_info{{version=\"{version}\"}} 1\n");
        One(text, "edgenode_uptime_seconds", "gauge", "Seconds since the node started.", health.UptimeS);
        One(text, "edgenode_cpu_seconds_total", "counter", "CPU time of the process.", Environment.CpuUsage.TotalTime.TotalSeconds);
        One(text, "edgenode_memory_resident_bytes", "gauge", "Memory of the process.", health.Memory.RssBytes);
        One(text, "edgenode_memory_available_bytes", "gauge", "Memory of the board that is available without swapping.", health.Memory.AvailableBytes);
        One(text, "edgenode_memory_total_bytes", "gauge", "Memory of the board.", health.Memory.TotalBytes);
        One(text, "edgenode_disk_free_bytes", "gauge", "Free bytes of the state folder's file system.", health.Disk.FreeBytes);
        One(text, "edgenode_clock_synchronized", "gauge", "Whether the clock is synchronised.", health.Clock.Synced ? 1 : 0);
        if (health.TemperatureC is double temperature)
            One(text, "edgenode_temperature_celsius", "gauge", "The hottest thermal zone.", temperature);
        One(text, "edgenode_events_waiting", "gauge", "Events that wait for the broker.", health.QueueDepth);
        One(text, "edgenode_events_lost_total", "counter", "Events that the broker will never get.", health.EventsLost);
        One(text, "edgenode_sessions", "gauge", "Playback sessions.", sessions);

        Describe(text, "edgenode_camera_state", "gauge", "1 for the state that the camera is in.");
        foreach (Camera camera in cameras)
        {
            string state = Ingest.CameraStateNames.Of(camera.Ingest.Status.State);
            foreach (string name in States)
                text.Append(CultureInfo.InvariantCulture, $"edgenode_camera_state{{camera=\"{camera.Id}\",state=\"{name}\"}} {(name == state ? 1 : 0)}\n");
        }

        Each(text, cameras, "edgenode_camera_fps", "gauge", "Pictures a second.", c => c.Ingest.Statistics.Rates.FramesPerSecond);
        Each(text, cameras, "edgenode_camera_bits_per_second", "gauge", "Coded bits a second.", c => c.Ingest.Statistics.Rates.BitsPerSecond);
        Each(text, cameras, "edgenode_camera_gop_seconds", "gauge", "Seconds between keyframes.", c => c.Ingest.Statistics.Rates.GopSeconds);
        Each(text, cameras, "edgenode_camera_frames_total", "counter", "Pictures that came.", c => c.Ingest.Statistics.Units);
        Each(text, cameras, "edgenode_camera_bytes_total", "counter", "Coded bytes that came.", c => c.Ingest.Statistics.Bytes);
        Each(text, cameras, "edgenode_camera_connections_total", "counter", "Times that the camera was connected.", c => c.Ingest.Connections);
        Each(text, cameras, "edgenode_camera_repaired_timestamps_total", "counter", "Timestamps that had to be repaired.", c => c.Ingest.RepairedStamps);
        Each(text, cameras, "edgenode_camera_lost_packets_total", "counter", "RTP packets that never came.", c => c.Ingest.LostPackets);
        Each(text, cameras, "edgenode_camera_damaged_gops_total", "counter", "GOPs in which packets were lost.", c => c.Ingest.DamagedGops);
        Each(text, cameras, "edgenode_camera_dropped_gops_total", "counter", "GOPs that outgrew their bound.", c => c.Ingest.DroppedGops);
        Each(text, cameras, "edgenode_camera_viewers", "gauge", "Players that watch.", c => c.Viewers.Count);
        Camera[] analysed = [.. cameras.Where(c => c.Analytics is not null)];
        Each(text, analysed, "edgenode_camera_frames_analyzed_total", "counter", "Pictures in which faces were looked for.", c => c.Analytics!.FramesProcessed);
        Each(text, analysed, "edgenode_camera_frames_skipped_total", "counter", "Pictures left out because analysis was behind.", c => c.Analytics!.Dropped);
        Each(text, analysed, "edgenode_camera_faces_total", "counter", "Faces found, once a picture.", c => c.Analytics!.FacesDetected);
        Each(text, analysed, "edgenode_camera_faces_recognized_total", "counter", "Tracks that got a name.", c => c.Analytics!.FacesRecognized);
        Each(text, analysed, "edgenode_camera_analysis_seconds", "gauge", "Mean time of analysing one picture.", c => c.Analytics!.MeanAnalysisMs / 1000);
        return text.ToString();
    }

    private static void Describe(StringBuilder text, string name, string type, string help) =>
        text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");

    private static void One(StringBuilder text, string name, string type, string help, double value)
    {
        Describe(text, name, type, help);
        text.Append(CultureInfo.InvariantCulture, $"{name} {value}\n");
    }

    // Ids of cameras need no escaping.
    private static void Each(StringBuilder text, IReadOnlyList<Camera> cameras, string name, string type, string help, Func<Camera, double> value)
    {
        if (cameras.Count == 0)
            return;
        Describe(text, name, type, help);
        foreach (Camera camera in cameras)
            text.Append(CultureInfo.InvariantCulture, $"{name}{{camera=\"{camera.Id}\"}} {value(camera)}\n");
    }
}
