using System.Text.Json.Serialization;
using EdgeNode.Events;

namespace EdgeNode.Telemetry;

/// <summary>JSON of the messages without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [typeof(Rfc3339Converter)])]
[JsonSerializable(typeof(StatusMessage))]
[JsonSerializable(typeof(CameraStateMessage))]
[JsonSerializable(typeof(HealthReport))]
public sealed partial class TelemetryJson : JsonSerializerContext;
