using System.Text;
using EdgeNode.Telemetry;
using Microsoft.Extensions.Time.Testing;

namespace EdgeNode.Tests.Telemetry;

public class HealthSamplerTests
{
    [Fact]
    public void A_sample_tells_of_this_process_and_this_machine()
    {
        var clock = new FakeTimeProvider();
        var sampler = new HealthSampler(Path.GetTempPath(), clock);
        clock.Advance(TimeSpan.FromSeconds(90));
        HealthReport report = sampler.Sample(new HealthInputs { ClockSynced = true, QueueDepth = 7, Ffmpeg = "5.1.9" });
        Assert.Equal(90, report.UptimeS);
        Assert.True(report.CpuPercent >= 0);
        Assert.InRange(report.Memory.RssBytes, 1 << 20, report.Memory.TotalBytes);
        Assert.InRange(report.Memory.AvailableBytes, 1, report.Memory.TotalBytes);
        Assert.InRange(report.Disk.FreeBytes, 1, report.Disk.TotalBytes);
        Assert.Equal(7, report.QueueDepth);
    }

    [Fact]
    public void Cpu_is_that_since_the_last_sample()
    {
        var clock = new FakeTimeProvider();
        var sampler = new HealthSampler(Path.GetTempPath(), clock);
        long spinUntil = Environment.TickCount64 + 50;
        while (Environment.TickCount64 < spinUntil)
        {
        }

        clock.Advance(TimeSpan.FromMilliseconds(100));
        Assert.True(sampler.Sample(new HealthInputs { ClockSynced = true }).CpuPercent > 0);
    }

    [Fact]
    public void A_missing_state_folder_is_no_reason_to_fail() =>
        Assert.NotNull(new HealthSampler("/no/such/folder", TimeProvider.System).Sample(new HealthInputs { ClockSynced = false }));

    [Fact]
    public void Meminfo_is_read_in_bytes()
    {
        ReadOnlySpan<byte> meminfo = "MemTotal:        3884364 kB\nMemFree:          100 kB\nMemAvailable:    2000000 kB\n"u8;
        Assert.Equal(3884364L * 1024, HealthSampler.ParseMeminfo(meminfo, "MemTotal:"u8));
        Assert.Equal(2000000L * 1024, HealthSampler.ParseMeminfo(meminfo, "MemAvailable:"u8));
        Assert.Equal(0, HealthSampler.ParseMeminfo(meminfo, "Missing:"u8));
    }

    [Fact]
    public void The_json_has_every_field()
    {
        HealthReport report = MqttLinkTests.Report() with
        {
            TemperatureC = 51.5,
            Storage = "Full.",
            Cameras = [new CameraHealth { Id = "entrance", State = "streaming", Fps = 25, BitrateKbps = 4000, GopS = 2, Decoder = "software", InferenceMs = 14.5, Viewers = 1, AudioLeftOut = "Opus", Tries = 2, Connections = 1, LostPackets = 3, DamagedGops = 4, DroppedGops = 5, RepairedStamps = 6 }],
        };
        string expected = """
            {"uptime_s":1,"cpu_percent":2,"memory":{"rss_bytes":1,"total_bytes":2,"available_bytes":3},"temperature_c":51.5,"throttling":null,
            "disk":{"free_bytes":4,"total_bytes":5},"storage":"Full.","clock":{"synced":true,"now":"1970-01-01T00:00:00.000Z"},"queue_depth":0,"events_lost":0,
            "ffmpeg":"5.1.9","onnxruntime":null,
            "cameras":[{"id":"entrance","state":"streaming","fps":25,"bitrate_kbps":4000,"gop_s":2,"decoder":"software","trouble":null,"inference_ms":14.5,"viewers":1,
            "audio":null,"audio_left_out":"Opus","advice":null,"tries":2,"connections":1,"lost_packets":3,"damaged_gops":4,"dropped_gops":5,"repaired_stamps":6}]}
            """.ReplaceLineEndings(string.Empty);
        Assert.Equal(expected, Encoding.UTF8.GetString(report.ToJson()));
    }
}
