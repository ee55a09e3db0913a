using System.Text.Json;

namespace EdgeNode.Telemetry;

/// <summary>Payload of <see cref="MqttTopics.Status"/>.</summary>
/// <param name="State"><see cref="Online"/> or <see cref="Offline"/>.</param>
/// <param name="Since">From when on, UTC; null in the last will, which is written before it comes true.</param>
/// <param name="Version">Version of EdgeNode.</param>
/// <param name="BootId">The kernel's id of this boot; another one tells of a restart.</param>
/// <param name="BaseUrl">Where the node's API is found; null when none is configured.</param>
public sealed record StatusMessage(string State, DateTime? Since, string Version, string BootId, string? BaseUrl)
{
    /// <summary>The node is connected.</summary>
    public const string Online = "online";

    /// <summary>The node stopped, or its connection broke.</summary>
    public const string Offline = "offline";

    private const string BootIdFile = "/proc/sys/kernel/random/boot_id";

    /// <summary>The message as UTF-8 JSON.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, TelemetryJson.Default.StatusMessage);

    /// <summary>This boot's id; a random one where the kernel tells none.</summary>
    public static string ReadBootId() =>
        File.Exists(BootIdFile) ? File.ReadAllText(BootIdFile).Trim() : Guid.NewGuid().ToString();
}
