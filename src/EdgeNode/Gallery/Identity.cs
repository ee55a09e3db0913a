namespace EdgeNode.Gallery;

/// <summary>A person known to the node. Immutable: a change makes another instance.</summary>
public sealed class Identity
{
    /// <summary>References that one identity keeps at most: about a dozen diverse ones serve best.</summary>
    public const int ReferencesAtMost = 32;

    /// <summary>Characters of a name at most.</summary>
    public const int NameLengthAtMost = 100;

    private Identity(Guid id, string name, DateTime createdAt, IReadOnlyList<FaceReference> references)
    {
        Id = id;
        Name = name;
        CreatedAt = createdAt;
        References = references;
    }

    /// <summary>UUIDv7 (RFC 9562 §5.7).</summary>
    public Guid Id { get; }

    /// <summary>What people call them.</summary>
    public string Name { get; }

    /// <summary>When they were enrolled, UTC, to the millisecond.</summary>
    public DateTime CreatedAt { get; }

    /// <summary>Their faces, at least one.</summary>
    public IReadOnlyList<FaceReference> References { get; }

    /// <summary>A new identity.</summary>
    /// <exception cref="ArgumentException">The name or the references cannot be used; the message says what to do.</exception>
    public static Identity Create(string name, IReadOnlyList<FaceReference> references, TimeProvider clock)
    {
        // As it is kept.
        var now = DateTimeOffset.FromUnixTimeMilliseconds(clock.GetUtcNow().ToUnixTimeMilliseconds());
        return Restore(Guid.CreateVersion7(now), name, now.UtcDateTime, references);
    }

    /// <summary>The same person with another name or other references.</summary>
    /// <exception cref="ArgumentException">The name or the references cannot be used; the message says what to do.</exception>
    public Identity With(string? name = null, IReadOnlyList<FaceReference>? references = null) =>
        Restore(Id, name ?? Name, CreatedAt, references ?? References);

    internal static Identity Restore(Guid id, string name, DateTime createdAt, IReadOnlyList<FaceReference> references)
    {
        name = name.Trim();
        if (name.Length is 0 or > NameLengthAtMost || name.Any(char.IsControl))
            throw new ArgumentException($"A name has 1 to {NameLengthAtMost} characters, none of them a control character.");
        if (references.Count is 0 or > ReferencesAtMost)
            throw new ArgumentException($"An identity has 1 to {ReferencesAtMost} reference faces, not {references.Count}: leave out those that look alike.");
        return new Identity(id, name, createdAt, [.. references]);
    }
}
