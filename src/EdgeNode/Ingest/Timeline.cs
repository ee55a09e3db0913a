namespace EdgeNode.Ingest;

/// <summary>
/// One camera's continuous media time, 90 kHz ticks since its ingest began. Each connection's stamps are moved onto it;
/// a stamp that does not rise, or leaps by more than 5 s beyond the time that passed, is re-stamped after its predecessor, and three such in a
/// row are taken for a new timeline of the camera, joined on (recorders stamp single frames hours away; cameras restart their clocks,
/// and RTP's wrap). Nothing waits for RTCP. Audio lies on the same timeline; its odd stamps are its own affair.
/// Media time is the camera's, wall time a label (<see cref="WallClockLabel"/>): neither is ever bent to the other.
/// </summary>
public sealed class Timeline
{
    private const long LongestStep = 5L * AccessUnit.TicksPerSecond;
    private const long LongestOverlap = AccessUnit.TicksPerSecond;
    private const int RogueStampsForNewTimeline = 3;
    private const long DefaultStep = AccessUnit.TicksPerSecond / 25;
    private const long DefaultAudioStep = 1024L * AccessUnit.TicksPerSecond / 48_000;

    private readonly TimeProvider _time;
    private readonly WallClockLabel _label;
    private readonly long _startTimestamp;
    private long _offset;
    private long _lastDts = long.MinValue;
    private long _lastTrueDts = long.MinValue;
    private long _lastStep = DefaultStep;
    private long _lastReorder;
    private long _keyReorder;
    private long _lastArrival;
    private int _rogueRun;
    private bool _startsConnection = true;

    private long _audioOffset;
    private long _lastAudio = long.MinValue;
    private long _lastAudioStep = DefaultAudioStep;
    private int _audioRogueRun;
    private long _repaired;
    private long _newTimelines;

    /// <summary>A timeline that begins now.</summary>
    public Timeline(TimeProvider time)
    {
        _time = time;
        _startTimestamp = _lastArrival = time.GetTimestamp();
        _label = new WallClockLabel(time);
    }

    /// <summary>Stamps of pictures and audio frames that were repaired since the start. From any thread.</summary>
    public long Repaired => Interlocked.Read(ref _repaired);

    /// <summary>Times that the camera's own clock was found to have begun anew within a connection. From any thread.</summary>
    public long NewTimelines => Interlocked.Read(ref _newTimelines);

    /// <summary>The next stamps come from another connection.</summary>
    public void BeginConnection() => _startsConnection = true;

    /// <summary>
    /// Puts the unit on the timeline; the stamps of pictures rise strictly from call to call, and those of audio frames among
    /// themselves. <see cref="AccessUnit.CapturedAt"/>, which was when the unit arrived, becomes the slewed label.
    /// </summary>
    /// <returns>False for audio before a connection's first picture, which has no place yet: leave it out.</returns>
    public bool Place(AccessUnit unit)
    {
        if (unit.Audio is null)
            PlacePicture(unit);
        else if (_startsConnection || !TryPlaceAudio(unit))
            return false;
        return true;
    }

    private void PlacePicture(AccessUnit unit)
    {
        long arrival = _time.GetTimestamp();
        bool startsTimeline = false;
        bool isFirst = _startsConnection;
        long dts;
        if (isFirst)
        {
            startsTimeline = _lastDts != long.MinValue;
            _startsConnection = false;
            _rogueRun = 0;
            _audioOffset = 0;
            long elapsed = ToTicks(_time.GetElapsedTime(_startTimestamp, arrival));
            dts = Math.Max(elapsed, After(_lastDts));
            _offset = dts - unit.Dts;
            _lastTrueDts = dts;
        }
        else
        {
            dts = PlaceNext(unit.Dts, ToTicks(_time.GetElapsedTime(_lastArrival, arrival)));
        }

        _lastDts = dts;
        _lastArrival = arrival;
        long reorder = ReorderOf(unit);
        if (unit.IsKey)
            _keyReorder = reorder;
        if (isFirst)
            _label.Begin(dts, unit.CapturedAt);
        else
            _label.Observe(dts, unit.CapturedAt);

        // Pictures are taken in presentation order, and a keyframe when it comes.
        DateTime capturedAt = _label.At(dts + reorder - _keyReorder);
        unit.Restamp(new AccessUnitTiming(dts, dts + reorder, capturedAt), startsTimeline || unit.StartsTimeline);
    }

    private long PlaceNext(long stamp, long elapsed)
    {
        long dts = stamp + _offset;
        if (dts > _lastDts && dts - _lastDts <= LongestStep + elapsed)
        {
            _rogueRun = 0;
            _lastStep = Math.Clamp(dts - _lastTrueDts, 1, LongestStep);
            _lastTrueDts = dts;
            return dts;
        }

        Interlocked.Increment(ref _repaired);

        // Behind a re-stamped rogue that was put a little too far on: time goes on, and the next stamp fits again.
        if (dts > _lastTrueDts && dts <= _lastDts && _lastDts - dts < LongestOverlap)
        {
            _lastTrueDts = dts;
            return _lastDts + 1;
        }

        long repaired = After(_lastDts);
        if (++_rogueRun >= RogueStampsForNewTimeline)
        {
            Interlocked.Increment(ref _newTimelines);
            _offset = repaired - stamp;
            _audioOffset = 0;
            _rogueRun = 0;
            _lastTrueDts = repaired;
        }

        return repaired;
    }

    private long ReorderOf(AccessUnit unit)
    {
        long reorder = unit.Pts - unit.Dts;
        if (reorder is >= 0 and <= LongestStep)
            return _lastReorder = reorder;
        Interlocked.Increment(ref _repaired);
        return Math.Min(_lastReorder, _keyReorder);
    }

    private bool TryPlaceAudio(AccessUnit unit)
    {
        long at = unit.Dts + _offset + _audioOffset;
        bool isFirst = _lastAudio == long.MinValue;

        // Behind a picture by what a camera may well buffer, ahead by what a file may well interleave.
        if (Math.Abs(at - _lastDts) > LongestStep + ToTicks(_time.GetElapsedTime(_lastArrival)))
        {
            Interlocked.Increment(ref _repaired);
            if (++_audioRogueRun >= RogueStampsForNewTimeline || isFirst)
            {
                // Its clock has nothing to do with that of the pictures: what comes together belongs together.
                _audioOffset += _lastDts - at;
                _audioRogueRun = 0;
                at = _lastDts;
            }
            else
            {
                at = _lastAudio + _lastAudioStep;
            }
        }
        else
        {
            _audioRogueRun = 0;
            if (!isFirst && at > _lastAudio)
                _lastAudioStep = Math.Min(at - _lastAudio, LongestStep);
        }

        if (!isFirst && at <= _lastAudio)
            at = _lastAudio + 1;
        _lastAudio = at;
        unit.Restamp(new AccessUnitTiming(at, at, _label.At(at - _keyReorder)), startsTimeline: false);
        return true;
    }

    private static long ToTicks(TimeSpan span) => (long)(span.TotalSeconds * AccessUnit.TicksPerSecond);

    private long After(long dts) => dts == long.MinValue ? 0 : dts + _lastStep;
}
