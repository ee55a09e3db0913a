namespace EdgeNode.Ingest;

/// <summary>Holds a reader back so that recorded pictures come at the speed at which they were taken. One reader; <see cref="Abort"/> from any thread.</summary>
internal sealed class Pacer : IDisposable
{
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly ManualResetEventSlim _wake = new();
    private long _origin;
    private bool _started;
    private bool _aborted;

    public Pacer(TimeProvider time)
    {
        _time = time;
        _timer = time.CreateTimer(static state => ((ManualResetEventSlim)state!).Set(), _wake, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Blocks until <paramref name="mediaTime"/> since the first call's.</summary>
    /// <returns>How late it is by then; 0 when it was waited for. More than <paramref name="latest"/> shifts all that follow.</returns>
    public TimeSpan WaitUntil(TimeSpan mediaTime, TimeSpan latest)
    {
        if (!_started)
        {
            _started = true;
            _origin = _time.GetTimestamp() - ToTimestamp(mediaTime);
        }

        while (true)
        {
            _wake.Reset();
            TimeSpan late = _time.GetElapsedTime(_origin) - mediaTime;
            if (Volatile.Read(ref _aborted))
                return TimeSpan.Zero;
            if (late > latest)
            {
                _origin += ToTimestamp(late);
                return TimeSpan.Zero;
            }

            if (late >= TimeSpan.Zero)
                return late;

            // Timers count whole milliseconds and would fire early.
            _timer.Change(TimeSpan.FromMilliseconds(Math.Ceiling(-late.TotalMilliseconds)), Timeout.InfiniteTimeSpan);

            // The timer counts from when it was set, which may be later than the clock was read.
            if (_time.GetElapsedTime(_origin) < mediaTime)
                _wake.Wait();
        }
    }

    /// <summary>Ends a wait at once, and makes later ones not wait.</summary>
    public void Abort()
    {
        Volatile.Write(ref _aborted, true);
        _wake.Set();
    }

    public void Dispose() => _timer.Dispose();

    private long ToTimestamp(TimeSpan span) => (long)(span.TotalSeconds * _time.TimestampFrequency);
}
