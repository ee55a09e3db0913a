using System.Text.Json.Serialization;
using EdgeNode.Events;
using EdgeNode.Telemetry;

namespace EdgeNode.Http;

internal sealed record CreateSessionRequest(string? CameraId, string? UserId);

internal sealed record SessionAnswer(bool Success, string SessionId, string Token, string HlsUrl, string ViewUrl, DateTime ExpiresAt);

internal sealed record SessionEntry(string SessionId, string CameraId, string UserId, DateTime CreatedAt, DateTime ExpiresAt);

internal sealed record SessionList(IReadOnlyList<SessionEntry> Sessions);

internal sealed record Success(bool Done)
{
    [JsonPropertyName("success")]
    public bool Done { get; init; } = Done;
}

internal sealed record CameraEntry(string CameraId, string Name, string State, DateTime Since, string? Reason, bool EnableAnalytics);

internal sealed record CameraList(string Site, string Node, IReadOnlyList<CameraEntry> Cameras);

internal sealed record StatsAnswer(bool Success, string CameraId, AnalyticsStats Stats);

internal sealed record AnalyticsStats(long FramesProcessed, long FacesDetected, long FacesRecognized, double UptimeSeconds, double AvgProcessingTime, long FramesDropped, string? Decoder);

internal sealed record EventList(IReadOnlyList<FaceEvent> Events, long Next, bool HasGap);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [typeof(Rfc3339Converter)])]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(CreateSessionRequest))]
[JsonSerializable(typeof(SessionAnswer))]
[JsonSerializable(typeof(SessionList))]
[JsonSerializable(typeof(Success))]
[JsonSerializable(typeof(CameraList))]
[JsonSerializable(typeof(StatsAnswer))]
[JsonSerializable(typeof(EventList))]
[JsonSerializable(typeof(HealthReport))]
internal sealed partial class HttpJson : JsonSerializerContext;
