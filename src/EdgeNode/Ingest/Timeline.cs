namespace EdgeNode.Ingest;

/// <summary>
/// One camera's continuous media time, 90 kHz ticks since its ingest began. Each connection's stamps are moved onto it;
/// a stamp that does not rise or leaps by more than 5 s is re-stamped after its predecessor, and three such in a row are
/// taken for a new timeline of the camera (recorders stamp single frames hours away; cameras restart their clocks).
/// </summary>
public sealed class Timeline
{
    private const long LongestStep = 5L * AccessUnit.TicksPerSecond;
    private const int RogueStampsForNewTimeline = 3;
    private const long DefaultStep = AccessUnit.TicksPerSecond / 25;

    private readonly TimeProvider _time;
    private readonly long _startTimestamp;
    private long _offset;
    private long _lastDts = long.MinValue;
    private long _lastStep = DefaultStep;
    private int _rogueRun;
    private bool _startsConnection = true;

    /// <summary>A timeline that begins now.</summary>
    public Timeline(TimeProvider time)
    {
        _time = time;
        _startTimestamp = time.GetTimestamp();
    }

    /// <summary>Stamps that were repaired since the start.</summary>
    public long Repaired { get; private set; }

    /// <summary>The next stamps come from another connection.</summary>
    public void BeginConnection() => _startsConnection = true;

    /// <summary>Puts the unit on the timeline; its stamps rise strictly from call to call.</summary>
    public void Place(AccessUnit unit)
    {
        bool startsTimeline = false;
        if (_startsConnection)
        {
            startsTimeline = _lastDts != long.MinValue;
            _startsConnection = false;
            _rogueRun = 0;
            long elapsed = (long)(_time.GetElapsedTime(_startTimestamp).TotalSeconds * AccessUnit.TicksPerSecond);
            _offset = Math.Max(elapsed, After(_lastDts)) - unit.Dts;
        }

        long dts = unit.Dts + _offset;
        if (_lastDts != long.MinValue && !startsTimeline)
        {
            if (dts <= _lastDts || dts - _lastDts > LongestStep)
            {
                Repaired++;
                long repaired = After(_lastDts);
                if (++_rogueRun >= RogueStampsForNewTimeline)
                {
                    _offset = repaired - unit.Dts;
                    _rogueRun = 0;
                }

                dts = repaired;
            }
            else
            {
                _rogueRun = 0;
                _lastStep = dts - _lastDts;
            }
        }

        long reorder = Math.Clamp(unit.Pts - unit.Dts, 0, LongestStep);
        _lastDts = dts;
        unit.Restamp(new AccessUnitTiming(dts, dts + reorder, unit.CapturedAt), startsTimeline || unit.StartsTimeline);
    }

    private long After(long dts) => dts == long.MinValue ? 0 : dts + _lastStep;
}
