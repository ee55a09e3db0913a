namespace EdgeNode.Gallery;

/// <summary>A person known to the node. Immutable: a change makes another instance.</summary>
public sealed class Identity
{
    /// <summary>References that one identity keeps at most: about a dozen diverse ones serve best.</summary>
    public const int ReferencesAtMost = 32;

    /// <summary>Faces that one identity remembers not to be at most; the oldest is forgotten for a new one.</summary>
    public const int NegativesAtMost = 64;

    /// <summary>Characters of a name at most.</summary>
    public const int NameLengthAtMost = 100;

    private Identity(Guid id, string name, DateTime createdAt, IReadOnlyList<FaceReference> references, IReadOnlyList<FaceReference> negatives)
    {
        Id = id;
        Name = name;
        CreatedAt = createdAt;
        References = references;
        Negatives = negatives;
    }

    /// <summary>UUIDv7 (RFC 9562 §5.7).</summary>
    public Guid Id { get; }

    /// <summary>What people call them.</summary>
    public string Name { get; }

    /// <summary>When they were enrolled, UTC, to the millisecond.</summary>
    public DateTime CreatedAt { get; }

    /// <summary>Their faces, at least one.</summary>
    public IReadOnlyList<FaceReference> References { get; }

    /// <summary>Faces of which somebody said that they are not this person.</summary>
    public IReadOnlyList<FaceReference> Negatives { get; }

    /// <summary>A new identity.</summary>
    /// <exception cref="ArgumentException">The name or the references cannot be used; the message says what to do.</exception>
    public static Identity Create(string name, IReadOnlyList<FaceReference> references, TimeProvider clock)
    {
        // As it is kept.
        var now = DateTimeOffset.FromUnixTimeMilliseconds(clock.GetUtcNow().ToUnixTimeMilliseconds());
        return Restore(Guid.CreateVersion7(now), name, now.UtcDateTime, references);
    }

    /// <summary>The same person with another name, other references or negatives (the newest are kept).</summary>
    /// <exception cref="ArgumentException">The name or the references cannot be used; the message says what to do.</exception>
    public Identity With(string? name = null, IReadOnlyList<FaceReference>? references = null, IReadOnlyList<FaceReference>? negatives = null) =>
        Restore(Id, name ?? Name, CreatedAt, references ?? References, negatives ?? Negatives);

    internal static Identity Restore(Guid id, string name, DateTime createdAt, IReadOnlyList<FaceReference> references, IReadOnlyList<FaceReference>? negatives = null)
    {
        name = name.Trim();
        if (name.Length is 0 or > NameLengthAtMost || name.Any(char.IsControl))
            throw new ArgumentException($"A name has 1 to {NameLengthAtMost} characters, none of them a control character.");
        if (references.Count is 0 or > ReferencesAtMost)
            throw new ArgumentException($"An identity has 1 to {ReferencesAtMost} reference faces, not {references.Count}: leave out those that look alike.");
        return new Identity(id, name, createdAt, [.. references], [.. (negatives ?? []).TakeLast(NegativesAtMost)]);
    }
}
