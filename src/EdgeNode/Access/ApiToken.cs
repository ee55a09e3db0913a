namespace EdgeNode.Access;

/// <summary>What is known of a long-lived token; the token itself is shown once, when it is made, and kept nowhere.</summary>
/// <param name="Id">Its <c>jti</c>: what logs show and revocation names.</param>
/// <param name="Name">What people call it; also its <c>sub</c>.</param>
/// <param name="Role">Its role.</param>
/// <param name="Cameras">Ids of the cameras it shows; null for all.</param>
/// <param name="Metadata">Whether it shows boxes and names with the picture.</param>
/// <param name="CreatedAt">When it was made, UTC.</param>
/// <param name="ExpiresAt">When it ends, UTC; null: when it is revoked.</param>
/// <param name="LastUsedAt">When it was last used, UTC, within an hour after a power cut; null: never.</param>
/// <param name="RevokedAt">When it was revoked, UTC; null: it was not.</param>
public sealed record ApiToken(
    string Id,
    string Name,
    Role Role,
    IReadOnlyList<string>? Cameras,
    bool Metadata,
    DateTime CreatedAt,
    DateTime? ExpiresAt,
    DateTime? LastUsedAt,
    DateTime? RevokedAt)
{
    /// <summary>Whether it can still be used at <paramref name="now"/>.</summary>
    public bool IsLive(DateTime now) => RevokedAt is null && !(ExpiresAt <= now);
}
