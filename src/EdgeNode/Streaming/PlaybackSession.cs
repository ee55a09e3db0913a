namespace EdgeNode.Streaming;

/// <summary>One viewer's leave to watch one camera.</summary>
/// <param name="SessionId">The <c>jti</c> of its token.</param>
/// <param name="CameraId">The camera.</param>
/// <param name="OwnerId">The <c>jti</c> of the token that asked for it: who may see and end it.</param>
/// <param name="UserId">Whom it was asked for.</param>
/// <param name="CreatedAt">When, UTC.</param>
/// <param name="ExpiresAt">When it ends, UTC.</param>
public sealed record PlaybackSession(string SessionId, string CameraId, string OwnerId, string UserId, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt)
{
    private long _lastRequestTicks;

    /// <summary>When its player last asked for something, UTC; null before the first time.</summary>
    public DateTimeOffset? LastRequestAt
    {
        get
        {
            long ticks = Volatile.Read(ref _lastRequestTicks);
            return ticks == 0 ? null : new DateTimeOffset(ticks, TimeSpan.Zero);
        }
    }

    internal void Touch(DateTimeOffset now) => Volatile.Write(ref _lastRequestTicks, now.UtcTicks);

    /// <summary>When somebody last had to do with it: its player, or else who made it.</summary>
    internal DateTimeOffset UsedAt => LastRequestAt ?? CreatedAt;
}
