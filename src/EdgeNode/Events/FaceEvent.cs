using System.Text.Json;
using System.Text.Json.Serialization;
using EdgeNode.Faces;
using EdgeNode.Gallery;
using EdgeNode.Storage;

namespace EdgeNode.Events;

/// <summary>
/// One report about one track of one face, as it goes to MQTT, the event log and consumers (contract §4). Immutable. Consumers drop
/// duplicates by (<see cref="EventId"/>, <see cref="Seq"/>). Every field is always present; times are UTC.
/// </summary>
public sealed record FaceEvent
{
    /// <summary>UUIDv7, the same from started to ended.</summary>
    public required Guid EventId { get; init; }

    /// <summary>1, 2, 3… within the event, without gaps.</summary>
    public required int Seq { get; init; }

    /// <summary>started, updated or ended.</summary>
    public required FaceEventPhase Phase { get; init; }

    /// <summary>Id of the site.</summary>
    public required string Site { get; init; }

    /// <summary>Id of the node.</summary>
    public required string Node { get; init; }

    /// <summary>Id of the camera.</summary>
    public required string Camera { get; init; }

    /// <summary>Capture time of the first picture with the face.</summary>
    public required DateTime StartedAt { get; init; }

    /// <summary>Capture time of the newest picture with the face.</summary>
    public required DateTime UpdatedAt { get; init; }

    /// <summary>Capture time of the last picture with the face; null while it is there.</summary>
    public required DateTime? EndedAt { get; init; }

    /// <summary>Why it ended; null while it is there.</summary>
    public required FaceEventEndReason? EndReason { get; init; }

    /// <summary>Capture time of the best shot; of the newest picture while there is none since <see cref="StartedAt"/>.</summary>
    public required DateTime FrameAt { get; init; }

    /// <summary>When the node came to this status of the identity.</summary>
    public required DateTime DecidedAt { get; init; }

    /// <summary>Whether the node's clock was synchronised, so that the times can be trusted.</summary>
    public required bool ClockSynced { get; init; }

    /// <summary>Who it is.</summary>
    public required FaceEventIdentity Identity { get; init; }

    /// <summary>Where the face is in the newest picture.</summary>
    public required FaceEventBox Box { get; init; }

    /// <summary>The detector's score there, 0 to 1.</summary>
    public required double DetectionScore { get; init; }

    /// <summary>Quality of the track's best shot, from which the identity was told, 0 to 1; 0 while none was good enough. Where another event goes on with a face, the shot may be older than it.</summary>
    public required double Quality { get; init; }

    /// <summary>live, spoof or unsure; null while no liveness model runs (a later issue).</summary>
    public required string? Liveness { get; init; }

    /// <summary>Pictures since <see cref="StartedAt"/> in which the face was detected.</summary>
    public required int TrackFrames { get; init; }

    /// <summary>Whether a picture of the best shot is kept under this event's id. False where the event was made: <see cref="EventLog"/>, which keeps it, says so.</summary>
    public required bool Snapshot { get; init; }

    /// <summary>Reports of this event that were folded into this one in a long outage.</summary>
    public required int Folded { get; init; }

    /// <summary>The event as UTF-8 JSON, exactly as the contract shows it.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, FaceEventJson.Default.FaceEvent);
}

/// <summary>Where an event is in its life.</summary>
[JsonConverter(typeof(SnakeCaseEnum<FaceEventPhase>))]
public enum FaceEventPhase
{
    /// <summary>The first report.</summary>
    Started,

    /// <summary>The identity's status changed, a clearly better shot came, or 10 s went by.</summary>
    Updated,

    /// <summary>The last report.</summary>
    Ended,
}

/// <summary>Why an event ended.</summary>
[JsonConverter(typeof(SnakeCaseEnum<FaceEventEndReason>))]
public enum FaceEventEndReason
{
    /// <summary>The face is no longer seen.</summary>
    Left,

    /// <summary>The camera or the node was stopped.</summary>
    Stopped,

    /// <summary>It reached <c>faces.max_event</c>; another event goes on with the same face.</summary>
    MaxEvent,

    /// <summary>The node was down when it ended.</summary>
    Restart,
}

/// <summary>Who a face is. Id and name are null unless recognised; the numbers are null when there was nothing to compare.</summary>
public sealed record FaceEventIdentity(Guid? Id, string? Name, double? Similarity, double? Margin, RecognitionStatus Status)
{
    internal static FaceEventIdentity From(Recognition recognition) =>
        new(recognition.IdentityId, recognition.Name, Fraction.Round(recognition.Similarity), Fraction.Round(recognition.Margin), recognition.Status);
}

/// <summary>A box in fractions of the picture, rounded to four digits.</summary>
public sealed record FaceEventBox(double X, double Y, double W, double H)
{
    internal static FaceEventBox From(in BoundingBox box) =>
        new(Fraction.Round(box.X), Fraction.Round(box.Y), Fraction.Round(box.Width), Fraction.Round(box.Height));
}

/// <summary>Four digits are a third of a pixel in 4K, and more than any score is worth.</summary>
internal static class Fraction
{
    private const int Digits = 4;

    internal static double Round(float value) => float.IsFinite(value) ? Math.Round(value, Digits) : 0;

    internal static double? Round(float? value) => value is { } number && float.IsFinite(number) ? Math.Round(number, Digits) : null;
}

/// <summary>JSON of <see cref="FaceEvent"/> without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [typeof(Rfc3339Converter)])]
[JsonSerializable(typeof(FaceEvent))]
[JsonSerializable(typeof(IReadOnlyList<FaceEvent>))]
public sealed partial class FaceEventJson : JsonSerializerContext;
