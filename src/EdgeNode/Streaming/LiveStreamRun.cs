using EdgeNode.Ingest;

namespace EdgeNode.Streaming;

/// <summary>
/// One run of packaging, from the first request to the end of the idle time. <see cref="Gate"/> guards everything: the
/// ingest thread takes it once a unit, requests for as long as they look.
/// </summary>
internal sealed class LiveStreamRun(PackagingOptions options, TimeSpan longestGop, PackagingOrigin origin, AudioFormat? audio) : IAccessUnitSink
{
    private MediaPlaylist? _playlist;
    private MediaPlaylist? _audioPlaylist;
    private TaskCompletionSource? _change;
    private TaskCompletionSource? _audioChange;
    private IDisposable? _subscription;
    private int _viewers;

    public Lock Gate { get; } = new();

    public Packager Packager { get; } = new(options, longestGop, origin, audio);

    public bool IsEnded { get; private set; }

    public int Viewers => Volatile.Read(ref _viewers);

    public int ViewersAtLastChange { get; private set; }

    /// <summary>Requests wait this long at most (RFC 8216bis §6.2.5.2: three target durations).</summary>
    public TimeSpan LongestWait => IsReady ? TimeSpan.FromSeconds(3 * Packager.Window.TargetDuration) : options.StartTimeout;

    // Without a complete segment neither TARGETDURATION is known nor would hls.js take the playlist.
    private bool IsReady => Packager.Window.CompleteCount > 0;

    private long AudioVersion => Packager.AudioWindow?.Version ?? 0;

    public void OnAccessUnit(AccessUnit unit)
    {
        lock (Gate)
        {
            if (IsEnded)
                return;
            long version = Packager.Window.Version, audioVersion = AudioVersion;
            Packager.OnAccessUnit(unit);
            if (AudioVersion != audioVersion)
                Tell(ref _audioChange);
            if (Packager.Window.Version == version)
                return;
            ViewersAtLastChange = Viewers;
            Tell(ref _change);
            // The sound's playlist comes to be with the first segment.
            if (Packager.Window.CompleteCount <= 1)
                Tell(ref _audioChange);
        }
    }

    public void OnAudio(AccessUnit unit)
    {
        lock (Gate)
        {
            if (IsEnded)
                return;
            long audioVersion = AudioVersion;
            Packager.OnAudio(unit);
            if (AudioVersion != audioVersion)
                Tell(ref _audioChange);
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
        Tell(ref _change);
        Tell(ref _audioChange);
    }

    public void AddViewers(int count) => Interlocked.Add(ref _viewers, count);

    /// <summary>Completes at the next change: one for all that wait, and they go on elsewhere than on the ingest thread.</summary>
    public Task NextChange(MediaTrack track)
    {
        ref TaskCompletionSource? change = ref track == MediaTrack.Video ? ref _change : ref _audioChange;
        return (change ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
    }

    private static void Tell(ref TaskCompletionSource? change)
    {
        change?.TrySetResult();
        change = null;
    }

    public MediaWindow? WindowOf(MediaTrack track) => track == MediaTrack.Video ? Packager.Window : Packager.AudioWindow;

    /// <summary>The playlist, a refusal, or null: wait.</summary>
    public PlaylistAnswer? TryPlaylist(MediaTrack track, long? msn, int? part, bool skip)
    {
        if (IsEnded)
            return new PlaylistAnswer(LiveStatus.Unavailable, null);
        if (!IsReady)
            return null;
        if (WindowOf(track) is not { } window)
            return new PlaylistAnswer(LiveStatus.NotFound, null);
        if (window.CompleteCount == 0)
            return null;
        switch (msn is { } sequence ? Judge(window, sequence, part) : LiveStatus.Ok)
        {
            case LiveStatus.Ok:
                MediaPlaylist playlist = PlaylistOf(track, window);
                return new PlaylistAnswer(LiveStatus.Ok, skip ? playlist.Delta() : playlist.Full());
            case LiveStatus.BadRequest:
                return new PlaylistAnswer(LiveStatus.BadRequest, null);
            default:
                return null;
        }
    }

    public PlaylistAnswer? TryMultivariantPlaylist()
    {
        if (IsEnded)
            return new PlaylistAnswer(LiveStatus.Unavailable, null);
        return IsReady ? new PlaylistAnswer(LiveStatus.Ok, new PlaylistText(MultivariantPlaylist.Write(Packager.Window, Packager.AudioWindow))) : null;
    }

    /// <summary>The part, or null: it is the next one, wait.</summary>
    public MediaAnswer? TryPart(MediaTrack track, long msn, int index)
    {
        if (!IsEnded && WindowOf(track) is { } window && window.Find(msn) is { } segment)
        {
            if (index >= 0 && index < segment.Parts.Count && MediaBody.TryHold([segment.Parts[index]]) is { } body)
                return new MediaAnswer(LiveStatus.Ok, body);
            if (segment == window.Current && index == segment.Parts.Count && HasParts)
                return null;
        }

        return new MediaAnswer(LiveStatus.NotFound, null);
    }

    private MediaPlaylist PlaylistOf(MediaTrack track, MediaWindow window) => track == MediaTrack.Video
        ? _playlist ??= new MediaPlaylist(window, track, () => Packager.AudioWindow)
        : _audioPlaylist ??= new MediaPlaylist(window, track, () => Packager.Window);

    private bool HasParts => Packager.Window.Cadence.PartTargetTicks > 0;

    // RFC 8216bis §6.2.5.2. Unavailable stands for: not yet.
    private LiveStatus Judge(MediaWindow window, long msn, int? part)
    {
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
