using EdgeNode.Ingest;

namespace EdgeNode.Streaming;

/// <summary>
/// The live view of one camera: packages while somebody watches, once for all viewers, and answers their requests.
/// Starts with the first playlist request; 30 s after the last request it stops and frees everything. Thread-safe.
/// </summary>
public sealed class LiveStream : IDisposable
{
    private readonly IAccessUnitFeed _feed;
    private readonly Func<AudioFormat?>? _audio;
    private readonly TimeProvider _time;
    private readonly PackagingOptions _options;
    private readonly ITimer _idle;
    private readonly Lock _gate = new();

    private LiveStreamRun? _run;
    private PackagingOrigin _origin;
    private PackagingCounters _pastCounters;
    private long _lastRequest;
    private int _waiting;
    private long _runs;
    private bool _disposed;

    /// <summary>Makes the live view of a camera; nothing runs yet. <paramref name="origin"/>: behind what earlier stream of the camera it goes on; <paramref name="audio"/>: the sound that it is known to send.</summary>
    public LiveStream(string cameraId, IAccessUnitFeed feed, TimeProvider time, PackagingOptions? options = null, PackagingOrigin? origin = null, Func<AudioFormat?>? audio = null)
    {
        _origin = origin ?? PackagingOrigin.First;
        CameraId = cameraId;
        _audio = audio;
        _feed = feed;
        _time = time;
        _options = options ?? new PackagingOptions();
        _idle = time.CreateTimer(static state => ((LiveStream)state!).StopIfIdle(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The camera.</summary>
    public string CameraId { get; }

    /// <summary>Where the next run begins; after <see cref="Dispose"/>, where a stream that takes this one's place goes on.</summary>
    public PackagingOrigin NextOrigin
    {
        get
        {
            lock (_gate)
                return _origin;
        }
    }

    /// <summary>Packaging goes on now.</summary>
    public bool IsRunning
    {
        get
        {
            lock (_gate)
                return _run is not null;
        }
    }

    /// <summary>About how many players follow the live edge: those that wait now or waited when the last part came.</summary>
    public int ViewerCount
    {
        get
        {
            lock (_gate)
                return _run is null ? 0 : Math.Max(_run.Viewers, _run.ViewersAtLastChange);
        }
    }

    /// <summary>Memory held by parts, bytes: shared with whoever else holds the same pictures.</summary>
    public long MemoryBytes
    {
        get
        {
            lock (_gate)
            {
                if (_run is null)
                    return 0;
                lock (_run.Gate)
                    return _run.Packager.Window.MemoryBytes + (_run.Packager.AudioWindow?.MemoryBytes ?? 0);
            }
        }
    }

    /// <summary>How many times packaging was started.</summary>
    public long Runs
    {
        get
        {
            lock (_gate)
                return _runs;
        }
    }

    /// <summary>Counts over all runs.</summary>
    public PackagingCounters Counters
    {
        get
        {
            lock (_gate)
            {
                if (_run is null)
                    return _pastCounters;
                lock (_run.Gate)
                    return _pastCounters + _run.Packager.Counters;
            }
        }
    }

    /// <summary>Starts packaging unless it runs, and counts as a request.</summary>
    public void EnsureStarted() => Start();

    /// <summary>Stops packaging and frees everything; waiting requests are answered 503. The next request starts it again.</summary>
    public void Stop()
    {
        LiveStreamRun? run;
        lock (_gate)
            run = Leave();
        run?.Detach();
    }

    /// <summary>Stops for good.</summary>
    public void Dispose()
    {
        LiveStreamRun? run;
        lock (_gate)
        {
            _disposed = true;
            run = Leave();
        }

        run?.Detach();
        _idle.Dispose();
    }

    /// <summary>
    /// The media playlist. Without <paramref name="msn"/> as it is now (the first one waits until there is a segment: hls.js
    /// refuses a playlist that has parts only); with it, as soon as it lists that segment or part (RFC 8216bis §6.2.5.2).
    /// </summary>
    /// <param name="msn"><c>_HLS_msn</c>.</param>
    /// <param name="part"><c>_HLS_part</c>.</param>
    /// <param name="skip"><c>_HLS_skip=YES</c>: a delta update will do.</param>
    /// <param name="cancellation">The viewer has gone.</param>
    public ValueTask<PlaylistAnswer> GetMediaPlaylistAsync(long? msn, int? part, bool skip, CancellationToken cancellation = default) =>
        GetMediaPlaylistAsync(MediaTrack.Video, msn, part, skip, cancellation);

    /// <summary>The media playlist of one track, as <see cref="GetMediaPlaylistAsync(long?, int?, bool, CancellationToken)"/> gives the video's.</summary>
    public ValueTask<PlaylistAnswer> GetMediaPlaylistAsync(MediaTrack track, long? msn, int? part, bool skip, CancellationToken cancellation = default)
    {
        if (msn < 0 || part < 0 || (part is not null && msn is null))
            return new(new PlaylistAnswer(LiveStatus.BadRequest, null));
        LiveStreamRun run = Start();
        lock (run.Gate)
        {
            if (run.TryPlaylist(track, msn, part, skip) is { } answer)
                return new(answer);
        }

        return AwaitAsync(run, r => r.TryPlaylist(track, msn, part, skip), new PlaylistAnswer(LiveStatus.Unavailable, null), track, track == MediaTrack.Video, cancellation);
    }

    /// <summary>The multivariant playlist; waits for the first segment, as its rates are measured.</summary>
    public ValueTask<PlaylistAnswer> GetMultivariantPlaylistAsync(CancellationToken cancellation = default)
    {
        LiveStreamRun run = Start();
        lock (run.Gate)
        {
            if (run.TryMultivariantPlaylist() is { } answer)
                return new(answer);
        }

        return AwaitAsync(run, static r => r.TryMultivariantPlaylist(), new PlaylistAnswer(LiveStatus.Unavailable, null), MediaTrack.Video, true, cancellation);
    }

    /// <summary>A part. The one that the playlist hints at is waited for; nothing else that is not there.</summary>
    public ValueTask<MediaAnswer> GetPartAsync(long msn, int part, CancellationToken cancellation = default) => GetPartAsync(MediaTrack.Video, msn, part, cancellation);

    /// <summary>A part of one track.</summary>
    public ValueTask<MediaAnswer> GetPartAsync(MediaTrack track, long msn, int part, CancellationToken cancellation = default)
    {
        if (Running() is not { } run)
            return new(new MediaAnswer(LiveStatus.NotFound, null));
        lock (run.Gate)
        {
            if (run.TryPart(track, msn, part) is { } answer)
                return new(answer);
        }

        return AwaitAsync(run, r => r.TryPart(track, msn, part), new MediaAnswer(LiveStatus.Unavailable, null), track, false, cancellation);
    }

    /// <summary>A complete segment, held until the body is disposed; null when it is not there.</summary>
    public MediaBody? TryGetSegment(long msn, MediaTrack track = MediaTrack.Video)
    {
        if (Running() is not { } run)
            return null;
        lock (run.Gate)
            return run.WindowOf(track)?.Find(msn) is { IsComplete: true } segment ? MediaBody.TryHold(segment.Parts) : null;
    }

    /// <summary>An initialization section; null when nothing that is there needs it.</summary>
    public ReadOnlyMemory<byte>? GetInitialization(int version, MediaTrack track = MediaTrack.Video)
    {
        if (Running() is not { } run)
            return null;
        lock (run.Gate)
            return run.WindowOf(track)?.FindInitialization(version)?.Bytes;
    }

    private LiveStreamRun Start()
    {
        LiveStreamRun run;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _lastRequest = _time.GetTimestamp();
            if (_run is not null)
                return _run;
            run = _run = new LiveStreamRun(_options, _feed.LongestGop, _origin, _audio?.Invoke());
            _runs++;
            _idle.Change(_options.IdleTimeout, Timeout.InfiniteTimeSpan);
        }

        // Outside the lock: the feed replays under its own.
        try
        {
            run.Attach(_feed);
        }
        catch
        {
            Stop();
            throw;
        }

        return run;
    }

    private LiveStreamRun? Running()
    {
        lock (_gate)
        {
            _lastRequest = _time.GetTimestamp();
            return _run;
        }
    }

    private void StopIfIdle()
    {
        LiveStreamRun? run = null;
        lock (_gate)
        {
            if (_run is null)
                return;
            TimeSpan idle = Volatile.Read(ref _waiting) > 0 ? TimeSpan.Zero : _time.GetElapsedTime(_lastRequest);
            if (idle >= _options.IdleTimeout)
                run = Leave();
            else
                _idle.Change(_options.IdleTimeout - idle, Timeout.InfiniteTimeSpan);
        }

        run?.Detach();
    }

    private LiveStreamRun? Leave()
    {
        LiveStreamRun? run = _run;
        if (run is null)
            return null;
        _run = null;
        lock (run.Gate)
        {
            _pastCounters += run.Packager.Counters;
            _origin = run.Packager.Next;
            run.End();
        }

        return run;
    }

    private async ValueTask<TAnswer> AwaitAsync<TAnswer>(
        LiveStreamRun run, Func<LiveStreamRun, TAnswer?> attempt, TAnswer late, MediaTrack track, bool isViewer, CancellationToken cancellation)
        where TAnswer : struct
    {
        long begin = _time.GetTimestamp();
        Interlocked.Increment(ref _waiting);
        run.AddViewers(isViewer ? 1 : 0);
        try
        {
            while (true)
            {
                Task change;
                TimeSpan left;
                lock (run.Gate)
                {
                    if (run.IsEnded)
                        return late;
                    if (attempt(run) is { } answer)
                        return answer;
                    left = run.LongestWait - _time.GetElapsedTime(begin);
                    if (left <= TimeSpan.Zero)
                        return late;
                    change = run.NextChange(track);
                }

                try
                {
                    await change.WaitAsync(left, _time, cancellation).ConfigureAwait(false);
                }
                catch (TimeoutException)
                {
                    // Looked at once more above, then late.
                }
            }
        }
        finally
        {
            run.AddViewers(isViewer ? -1 : 0);
            lock (_gate)
                _lastRequest = _time.GetTimestamp();
            Interlocked.Decrement(ref _waiting);
        }
    }
}
