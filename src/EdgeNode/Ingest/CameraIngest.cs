using Microsoft.Extensions.Logging;

namespace EdgeNode.Ingest;

/// <summary>
/// The one thread that keeps a camera's pictures coming: opens the source, reads it, shares its units through the
/// <see cref="GopBuffer"/>, and tries again for ever when it goes away.
/// </summary>
public sealed class CameraIngest : IDisposable
{
    private const int StackBytes = 256 << 10;
    private const string AwaitsKeyframe = "It is connected; waiting for a keyframe.";
    private static readonly TimeSpan LongGop = TimeSpan.FromSeconds(10);

    private readonly Func<IVideoSource> _openSource;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Action<CameraStatus> _onStatus;
    private readonly ManualResetEventSlim _stop = new();
    private readonly Lock _gate = new();
    private readonly Timeline _timeline;
    private readonly Thread _thread;
    private IVideoSource? _source;
    private CameraStatus _status;
    private long _lostBefore;
    private string? _leftOutAudio;
    private int _failedStarts;
    private bool _isStarted;

    /// <summary>
    /// Ingest of camera <paramref name="id"/>, from sources that <paramref name="openSource"/> makes, one a try.
    /// <paramref name="onStatus"/> is called on the ingest thread at each change of state.
    /// </summary>
    public CameraIngest(string id, Func<IVideoSource> openSource, Action<CameraStatus> onStatus, TimeProvider time, ILogger log)
    {
        Id = id;
        _openSource = openSource;
        _onStatus = onStatus;
        _time = time;
        _log = log;
        _timeline = new Timeline(time);
        _status = new CameraStatus(CameraState.Connecting, time.GetUtcNow().UtcDateTime, null);
        Statistics = new IngestStatistics(time);
        _thread = new Thread(Run, StackBytes) { IsBackground = true, Name = $"ingest {id}" };
    }

    /// <summary>The camera's id.</summary>
    public string Id { get; }

    /// <summary>Where its units go.</summary>
    public GopBuffer Gop { get; } = new();

    /// <summary>What came so far.</summary>
    public IngestStatistics Statistics { get; }

    /// <summary>Stamps that had to be repaired. From any thread.</summary>
    public long RepairedStamps => _timeline.Repaired;

    /// <summary>GOPs that were larger than what is kept (<see cref="GopBuffer.Trouble"/>).</summary>
    public long DroppedGops => Gop.DroppedGops;

    /// <summary>GOPs in which packets were lost: no face event comes of them.</summary>
    public long DamagedGops => Statistics.DamagedGops;

    /// <summary>Packets that never came, over all connections. From any thread.</summary>
    public long LostPackets
    {
        get
        {
            lock (_gate)
                return _lostBefore + (_source?.LostPackets ?? 0);
        }
    }

    /// <summary>What the camera's audio is that is left out, such as <c>G.711 A-law</c>; null when there is none. From any thread.</summary>
    public string? LeftOutAudio => Volatile.Read(ref _leftOutAudio);

    /// <summary>The parameters of the newest audio frame; null before the first.</summary>
    public AudioFormat? Audio { get; private set; }

    /// <summary>Times that it was tried to open the source.</summary>
    public long Tries { get; private set; }

    /// <summary>Times that the source was opened with success.</summary>
    public long Connections { get; private set; }

    /// <summary>What would do the stream good, one sentence for the user; null where nothing is to be said.</summary>
    public string? Advice => Gop.Trouble ?? (Gop.LongestGop > LongGop
        ? $"Its keyframes are up to {Gop.LongestGop.TotalSeconds:0} s apart: viewers start and recover sooner with a keyframe interval of 2 s ('smart codec' off)."
        : null);

    /// <summary>The parameters of the newest picture; null before the first.</summary>
    public VideoFormat? Format { get; private set; }

    /// <summary>The state now.</summary>
    public CameraStatus Status => Volatile.Read(ref _status);

    /// <summary>Starts the thread.</summary>
    public void Start()
    {
        _onStatus(Status);
        _thread.Start();
    }

    /// <summary>Ends the connection and the thread, within the source's own bounds.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _stop.Set();
            _source?.Abort();
        }

        // A thread that hangs in a dead camera gives back what it holds when it comes back: nobody else may meanwhile.
        if (_thread.ThreadState.HasFlag(ThreadState.Unstarted))
            Gop.Dispose();
        else
            _thread.Join(TimeSpan.FromSeconds(3));
    }

    /// <summary>
    /// A source says, on the ingest thread, why no pictures come although the camera sends: it is shown until one does, and is no reason to connect anew.
    /// </summary>
    public void Remark(string reason) => Publish(_status.State == CameraState.Streaming ? CameraState.Stalled : _status.State, reason);

    private void Run()
    {
        try
        {
            ConnectAgainAndAgain();
        }
        finally
        {
            Gop.Dispose();
        }
    }

    private void ConnectAgainAndAgain()
    {
        var backoff = new Backoff(Random.Shared);
        while (!_stop.IsSet)
        {
            // Whatever escaped from here would end the whole process, and with it the other cameras.
            TimeSpan wait;
            try
            {
                SourceException trouble = RunConnection(backoff);
                if (_stop.IsSet)
                    return;
                wait = backoff.Next(trouble.Trouble);
                if (!_isStarted && trouble.Trouble == SourceTrouble.Stalled)
                    _failedStarts++;
                Publish(StateFor(trouble.Trouble), trouble.Message);
            }
            catch (Exception fault)
            {
                wait = backoff.Next(SourceTrouble.Closed);
                LogFault(fault);
            }

            _stop.Wait(wait);
        }
    }

    private static CameraState StateFor(SourceTrouble trouble) => trouble switch
    {
        SourceTrouble.Stalled => CameraState.Stalled,
        SourceTrouble.Unauthorized or SourceTrouble.NotFound or SourceTrouble.Unsupported => CameraState.Failed,
        _ => CameraState.Connecting,
    };

    private SourceException RunConnection(Backoff backoff)
    {
        IVideoSource? source = null;
        try
        {
            _isStarted = false;
            Tries++;
            source = _openSource();
            lock (_gate)
            {
                if (_stop.IsSet)
                    return Closed();
                _source = source;
            }

            source.GrantPatience(_failedStarts);
            source.Open();
            Volatile.Write(ref _leftOutAudio, source.LeftOutAudio);
            _timeline.BeginConnection();
            Connections++;
            // A camera that connects and then says nothing, again and again, stays stalled.
            if (_status.State != CameraState.Stalled)
                Publish(CameraState.Connecting, AwaitsKeyframe);
            while (!_stop.IsSet)
            {
                AccessUnit? unit = source.Read();
                if (unit is null)
                    return new SourceException(SourceTrouble.Closed, "The stream came to its end.");
                try
                {
                    Take(unit, backoff);
                }
                finally
                {
                    unit.Release();
                }
            }

            return Closed();
        }
        catch (SourceException trouble)
        {
            return trouble;
        }
        catch (Exception fault)
        {
            LogFault(fault);
            return new SourceException(SourceTrouble.Closed, $"An internal fault ({fault.GetType().Name}) ended the connection.");
        }
        finally
        {
            lock (_gate)
            {
                _lostBefore += _source?.LostPackets ?? 0;
                _source = null;
            }

            Close(source);
        }
    }

    private void Take(AccessUnit unit, Backoff backoff)
    {
        if (unit.Audio is null && (!_isStarted || _status.State != CameraState.Streaming))
        {
            _isStarted = true;
            _failedStarts = 0;
            backoff.Reset();
            Publish(CameraState.Streaming, null);
        }

        if (!_timeline.Place(unit))
            return;
        if (unit.Audio is null)
            Format = unit.Format;
        else
            Audio = unit.Audio;
        Statistics.Count(unit);
        Gop.Push(unit);
    }

    private void Close(IVideoSource? source)
    {
        try
        {
            source?.Dispose();
        }
        catch (Exception fault)
        {
            LogFault(fault);
        }
    }

    // The fault's text may hold what a camera sent.
    private void LogFault(Exception fault)
    {
        try
        {
            _log.LogError("Camera {Camera}: {Fault} while reading it; it is opened anew.", Id, fault.GetType().Name);
        }
        catch (Exception)
        {
            // A log that cannot be written is no reason to lose the camera.
        }
    }

    private void Publish(CameraState state, string? reason)
    {
        CameraStatus now = _status;
        if (now.State == state && now.Reason == reason)
            return;
        DateTime since = now.State == state ? now.Since : _time.GetUtcNow().UtcDateTime;
        Volatile.Write(ref _status, new CameraStatus(state, since, reason));
        if (reason is null or AwaitsKeyframe)
            _log.LogInformation("Camera {Camera} is {State}.", Id, CameraStateNames.Of(state));
        else
            _log.LogWarning("Camera {Camera} is {State}: {Reason}", Id, CameraStateNames.Of(state), reason);
        _onStatus(_status);
    }

    private static SourceException Closed() => new(SourceTrouble.Closed, "The camera was closed.");
}
