namespace EdgeNode.Ingest.Rtsp;

/// <summary>
/// Puts audio frames on the pictures' clock. By the sender reports of both streams where they have come; else by the times that PLAY's
/// answer gave both (RTP-Info); else by arrival: nothing waits for RTCP, and a report that contradicts arrival by more than
/// 5 s is not believed. What is learnt later does not move the sound at once: it slews by 2 % at most; only an error of more than 2 s,
/// as a camera makes that sets its clock anew, is a jump. Stamps rise strictly.
/// </summary>
internal sealed class AudioClock(StreamClock video, StreamClock audio, TimeProvider clock)
{
    private const long BelievedWithin = 5L * AccessUnit.TicksPerSecond;
    private const long SlewsWithin = 2L * AccessUnit.TicksPerSecond;
    private const int SlewShare = 50;

    // Arrival alone jitters: its mean over some 64 frames counts, and only where it is off by more than a viewer hears.
    private const int MeanOf = 64;
    private const long HeardFrom = AccessUnit.TicksPerSecond / 5;

    private bool _started;
    private long _offset;
    private long _lastTicks;
    private long _last = long.MinValue;
    private double _byArrival;
    private int _reportsSeen;
    private long? _byReports;

    /// <summary>Restamps a frame that the audio's clock has noted; false before the first picture, when there is no clock to put it on.</summary>
    public bool Place(AccessUnit frame)
    {
        if (!video.IsKnown)
            return false;
        long ticks = frame.Pts;
        double arrived = video.Latest + clock.GetElapsedTime(video.LatestAt).TotalSeconds * AccessUnit.TicksPerSecond - ticks;
        _byArrival = _started ? _byArrival + (arrived - _byArrival) / MeanOf : arrived;

        long wanted = Wanted();
        long error = wanted - _offset;
        if (!_started || Math.Abs(error) > SlewsWithin)
        {
            _offset = wanted;
            if (_started)
                _byArrival = arrived;
        }
        else
        {
            long step = Math.Clamp(ticks - _lastTicks, 0, AccessUnit.TicksPerSecond) / SlewShare;
            _offset += Math.Clamp(error, -step, step);
        }

        _started = true;
        _lastTicks = ticks;
        _last = _last == long.MinValue ? ticks + _offset : Math.Max(_last + 1, ticks + _offset);
        frame.Restamp(new AccessUnitTiming(_last, _last, frame.CapturedAt), false);
        return true;
    }

    private long Wanted()
    {
        long byArrival = (long)_byArrival;
        if (_reportsSeen != video.Reports + audio.Reports && video.Reports > 0 && audio.Reports > 0)
        {
            _reportsSeen = video.Reports + audio.Reports;
            _byReports = audio.OffsetByReports(video);
        }

        if (_byReports is { } byReports && Math.Abs(byReports - byArrival) < BelievedWithin)
            return byReports;
        if (video.Start is { } videoStart && audio.Start is { } audioStart)
        {
            long byStart = video.TicksOf(videoStart) - audio.TicksOf(audioStart);
            if (Math.Abs(byStart - byArrival) < BelievedWithin)
                return byStart;
        }

        return _started && Math.Abs(byArrival - _offset) < HeardFrom ? _offset : byArrival;
    }
}
