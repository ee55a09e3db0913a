namespace EdgeNode.Ingest.Rtsp;

/// <summary>
/// Unwraps RTP's 32-bit timestamps into 64-bit presentation times. A clock that jumps back further than reordering
/// explains goes on behind the last picture instead; jumps ahead are the camera's and stay.
/// </summary>
internal sealed class RtpTimeline
{
    private const int UsualInterval = AccessUnit.TicksPerSecond / 30;
    private const int LongestInterval = 2 * AccessUnit.TicksPerSecond;

    private bool _started;
    private uint _lastTimestamp;
    private long _last;
    private long _latest;

    /// <summary>Ticks from one picture to the next, as last seen.</summary>
    public int Interval { get; private set; } = UsualInterval;

    /// <summary>Presentation time of a picture; <paramref name="reorderDepth"/> tells how far back a clock may go.</summary>
    public long Next(uint timestamp, int reorderDepth)
    {
        int step = unchecked((int)(timestamp - _lastTimestamp));
        _lastTimestamp = timestamp;
        if (!_started)
        {
            _started = true;
            return _last = _latest = timestamp;
        }

        long time = _last + step;
        long furthestBack = reorderDepth == 0 ? 0 : Math.Min(LongestInterval, 2L * (reorderDepth + 1) * Interval);
        if (time < _latest - furthestBack)
            time = _latest + Interval;
        else if (step is > 0 and < LongestInterval)
            Interval = step;
        _last = time;
        _latest = Math.Max(_latest, time);
        return time;
    }

    /// <summary>Another source begins, with timestamps of its own: it goes on behind the last picture.</summary>
    public void Rebase(uint timestamp)
    {
        if (!_started)
            return;
        _lastTimestamp = timestamp;
        _last = _latest + Interval;
    }
}
