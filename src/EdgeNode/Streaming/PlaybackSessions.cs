namespace EdgeNode.Streaming;

/// <summary>
/// The playback sessions of the node, bounded in number, in all and for one owner. When there is no room, sessions that nobody plays make it:
/// no one holder of a token locks the others out. Keeps the record only: tokens are minted and checked elsewhere. Thread-safe.
/// </summary>
public sealed class PlaybackSessions(TimeProvider time, int limit = 500, int limitPerOwner = 100)
{
    private static readonly TimeSpan UnusedAfter = TimeSpan.FromMinutes(1);

    // A player that has not asked for this long has left.
    private static readonly TimeSpan PollsWithin = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, PlaybackSession> _sessions = [];
    private readonly Lock _gate = new();

    /// <summary>How long after its end a session whose player still polls goes on (<c>tokens.grace</c>); zero: not at all.</summary>
    public TimeSpan Grace { get; set; }

    /// <summary>Sessions that have not ended.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                Purge();
                return _sessions.Count;
            }
        }
    }

    /// <summary>Adds a session; null when there are as many as allowed, all of them in use, or the id is taken.</summary>
    public PlaybackSession? TryAdd(string sessionId, string cameraId, string ownerId, string userId, DateTimeOffset expiresAt)
    {
        lock (_gate)
        {
            if (!MakeRoom(limit, _ => true) || !MakeRoom(limitPerOwner, session => session.OwnerId == ownerId))
                return null;
            var session = new PlaybackSession(sessionId, cameraId, ownerId, userId, time.GetUtcNow(), expiresAt);
            return _sessions.TryAdd(sessionId, session) ? session : null;
        }
    }

    /// <summary>A session that has not ended, or null.</summary>
    public PlaybackSession? Find(string sessionId)
    {
        lock (_gate)
        {
            if (!_sessions.TryGetValue(sessionId, out PlaybackSession? session))
                return null;
            if (!IsOver(session, time.GetUtcNow()))
                return session;
            _sessions.Remove(sessionId);
            return null;
        }
    }

    /// <summary>Notes that its player asked for something; false when there is no such session any more.</summary>
    public bool Touch(string sessionId)
    {
        PlaybackSession? session = Find(sessionId);
        session?.Touch(time.GetUtcNow());
        return session is not null;
    }

    /// <summary>Ends a session and all that were made with its token; returns them. The id may also be that of a token that is no session.</summary>
    public IReadOnlyList<PlaybackSession> Remove(string sessionId)
    {
        lock (_gate)
        {
            var ended = new List<PlaybackSession>();
            if (_sessions.Remove(sessionId, out PlaybackSession? session))
                ended.Add(session);
            RemoveMadeWith(sessionId, ended);
            for (int i = 0; i < ended.Count; i++)
                RemoveMadeWith(ended[i].SessionId, ended);

            return ended;
        }
    }

    /// <summary>Ends all sessions of a camera; returns them.</summary>
    public IReadOnlyList<PlaybackSession> RemoveOfCamera(string cameraId)
    {
        lock (_gate)
        {
            PlaybackSession[] ended = [.. _sessions.Values.Where(session => session.CameraId == cameraId)];
            foreach (PlaybackSession session in ended)
                _sessions.Remove(session.SessionId);
            return ended;
        }
    }

    /// <summary>Sessions that have not ended, oldest first.</summary>
    public IReadOnlyList<PlaybackSession> List()
    {
        lock (_gate)
        {
            Purge();
            return [.. _sessions.Values.OrderBy(session => session.CreatedAt)];
        }
    }

    private bool IsOver(PlaybackSession session, DateTimeOffset now) =>
        session.ExpiresAt <= now && !(now < session.ExpiresAt + Grace && session.LastRequestAt is DateTimeOffset last && now - last <= PollsWithin);

    private void RemoveMadeWith(string ownerId, List<PlaybackSession> ended)
    {
        foreach (PlaybackSession child in _sessions.Values.Where(child => child.OwnerId == ownerId).ToArray())
        {
            _sessions.Remove(child.SessionId);
            ended.Add(child);
        }
    }

    private bool MakeRoom(int most, Func<PlaybackSession, bool> counts)
    {
        if (_sessions.Values.Count(counts) < most)
            return true;
        Purge();
        if (_sessions.Values.Count(counts) < most)
            return true;
        DateTimeOffset unusedSince = time.GetUtcNow() - UnusedAfter;
        PlaybackSession? idle = _sessions.Values.Where(session => counts(session) && session.UsedAt < unusedSince).MinBy(session => session.UsedAt);
        return idle is not null && _sessions.Remove(idle.SessionId);
    }

    private void Purge()
    {
        DateTimeOffset now = time.GetUtcNow();
        foreach (PlaybackSession session in _sessions.Values)
        {
            // Removing while enumerating is allowed for Dictionary.
            if (IsOver(session, now))
                _sessions.Remove(session.SessionId);
        }
    }
}
