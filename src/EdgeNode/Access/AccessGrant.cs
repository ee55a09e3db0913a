namespace EdgeNode.Access;

/// <summary>What a valid token allows: its claims (contract §3), checked.</summary>
public sealed class AccessGrant
{
    /// <summary>Who it was given to (<c>sub</c>).</summary>
    public required string Subject { get; init; }

    /// <summary>The session's id (<c>jti</c>): what logs show and revocation names.</summary>
    public required string SessionId { get; init; }

    /// <summary>Id of the token that this session was made with (<c>via</c>): it ends with that one; null for a token that is no session.</summary>
    public string? MadeWith { get; init; }

    /// <summary>The role.</summary>
    public required Role Role { get; init; }

    /// <summary>Ids of the cameras it shows; null for all.</summary>
    public required IReadOnlySet<string>? Cameras { get; init; }

    /// <summary>Whether boxes and names may be shown with the picture (<c>meta</c>).</summary>
    public required bool Metadata { get; init; }

    /// <summary>End of its validity, UTC.</summary>
    public required DateTime ExpiresAt { get; init; }

    /// <summary>When it was last used to watch a stream, UTC ticks; 0: not yet, or not lately.</summary>
    internal long WatchedAtTicks;

    /// <summary>Whether it shows anything of this camera.</summary>
    public bool Allows(string camera) => Cameras is null || Cameras.Contains(camera);
}
