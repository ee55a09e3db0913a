using System.Buffers.Text;

namespace EdgeNode.Telemetry;

/// <summary>What only the rest of the node knows for a health report.</summary>
public sealed record HealthInputs
{
    /// <summary>Whether the clock is synchronised.</summary>
    public required bool ClockSynced { get; init; }

    /// <summary>Why no state can be written, in a sentence; null while all is well.</summary>
    public string? Storage { get; init; }

    /// <summary>Events that wait for the broker.</summary>
    public int QueueDepth { get; init; }

    /// <summary>Events that the broker will never get.</summary>
    public long EventsLost { get; init; }

    /// <summary>Version of FFmpeg.</summary>
    public string? Ffmpeg { get; init; }

    /// <summary>Version of ONNX Runtime.</summary>
    public string? Onnxruntime { get; init; }

    /// <summary>One entry a camera.</summary>
    public IReadOnlyList<CameraHealth> Cameras { get; init; } = [];
}

/// <summary>
/// Reads how process and board fare from the kernel (proc(5), and sysfs's thermal zones). A few short reads a sample; what cannot be read is
/// left 0 or null. Not thread-safe.
/// </summary>
public sealed class HealthSampler
{
    private const string StatmFile = "/proc/self/statm";
    private const string MeminfoFile = "/proc/meminfo";
    private const string ThermalFolder = "/sys/class/thermal";
    private const int ReadAtMost = 4096;

    private readonly string _stateFolder;
    private readonly TimeProvider _clock;
    private readonly string[] _thermalFiles;
    private readonly long _startedAt;
    private long _sampledAt;
    private TimeSpan _cpuThen;

    /// <summary>Starts the uptime and the first CPU interval.</summary>
    public HealthSampler(string stateFolder, TimeProvider clock)
    {
        _stateFolder = stateFolder;
        _clock = clock;
        _startedAt = _sampledAt = clock.GetTimestamp();
        _cpuThen = Environment.CpuUsage.TotalTime;
        _thermalFiles = Directory.Exists(ThermalFolder)
            ? [.. Directory.EnumerateDirectories(ThermalFolder, "thermal_zone*").Select(zone => Path.Combine(zone, "temp"))]
            : [];
    }

    /// <summary>A report of now; CPU is that since the last one.</summary>
    public HealthReport Sample(HealthInputs inputs)
    {
        long now = _clock.GetTimestamp();
        // getrusage(2) counts microseconds where /proc/self/stat counts ticks of 10 ms.
        TimeSpan cpu = Environment.CpuUsage.TotalTime;
        double elapsed = _clock.GetElapsedTime(_sampledAt, now).TotalSeconds;
        double percent = elapsed > 0 ? (cpu - _cpuThen).TotalSeconds / elapsed * 100 : 0;
        (_sampledAt, _cpuThen) = (now, cpu);

        return new HealthReport
        {
            UptimeS = Math.Round(_clock.GetElapsedTime(_startedAt, now).TotalSeconds),
            CpuPercent = Math.Round(percent, 1),
            Memory = ReadMemory(),
            TemperatureC = ReadTemperature(),
            Disk = ReadDisk(),
            Storage = inputs.Storage,
            Clock = new ClockHealth(inputs.ClockSynced, _clock.GetUtcNow().UtcDateTime),
            QueueDepth = inputs.QueueDepth,
            EventsLost = inputs.EventsLost,
            Ffmpeg = inputs.Ffmpeg,
            Onnxruntime = inputs.Onnxruntime,
            Cameras = inputs.Cameras,
        };
    }

    internal static long ParseMeminfo(ReadOnlySpan<byte> meminfo, ReadOnlySpan<byte> key)
    {
        foreach (Range line in meminfo.Split((byte)'\n'))
        {
            ReadOnlySpan<byte> text = meminfo[line];
            if (text.StartsWith(key) && Utf8Parser.TryParse(text[key.Length..].TrimStart((byte)' '), out long kibibytes, out _))
                return kibibytes * 1024;
        }

        return 0;
    }

    private static MemoryHealth ReadMemory()
    {
        Span<byte> buffer = stackalloc byte[ReadAtMost];
        ReadOnlySpan<byte> statm = Read(StatmFile, buffer);
        // The second number: resident pages.
        int space = statm.IndexOf((byte)' ');
        long pages = space >= 0 && Utf8Parser.TryParse(statm[(space + 1)..], out long resident, out _) ? resident : 0;

        ReadOnlySpan<byte> meminfo = Read(MeminfoFile, buffer);
        return new MemoryHealth(pages * Environment.SystemPageSize, ParseMeminfo(meminfo, "MemTotal:"u8), ParseMeminfo(meminfo, "MemAvailable:"u8));
    }

    private double? ReadTemperature()
    {
        Span<byte> buffer = stackalloc byte[32];
        double? hottest = null;
        foreach (string file in _thermalFiles)
        {
            if (Utf8Parser.TryParse(Read(file, buffer), out int thousandths, out _) && (hottest is null || thousandths / 1000.0 > hottest))
                hottest = thousandths / 1000.0;
        }

        return hottest is { } value ? Math.Round(value, 1) : null;
    }

    private DiskHealth ReadDisk()
    {
        try
        {
            var drive = new DriveInfo(_stateFolder);
            return new DiskHealth(drive.AvailableFreeSpace, drive.TotalSize);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new DiskHealth(0, 0);
        }
    }

    private static ReadOnlySpan<byte> Read(string path, Span<byte> buffer)
    {
        try
        {
            // Files of proc and sysfs say a length of 0 or a page, so they are read until they end.
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            return buffer[..stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A thermal zone may refuse while its sensor sleeps.
            return [];
        }
    }
}
