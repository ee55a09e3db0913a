namespace EdgeNode.Ingest;

/// <summary>
/// Which time of the node's clock belongs to a place on a camera's timeline. The two clocks drift apart, and packets come late by turns: the label follows the
/// arrivals smoothly, by 1 ms a second at most, so that labels and durations agree for players. What was not seen before it arrived
/// cannot be told from what was sent late, so the first seconds believe the earliest arrival (cameras send the GOP that they hold in a
/// rush). A step of the node's clock, and a gap that stays, move the label at once; media time never moves. One thread at a time.
/// </summary>
internal sealed class WallClockLabel(TimeProvider time)
{
    private const double FastestSlew = 0.001;
    private static readonly TimeSpan Smoothing = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan StaysOff = TimeSpan.FromSeconds(5);

    private readonly long _startTimestamp = time.GetTimestamp();
    private readonly long _base = time.GetUtcNow().UtcDateTime.Ticks; // a double counts microseconds only near zero
    private DateTime _clockStart = time.GetUtcNow().UtcDateTime;
    private double _origin; // of media time 0, 100 ns ticks since the base
    private long _previous;
    private long _beganAt;
    private long _beganOff;
    private bool _isOff;

    /// <summary>The timeline begins at <paramref name="media"/> (90 kHz), which arrived at <paramref name="arrival"/>.</summary>
    public void Begin(long media, DateTime arrival)
    {
        _clockStart = ClockStart();
        _origin = OriginOf(media, arrival);
        _beganAt = time.GetTimestamp();
        _previous = media;
        _isOff = false;
    }

    /// <summary>Learns from one arrival.</summary>
    public void Observe(long media, DateTime arrival)
    {
        TimeSpan passed = FromMedia(media - _previous);
        _previous = media;
        FollowStep();

        double off = OriginOf(media, arrival) - _origin;
        if (Math.Abs(off) > Step.Ticks)
        {
            // A stall of the network looks the same, but it passes.
            if (!_isOff)
                _beganOff = time.GetTimestamp();
            _isOff = true;
            if (time.GetElapsedTime(_beganOff) < StaysOff && !IsSettling(off))
                return;
            _origin += off;
            _isOff = false;
            return;
        }

        _isOff = false;
        if (IsSettling(off))
            _origin += off;
        else
            _origin += Math.Clamp(off * Math.Min(1, passed / Smoothing), -FastestSlew * passed.Ticks, FastestSlew * passed.Ticks);
    }

    /// <summary>The label of a place on the timeline.</summary>
    public DateTime At(long media)
    {
        long ticks = _base + (long)_origin + FromMedia(media).Ticks;
        return new DateTime(Math.Clamp(ticks, 0, DateTime.MaxValue.Ticks), DateTimeKind.Utc);
    }

    private static TimeSpan FromMedia(long media) => TimeSpan.FromTicks((long)((Int128)media * TimeSpan.TicksPerSecond / AccessUnit.TicksPerSecond));

    private double OriginOf(long media, DateTime arrival) => arrival.Ticks - _base - FromMedia(media).Ticks;

    // Earlier than expected, and the beginning is not long ago.
    private bool IsSettling(double off) => off < 0 && time.GetElapsedTime(_beganAt) < Settling;

    private DateTime ClockStart() => time.GetUtcNow().UtcDateTime - time.GetElapsedTime(_startTimestamp);

    private void FollowStep()
    {
        DateTime start = ClockStart();
        TimeSpan step = start - _clockStart;
        _clockStart = start;
        if (step.Duration() > Step)
            _origin += step.Ticks;
    }
}
