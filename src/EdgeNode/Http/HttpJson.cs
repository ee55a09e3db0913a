using System.Text.Json.Serialization;
using EdgeNode.Access;
using EdgeNode.Configuration;
using EdgeNode.Events;
using EdgeNode.Telemetry;

namespace EdgeNode.Http;

internal sealed record CreateSessionRequest
{
    public required string CameraId { get; init; }

    public string? UserId { get; init; }
}

internal sealed record SessionAnswer(bool Success, string SessionId, string Token, string HlsUrl, string ViewUrl, DateTime ExpiresAt);

internal sealed record SessionEntry(string SessionId, string CameraId, string UserId, DateTime CreatedAt, DateTime ExpiresAt);

internal sealed record SessionList(IReadOnlyList<SessionEntry> Sessions);

internal sealed record Success(bool Done)
{
    [JsonPropertyName("success")]
    public bool Done { get; init; } = Done;
}

internal record CameraSettings
{
    public string? Name { get; init; }

    public bool? EnableAnalytics { get; init; }

    public string? Username { get; init; }

    public string? Password { get; init; }

    public string? SubUrl { get; init; }

    public string? Transport { get; init; }

    public string? Client { get; init; }
}

internal sealed record AddCameraRequest : CameraSettings
{
    public required string CameraId { get; init; }

    public required string RtspUrl { get; init; }
}

internal sealed record ChangeCameraRequest : CameraSettings
{
    public string? CameraId { get; init; }

    public string? RtspUrl { get; init; }
}

internal sealed record CameraEntry(string CameraId, string Name, string State, DateTime Since, string? Reason, bool EnableAnalytics)
{
    public bool ReadOnly { get; init; }

    public string? RtspUrl { get; init; }

    public string? SubUrl { get; init; }

    public string? Username { get; init; }

    public string? Password { get; init; }

    public string? Transport { get; init; }

    public string? Client { get; init; }

    public string? Codec { get; init; }

    public int? Width { get; init; }

    public int? Height { get; init; }

    public double Fps { get; init; }

    public double BitrateKbps { get; init; }

    public int Viewers { get; init; }
}

internal sealed record CameraList(string Site, string Node, IReadOnlyList<CameraEntry> Cameras);

internal sealed record CameraAnswer(bool Success, string CameraId, CameraEntry Camera);

internal sealed record CameraTestAnswer(bool Success, IReadOnlyList<string> Remarks)
{
    public string? Codec { get; init; }

    public int? Width { get; init; }

    public int? Height { get; init; }

    public double? Fps { get; init; }

    public double? KeyframeInterval { get; init; }

    public string? Audio { get; init; }

    public int? AudioSampleRate { get; init; }

    public int? AudioChannels { get; init; }

    /// <summary>The first picture: JPEG in base64.</summary>
    public byte[]? Picture { get; init; }
}

internal sealed record StatsAnswer(bool Success, string CameraId, AnalyticsStats Stats);

internal sealed record AnalyticsStats(long FramesProcessed, long FacesDetected, long FacesRecognized, double UptimeSeconds, double AvgProcessingTime, long FramesDropped, string? Decoder);

internal sealed record EventList(IReadOnlyList<FaceEvent> Events, long Next, bool HasGap);

internal sealed record EnrolRequest
{
    public required string Name { get; init; }

    /// <summary>Photos of that person alone: JPEG or PNG in base64.</summary>
    public required IReadOnlyList<byte[]> Photos { get; init; }
}

internal sealed record PhotosRequest
{
    /// <summary>Photos of that person alone: JPEG or PNG in base64.</summary>
    public required IReadOnlyList<byte[]> Photos { get; init; }
}

/// <summary>References: faces that the person is recognised by. Rejected: faces of which somebody said that they are not this person.</summary>
internal sealed record IdentityEntry(Guid Id, string Name, DateTime CreatedAt, int References, int Rejected);

internal sealed record IdentityAnswer(bool Success, IdentityEntry Identity);

/// <summary>HasPicture: false where an earlier version kept the template alone.</summary>
internal sealed record PhotoEntry(Guid Id, string ModelPack, bool HasPicture);

internal sealed record PhotoList(IReadOnlyList<PhotoEntry> Photos);

internal sealed record EventReference
{
    /// <summary>The event on whose best shot it is.</summary>
    public required Guid EventId { get; init; }
}

internal sealed record IdentityList(IReadOnlyList<IdentityEntry> Identities);

/// <summary>Who was enrolled, and what was wrong with the photos that were not taken.</summary>
internal sealed record EnrolAnswer(bool Success, IdentityEntry Identity, IReadOnlyList<string> Refused);

internal sealed record AttendanceList(DateOnly From, DateOnly To, IReadOnlyList<AttendanceRow> Attendance);

internal sealed record IssueTokenRequest
{
    public required string Name { get; init; }

    public string? Role { get; init; }

    public IReadOnlyList<string>? Cameras { get; init; }

    public bool Meta { get; init; }

    /// <summary>Such as <c>90d</c>; left out: until it is revoked.</summary>
    public string? Lifetime { get; init; }
}

internal sealed record TokenEntry(
    string Id, string Name, string Role, IReadOnlyList<string>? Cameras, bool Meta, DateTime CreatedAt, DateTime? ExpiresAt, DateTime? LastUsedAt, DateTime? RevokedAt);

internal sealed record TokenList(IReadOnlyList<TokenEntry> Tokens);

internal sealed record IssueTokenAnswer(bool Success, string Token, TokenEntry Entry);

internal sealed record LogLines(IReadOnlyList<string> Lines);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [typeof(Rfc3339Converter)])]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(SessionAnswer))]
[JsonSerializable(typeof(SessionList))]
[JsonSerializable(typeof(Success))]
[JsonSerializable(typeof(CameraList))]
[JsonSerializable(typeof(CameraAnswer))]
[JsonSerializable(typeof(CameraTestAnswer))]
[JsonSerializable(typeof(StatsAnswer))]
[JsonSerializable(typeof(EventList))]
[JsonSerializable(typeof(HealthReport))]
[JsonSerializable(typeof(IdentityEntry))]
[JsonSerializable(typeof(IdentityList))]
[JsonSerializable(typeof(EnrolAnswer))]
[JsonSerializable(typeof(IdentityAnswer))]
[JsonSerializable(typeof(PhotoList))]
[JsonSerializable(typeof(AttendanceList))]
[JsonSerializable(typeof(TokenList))]
[JsonSerializable(typeof(IssueTokenAnswer))]
[JsonSerializable(typeof(AuditPage))]
[JsonSerializable(typeof(LogLines))]
[JsonSerializable(typeof(ReloadResult))]
[JsonSerializable(typeof(CreateSessionRequest))]
[JsonSerializable(typeof(AddCameraRequest))]
[JsonSerializable(typeof(ChangeCameraRequest))]
[JsonSerializable(typeof(EnrolRequest))]
[JsonSerializable(typeof(PhotosRequest))]
[JsonSerializable(typeof(EventReference))]
[JsonSerializable(typeof(IssueTokenRequest))]
internal sealed partial class HttpJson : JsonSerializerContext;
