namespace EdgeNode.Streaming;

/// <summary>The playback sessions of the node, bounded in number. Keeps the record only: tokens are minted and checked elsewhere. Thread-safe.</summary>
public sealed class PlaybackSessions(TimeProvider time, int limit = 500)
{
    private readonly Dictionary<string, PlaybackSession> _sessions = [];
    private readonly Lock _gate = new();

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

    /// <summary>Adds a session; null when there are as many as allowed or the id is taken.</summary>
    public PlaybackSession? TryAdd(string sessionId, string cameraId, string userId, DateTimeOffset expiresAt)
    {
        lock (_gate)
        {
            if (_sessions.Count >= limit)
                Purge();
            if (_sessions.Count >= limit)
                return null;
            var session = new PlaybackSession(sessionId, cameraId, userId, time.GetUtcNow(), expiresAt);
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
            if (session.ExpiresAt > time.GetUtcNow())
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

    /// <summary>Ends a session; null when there was none.</summary>
    public PlaybackSession? Remove(string sessionId)
    {
        lock (_gate)
            return _sessions.Remove(sessionId, out PlaybackSession? session) ? session : null;
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

    /// <summary>Sessions of a camera whose player asked for something within the time given.</summary>
    public int CountActive(string cameraId, TimeSpan within)
    {
        DateTimeOffset since = time.GetUtcNow() - within;
        lock (_gate)
            return _sessions.Values.Count(session => session.CameraId == cameraId && session.LastRequestAt >= since);
    }

    private void Purge()
    {
        DateTimeOffset now = time.GetUtcNow();
        foreach (PlaybackSession session in _sessions.Values)
        {
            // Removing while enumerating is allowed for Dictionary.
            if (session.ExpiresAt <= now)
                _sessions.Remove(session.SessionId);
        }
    }
}
