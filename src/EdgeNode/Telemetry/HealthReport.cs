using System.Text.Json;

namespace EdgeNode.Telemetry;

/// <summary>Payload of <see cref="MqttTopics.Health"/>: how the node fares. What is not known is null.</summary>
public sealed record HealthReport
{
    /// <summary>Seconds since the node started.</summary>
    public required double UptimeS { get; init; }

    /// <summary>CPU time of the process since the last report, in percent of one core.</summary>
    public required double CpuPercent { get; init; }

    /// <summary>Memory of process and system.</summary>
    public required MemoryHealth Memory { get; init; }

    /// <summary>The hottest thermal zone, °C; null where the kernel shows none.</summary>
    public required double? TemperatureC { get; init; }

    /// <summary>Why the board runs slower than it could; null where that is not known.</summary>
    public string? Throttling { get; init; }

    /// <summary>The file system of the state folder.</summary>
    public required DiskHealth Disk { get; init; }

    /// <summary>Why nothing can be written there, in a sentence; null while all is well.</summary>
    public string? Storage { get; init; }

    /// <summary>The node's clock.</summary>
    public required ClockHealth Clock { get; init; }

    /// <summary>Events that wait for the broker.</summary>
    public required int QueueDepth { get; init; }

    /// <summary>Events that the broker will never get, since the node started: a queue was full, or the broker refused them.</summary>
    public required long EventsLost { get; init; }

    /// <summary>Version of FFmpeg's libraries in use.</summary>
    public required string? Ffmpeg { get; init; }

    /// <summary>Version of ONNX Runtime in use.</summary>
    public required string? Onnxruntime { get; init; }

    /// <summary>One entry a camera.</summary>
    public required IReadOnlyList<CameraHealth> Cameras { get; init; }

    /// <summary>The report as UTF-8 JSON.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, TelemetryJson.Default.HealthReport);
}

/// <summary>Bytes resident in the process, and in the whole system (total; available without swapping).</summary>
public sealed record MemoryHealth(long RssBytes, long TotalBytes, long AvailableBytes);

/// <summary>Bytes of a file system.</summary>
public sealed record DiskHealth(long FreeBytes, long TotalBytes);

/// <summary>Whether the clock is synchronised, and what it says, UTC.</summary>
public sealed record ClockHealth(bool Synced, DateTime Now);

/// <summary>How one camera fares. What is not known (yet) is null.</summary>
public sealed record CameraHealth
{
    /// <summary>Id of the camera.</summary>
    public required string Id { get; init; }

    /// <summary>As in <see cref="CameraStateMessage.State"/>.</summary>
    public required string State { get; init; }

    /// <summary>Pictures a second that come in.</summary>
    public double? Fps { get; init; }

    /// <summary>kbit/s that come in.</summary>
    public double? BitrateKbps { get; init; }

    /// <summary>Seconds between keyframes.</summary>
    public double? GopS { get; init; }

    /// <summary>The decoder in use.</summary>
    public string? Decoder { get; init; }

    /// <summary>Why its pictures are not analysed, in a sentence; null while they are.</summary>
    public string? Trouble { get; init; }

    /// <summary>Mean milliseconds of inference an analysed picture.</summary>
    public double? InferenceMs { get; init; }

    /// <summary>Players that watch.</summary>
    public int? Viewers { get; init; }

    /// <summary>CODECS string of the audio that is taken along.</summary>
    public string? Audio { get; init; }

    /// <summary>The audio that is left out, by its usual name.</summary>
    public string? AudioLeftOut { get; init; }

    /// <summary>What would do the stream good, in a sentence; null where nothing is to be said.</summary>
    public string? Advice { get; init; }

    /// <summary>Times that it was tried to connect, and that it went well.</summary>
    public long? Tries { get; init; }

    /// <inheritdoc cref="Tries"/>
    public long? Connections { get; init; }

    /// <summary>RTP packets that never came.</summary>
    public long? LostPackets { get; init; }

    /// <summary>GOPs in which packets were lost: no face event comes of them.</summary>
    public long? DamagedGops { get; init; }

    /// <summary>GOPs that were larger than what is kept: viewers waited for the next keyframe.</summary>
    public long? DroppedGops { get; init; }

    /// <summary>Time stamps of the camera that had to be repaired.</summary>
    public long? RepairedStamps { get; init; }
}
