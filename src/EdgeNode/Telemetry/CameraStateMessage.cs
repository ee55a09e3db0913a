using System.Text.Json;

namespace EdgeNode.Telemetry;

/// <summary>Payload of <see cref="MqttTopics.CameraState"/>.</summary>
/// <param name="State">streaming, connecting, stalled, failed or disabled.</param>
/// <param name="Since">From when on, UTC.</param>
/// <param name="Reason">Why, one sentence without secrets; null when all is well.</param>
public sealed record CameraStateMessage(string State, DateTime Since, string? Reason)
{
    /// <summary>The message as UTF-8 JSON.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, TelemetryJson.Default.CameraStateMessage);
}
