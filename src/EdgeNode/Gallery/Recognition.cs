using System.Text.Json.Serialization;
using EdgeNode.Storage;

namespace EdgeNode.Gallery;

/// <summary>Whether a face has a name (contract §4).</summary>
[JsonConverter(typeof(SnakeCaseEnum<RecognitionStatus>))]
public enum RecognitionStatus
{
    /// <summary>No shot good enough yet, or the shots do not decide: never guessed.</summary>
    Undetermined,

    /// <summary>Nobody of the gallery.</summary>
    Unknown,

    /// <summary>This identity.</summary>
    Recognized,
}

/// <summary>
/// What is known of a track's identity. Identity is null unless recognised; Similarity and Margin are those of the nearest
/// identity (unnamed unless recognised), null while there was nothing to compare.
/// </summary>
public sealed record Recognition(RecognitionStatus Status, Guid? IdentityId, string? Name, float? Similarity, float? Margin)
{
    /// <summary>Nothing is known yet.</summary>
    public static Recognition None { get; } = new(RecognitionStatus.Undetermined, null, null, null, null);

    /// <summary>Whether the outcome is the same, whatever the numbers.</summary>
    public bool SaysTheSameAs(Recognition other) => Status == other.Status && IdentityId == other.IdentityId && Name == other.Name;
}
