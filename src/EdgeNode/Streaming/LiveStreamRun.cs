using EdgeNode.Ingest;

namespace EdgeNode.Streaming;

/// <summary>
/// One run of packaging, from the first request to the end of the idle time. <see cref="Gate"/> guards everything: the
/// ingest thread takes it once a unit, requests for as long as they look.
/// </summary>
internal sealed class LiveStreamRun(PackagingOptions options, TimeSpan longestGop, PackagingOrigin origin) : IAccessUnitSink
{
    private MediaPlaylist? _playlist;
    private TaskCompletionSource? _change;
    private IDisposable? _subscription;
    private int _viewers;

    public Lock Gate { get; } = new();

    public Packager Packager { get; } = new(options, longestGop, origin);

    public bool IsEnded { get; private set; }

    public int Viewers => Volatile.Read(ref _viewers);

    public int ViewersAtLastChange { get; private set; }

    /// <summary>Requests wait this long at most (RFC 8216bis §6.2.5.2: three target durations).</summary>
    public TimeSpan LongestWait => IsReady ? TimeSpan.FromSeconds(3 * Packager.Window.TargetDuration) : options.StartTimeout;

    // Without a complete segment neither TARGETDURATION is known nor would hls.js take the playlist.
    private bool IsReady => Packager.Window.CompleteCount > 0;

    public void OnAccessUnit(AccessUnit unit)
    {
        lock (Gate)
        {
            if (IsEnded)
                return;
            long version = Packager.Window.Version;
            Packager.OnAccessUnit(unit);
            if (Packager.Window.Version == version)
                return;
            ViewersAtLastChange = Viewers;
            _change?.TrySetResult();
            _change = null;
        }
    }

    /// <summary>Called without the lock: the feed replays from within.</summary>
    public void Attach(IAccessUnitFeed feed)
    {
        IDisposable subscription = feed.Attach(this);
        lock (Gate)
        {
            if (!IsEnded)
            {
                _subscription = subscription;
                return;
            }
        }

        subscription.Dispose();
    }

    /// <summary>Called without the lock, after <see cref="End"/>.</summary>
    public void Detach()
    {
        IDisposable? subscription;
        lock (Gate)
        {
            subscription = _subscription;
            _subscription = null;
        }

        subscription?.Dispose();
    }

    public void End()
    {
        IsEnded = true;
        Packager.Dispose();
        _change?.TrySetResult();
        _change = null;
    }

    public void AddViewers(int count) => Interlocked.Add(ref _viewers, count);

    /// <summary>Completes at the next change: one for all that wait, and they go on elsewhere than on the ingest thread.</summary>
    public Task NextChange() => (_change ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    /// <summary>The playlist, a refusal, or null: wait.</summary>
    public PlaylistAnswer? TryPlaylist(long? msn, int? part, bool skip)
    {
        if (IsEnded)
            return new PlaylistAnswer(LiveStatus.Unavailable, default);
        if (!IsReady)
            return null;
        switch (msn is { } sequence ? Judge(sequence, part) : LiveStatus.Ok)
        {
            case LiveStatus.Ok:
                return new PlaylistAnswer(LiveStatus.Ok, skip ? Playlist.Delta() : Playlist.Full());
            case LiveStatus.BadRequest:
                return new PlaylistAnswer(LiveStatus.BadRequest, default);
            default:
                return null;
        }
    }

    public PlaylistAnswer? TryMultivariantPlaylist()
    {
        if (IsEnded)
            return new PlaylistAnswer(LiveStatus.Unavailable, default);
        return IsReady ? new PlaylistAnswer(LiveStatus.Ok, MultivariantPlaylist.Write(Packager.Window)) : null;
    }

    /// <summary>The part, or null: it is the next one, wait.</summary>
    public MediaAnswer? TryPart(long msn, int index)
    {
        if (!IsEnded && Packager.Window.Find(msn) is { } segment)
        {
            if (index >= 0 && index < segment.Parts.Count && MediaBody.TryHold([segment.Parts[index]]) is { } body)
                return new MediaAnswer(LiveStatus.Ok, body);
            if (segment == Packager.Window.Current && index == segment.Parts.Count && HasParts)
                return null;
        }

        return new MediaAnswer(LiveStatus.NotFound, null);
    }

    private MediaPlaylist Playlist => _playlist ??= new MediaPlaylist(Packager.Window);

    private bool HasParts => Packager.Window.Cadence.PartTargetTicks > 0;

    // RFC 8216bis §6.2.5.2. Unavailable stands for: not yet.
    private LiveStatus Judge(long msn, int? part)
    {
        MediaWindow window = Packager.Window;
        Segment current = window.Current!;
        // Without parts a segment in progress is not in the playlist.
        long last = HasParts && current.Parts.Count > 0 ? current.Sequence : current.Sequence - 1;
        if (msn > last + 2)
            return LiveStatus.BadRequest;
        if (part is not { } index || !HasParts)
            return msn < current.Sequence ? LiveStatus.Ok : LiveStatus.Unavailable;
        if (window.Find(msn) is { IsComplete: true } segment && index >= segment.Parts.Count)
        {
            // "the server MUST treat the request as one for Part Index 0 of the following Parent Segment"
            msn++;
            index = 0;
        }

        if (msn < current.Sequence)
            return LiveStatus.Ok;
        int available = msn == current.Sequence ? current.Parts.Count : 0;
        if (index < available)
            return LiveStatus.Ok;
        return index >= available + AdvancePartLimit ? LiveStatus.BadRequest : LiveStatus.Unavailable;
    }

    private int AdvancePartLimit
    {
        get
        {
            double target = (double)Packager.Window.Cadence.PartTargetTicks / AccessUnit.TicksPerSecond;
            return target < 1 ? (int)Math.Ceiling(3 / target) : 3;
        }
    }
}
