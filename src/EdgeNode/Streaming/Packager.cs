using EdgeNode.Ingest;
using EdgeNode.Streaming.Fmp4;

namespace EdgeNode.Streaming;

/// <summary>
/// Cuts a camera's access units into parts and segments. Everything is decided when a unit arrives, about the units
/// before it: a picture's duration is the distance to the next one. Not thread-safe: its owner locks.
/// </summary>
public sealed class Packager : IDisposable
{
    private const long Second = AccessUnit.TicksPerSecond;
    // EXTINF rounded to whole seconds stays within TARGETDURATION (RFC 8216bis §4.4.3.1).
    private const long RoundingRoom = Second * 45 / 100;
    // Beyond this a picture's place is no truth but a fault.
    private const long LongestReordering = 10 * Second;
    // The first segment may be short, so that a player has one soon.
    private const long ShortestFirstSegment = Second * 4 / 10;
    // Pictures may be decoded this much early to keep parts within PART-TARGET.
    private const long MostDecodeLead = Second;
    // What cameras mostly stay within, where nothing is known of this one.
    private const long UnknownGopTarget = 6 * Second;
    private const int MostWaitingAudio = 1024;
    // Clocks of label and media are kept together by an eighth of their distance a segment, up to this distance.
    private static readonly TimeSpan LabelJitter = TimeSpan.FromMilliseconds(250);

    private readonly PackagingOptions _options;
    private readonly PackagingOrigin _origin;
    private readonly Mp4BoxWriter _writer = new(512);
    private readonly long _segmentTicks;

    // Units whose part is not closed yet, with their places in the packaged timeline.
    private AccessUnit[] _pending = new AccessUnit[32];
    private long[] _decodeTimes = new long[32];
    private long[] _presentationTimes = new long[32];
    private PartSample[] _samples = new PartSample[32];
    private int _pendingCount;

    // Units that wait for the frame rate to be known.
    private List<AccessUnit>? _warmUp = [];
    private long _warmUpBytes;

    // Audio frames that the pictures have not passed yet.
    private readonly Queue<AccessUnit> _waitingAudio = new();
    private AudioFormat? _audioFormat;
    private AudioFormat? _seenAudio;
    private AudioTrack? _audio;

    private InitializationSegment? _initialization;
    private long _gopTicks;
    private bool _awaitsKey = true;
    private bool _breaksTimeline;
    private bool _startsSegment;
    private bool _seenFirst;
    private long _lastSeenDts;
    private VideoFormat? _lastFormat;
    private long _lastDts;
    private long _lastNatural;
    private long _offset;
    private long _recentFrameTicks;
    private uint _fragment;
    private int _nextInitialization;
    private long _nextSequence;
    private long _parts;
    private long _completed;
    private long _dropped;
    private long _joinedGaps;
    private long _overlong;
    private long _forcedCuts;
    private bool _disposed;

    /// <summary>Makes a packager.</summary>
    /// <param name="options">What to aim at.</param>
    /// <param name="longestGop">The longest distance of keyframes seen; zero when unknown: the first GOP then decides.</param>
    /// <param name="origin">Where numbers and times begin.</param>
    /// <param name="audio">The sound that the camera is known to send; null: whatever comes before the first segment tells.</param>
    public Packager(PackagingOptions options, TimeSpan longestGop, PackagingOrigin origin, AudioFormat? audio = null)
    {
        NoteAudio(audio);
        _options = options;
        _origin = origin;
        _gopTicks = (long)(longestGop.TotalSeconds * Second);
        // A keyframe a little early is still the one that is meant.
        _segmentTicks = (long)(options.SegmentDuration.TotalSeconds * Second * 0.9);
        _nextSequence = origin.MediaSequence;
        _nextInitialization = origin.InitializationVersion;
        Window = new MediaWindow(options, origin.DiscontinuitySequence);
    }

    /// <summary>What was packaged.</summary>
    public MediaWindow Window { get; }

    /// <summary>The sound that was packaged; null while there is none.</summary>
    public MediaWindow? AudioWindow => _audio?.Window;

    /// <summary>Counts.</summary>
    public PackagingCounters Counters => new(_parts, _completed, _dropped, _joinedGaps, _overlong, _forcedCuts, Window.EvictedForBytes);

    /// <summary>Where a later run has to begin.</summary>
    public PackagingOrigin Next
    {
        get
        {
            // Units that still warm up have no place yet: nobody has seen any of this run.
            if (_nextSequence == _origin.MediaSequence)
                return _origin;
            return new PackagingOrigin(_nextSequence, _lastNatural + Window.Cadence.FrameTicks, _nextInitialization, DiscontinuitiesSoFar(), true);
        }
    }

    /// <summary>Takes the next unit; keeps a reference where it needs one. Never throws because of what a camera sends.</summary>
    public void OnAccessUnit(AccessUnit unit)
    {
        if (_disposed)
            return;
        if (!Accepts(unit))
        {
            _dropped++;
            return;
        }

        if (_warmUp is null)
        {
            Package(unit, _startsSegment);
            _startsSegment = false;
            return;
        }

        if (_warmUp.Count > 0 && (_startsSegment || unit.Dts <= _warmUp[^1].Dts))
        {
            // The timeline breaks while the frames are still being measured: what is there must do. The break is this unit's, not theirs.
            bool breaks = _breaksTimeline;
            _breaksTimeline = false;
            EndWarmUp();
            _breaksTimeline = breaks;
            Package(unit, _startsSegment);
            _startsSegment = false;
            return;
        }

        _startsSegment = false;
        unit.AddReference();
        _warmUp.Add(unit);
        _warmUpBytes += unit.MemoryBytes;
        if (HasMeasured())
            EndWarmUp();
    }

    /// <summary>Takes the next audio frame, as <see cref="OnAccessUnit"/> takes pictures.</summary>
    public void OnAudio(AccessUnit unit)
    {
        if (_disposed)
            return;
        NoteAudio(unit.Audio);
        if (_audioFormat is null)
            return;
        if (Window.Current is not null && _waitingAudio.Count == 0 && unit.Dts < _lastDts)
        {
            _audio?.Take(unit, unit.Pts + _offset);
            return;
        }

        // Where a segment ends is decided by the picture behind it.
        if (_waitingAudio.Count >= MostWaitingAudio)
            _waitingAudio.Dequeue().Release();
        unit.AddReference();
        _waitingAudio.Enqueue(unit);
    }

    /// <summary>Lets go of all pictures.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        for (int i = 0; i < _pendingCount; i++)
            _pending[i].Release();
        _pendingCount = 0;
        if (_warmUp is not null)
        {
            foreach (AccessUnit unit in _warmUp)
                unit.Release();
        }

        _warmUp = null;
        while (_waitingAudio.TryDequeue(out AccessUnit? frame))
            frame.Release();
        _audio?.Dispose();
        Window.Clear();
        _writer.Dispose();
    }

    private bool Accepts(AccessUnit unit)
    {
        if (unit.StartsTimeline && _seenFirst)
        {
            _breaksTimeline = true;
            _awaitsKey = true;
        }

        bool isOdd = unit.Length == 0 || unit.IsDamaged || Math.Abs(unit.Pts - unit.Dts) > LongestReordering ||
                     !InitializationSegment.IsSupported(unit.Format);
        if (isOdd || (!unit.IsKey && !_awaitsKey && (unit.Dts <= _lastSeenDts || !ReferenceEquals(unit.Format, _lastFormat))))
        {
            // One bad picture spoils those that refer to it: go on with the next keyframe.
            _awaitsKey = true;
            return false;
        }

        if (_awaitsKey)
        {
            if (!unit.IsKey)
                return false;
            _awaitsKey = false;
            _startsSegment = true;
        }

        if (!ReferenceEquals(unit.Format, _lastFormat))
        {
            _startsSegment = true;
            _breaksTimeline |= _lastFormat is not null;
        }

        _lastSeenDts = unit.Dts;
        _lastFormat = unit.Format;
        _seenFirst = true;
        return true;
    }

    private bool HasMeasured()
    {
        int distances = _warmUp!.Count - 1;
        if (distances < 1)
            return false;
        long elapsed = _warmUp[^1].Dts - _warmUp[0].Dts;
        return distances >= 12 || (distances >= 3 && elapsed >= Second) || elapsed >= 2 * Second || _warmUpBytes > _options.MaxBytes / 4;
    }

    private void EndWarmUp()
    {
        List<AccessUnit> units = _warmUp!;
        _warmUp = null;
        long[] distances = new long[Math.Max(1, units.Count - 1)];
        distances[0] = Second / 25; // a single picture tells nothing
        for (int i = 1; i < units.Count; i++)
            distances[i - 1] = units[i].Dts - units[i - 1].Dts;
        Window.Cadence = FrameCadence.Measure(distances, _options);
        _recentFrameTicks = Window.Cadence.FrameTicks;
        bool isFirst = true;
        foreach (AccessUnit unit in units)
        {
            Package(unit, isFirst);
            isFirst = false;
            unit.Release();
        }
    }

    private void Package(AccessUnit unit, bool startsSegment)
    {
        FrameCadence cadence = Window.Cadence;
        long offset = _offset;
        long natural = NaturalDecodeTime(unit);
        PackageAudio(unit.Dts, offset, natural);
        long decodeTime = natural;
        Segment? segment = Window.Current;
        bool isForced = false;
        if (segment is null)
        {
            startsSegment = true;
        }
        else
        {
            long limit = TargetTicks + RoundingRoom;
            long elapsed = decodeTime - segment.DecodeTime;
            if (!startsSegment)
            {
                startsSegment = unit.IsKey && MayEnd(segment, elapsed, limit);
                isForced = !startsSegment && (elapsed + cadence.FrameTicks > limit || Window.MemoryBytes > _options.MaxBytes);
                startsSegment |= isForced;
            }

            if (elapsed > limit)
                decodeTime = Rebase(segment.DecodeTime + limit, ref natural);
        }

        if (_pendingCount > 0)
            decodeTime = cadence.PartTargetTicks > 0 ? CloseParts(decodeTime, startsSegment) : CloseChunk(decodeTime, startsSegment);
        if (startsSegment)
        {
            if (segment is not null)
                CompleteSegment(segment, unit, decodeTime);
            OpenSegment(unit, decodeTime);
            _forcedCuts += isForced && !unit.IsKey ? 1 : 0;
        }

        Append(unit, decodeTime);
        _lastNatural = natural;
        _lastDts = unit.Dts;
        _audio?.Advance(natural);
    }

    // Frames that the pictures pass now, at the offset of the picture before them. What lies in a gap that was closed up is left out.
    private void PackageAudio(long until, long offset, long natural)
    {
        while (_waitingAudio.TryPeek(out AccessUnit? frame) && frame.Dts < until)
        {
            _waitingAudio.Dequeue();
            if (Window.Current is not null && frame.Pts + offset < natural)
                _audio?.Take(frame, frame.Pts + offset);
            frame.Release();
        }
    }

    private void NoteAudio(AudioFormat? format)
    {
        if (format is not null && !ReferenceEquals(format, _seenAudio))
        {
            _seenAudio = format;
            if (AudioTrack.IsSupported(format))
                _audioFormat = format;
        }
    }

    // The camera's clock, shifted so that the packaged timeline always goes on: what is missing is closed up.
    private long NaturalDecodeTime(AccessUnit unit)
    {
        if (Window.Current is null)
        {
            _offset = _origin.DecodeTime - unit.Dts;
            return _origin.DecodeTime;
        }

        long distance = unit.Dts - _lastDts;
        long longest = Math.Max(Second / 2, 4 * _recentFrameTicks);
        if (distance <= 0 || distance > longest)
        {
            _offset = _lastNatural + Window.Cadence.FrameTicks - unit.Dts;
            _joinedGaps++;
        }

        if (distance > 0 && distance < 15 * Second)
            _recentFrameTicks += (distance - _recentFrameTicks) / 8;
        return unit.Dts + _offset;
    }

    // A picture that would stretch its segment beyond the rules comes earlier; far beyond, the timeline moves with it.
    private long Rebase(long latest, ref long natural)
    {
        long tooLate = natural - latest;
        if (tooLate > MostDecodeLead)
        {
            _offset -= tooLate;
            natural = latest;
            _joinedGaps++;
        }

        return latest;
    }

    private bool MayEnd(Segment segment, long elapsed, long limit)
    {
        // The first one is wanted soon; one without a keyframe in front ends as soon as it can.
        if (segment.Sequence == _origin.MediaSequence || !segment.StartsWithKey)
            return elapsed >= Math.Min(ShortestFirstSegment, _segmentTicks);
        // An early keyframe is taken where the next one would come too late.
        return elapsed >= _segmentTicks || (_gopTicks > 0 && elapsed + _gopTicks > limit);
    }

    private long TargetTicks => (Window.TargetDuration > 0 ? Window.TargetDuration : _options.LongestTarget) * Second;

    // Parts but a segment's last are 85 to 100 % of PART-TARGET (RFC 8216bis §4.4.4.9). Returns the decode time of the
    // arriving picture, which may be earlier than its natural one: that changes no presentation, as the composition
    // offset grows by as much.
    private long CloseParts(long decodeTime, bool startsSegment)
    {
        FrameCadence cadence = Window.Cadence;
        if (decodeTime - _decodeTimes[0] > cadence.PartTargetTicks && _pendingCount > 1)
        {
            long last = _decodeTimes[_pendingCount - 1];
            if (last - _decodeTimes[0] >= FrameCadence.ShortestPart * cadence.PartTargetTicks)
                ClosePart(_pendingCount - 1, last);
        }

        long latest = _decodeTimes[0] + cadence.PartTargetTicks;
        if (decodeTime > latest)
        {
            if (decodeTime - latest <= MostDecodeLead && latest > _decodeTimes[_pendingCount - 1])
                decodeTime = latest;
            else
                LeaveParts();
        }

        if (startsSegment || decodeTime - _decodeTimes[0] >= cadence.CloseTicks)
            ClosePart(_pendingCount, decodeTime);
        return decodeTime;
    }

    // The camera became slower than its parts may be, and stays so: PART-TARGET must not change, so there are no more parts in this run.
    private void LeaveParts()
    {
        _overlong++;
        Window.Cadence = new FrameCadence(Window.Cadence.FrameTicks, 0, 0);
        Window.NoteChange();
        _audio?.Follow(Window.Cadence);
    }

    private long CloseChunk(long decodeTime, bool startsSegment)
    {
        if (startsSegment || decodeTime - _decodeTimes[0] >= Second)
            ClosePart(_pendingCount, decodeTime);
        return decodeTime;
    }

    private void ClosePart(int count, long end)
    {
        var units = new AccessUnit[count];
        for (int i = 0; i < count; i++)
        {
            AccessUnit unit = _pending[i];
            units[i] = unit;
            long next = i + 1 < count ? _decodeTimes[i + 1] : end;
            uint flags = unit.IsKey ? PartSample.KeyFlags : unit.IsReference ? PartSample.DependentFlags : PartSample.DisposableFlags;
            _samples[i] = new PartSample((uint)(next - _decodeTimes[i]), (uint)unit.Length, flags, (int)(_presentationTimes[i] - _decodeTimes[i]));
        }

        Segment segment = Window.Current!;
        _writer.Clear();
        PartHeader.Write(_writer, ++_fragment, _decodeTimes[0], _samples.AsSpan(0, count));
        Window.Add(new Part(segment.Sequence, segment.Parts.Count, _decodeTimes[0], end - _decodeTimes[0], _writer.Written.ToArray(), units));
        _parts++;

        _pendingCount -= count;
        Array.Copy(_pending, count, _pending, 0, _pendingCount);
        Array.Clear(_pending, _pendingCount, count);
        Array.Copy(_decodeTimes, count, _decodeTimes, 0, _pendingCount);
        Array.Copy(_presentationTimes, count, _presentationTimes, 0, _pendingCount);
    }

    private void CompleteSegment(Segment segment, AccessUnit next, long end)
    {
        if (Window.TargetDuration == 0)
        {
            // A segment that ended for another reason than a keyframe says nothing about the GOP.
            if (next.IsKey && !_breaksTimeline)
                _gopTicks = Math.Max(_gopTicks, end - segment.DecodeTime);
            Window.TargetDuration = TargetFor(segment.DurationTicks);
        }

        Window.CompleteCurrent();
        _completed++;
    }

    private int TargetFor(long firstSegmentTicks)
    {
        long longest = UnknownGopTarget;
        if (_gopTicks > 0)
        {
            long gop = Math.Max(_gopTicks, Window.Cadence.FrameTicks);
            longest = (_segmentTicks + gop - 1) / gop * gop;
        }

        longest = Math.Max(longest, firstSegmentTicks);
        long seconds = (longest - Second / 4 + Second - 1) / Second;
        return (int)Math.Clamp(seconds, _options.ShortestTarget, _options.LongestTarget);
    }

    private void OpenSegment(AccessUnit unit, long decodeTime)
    {
        Segment? before = Window.Current;
        if (_initialization is null || !ReferenceEquals(_initialization.Format, unit.Format))
            _initialization = new InitializationSegment(_nextInitialization++, unit.Format);
        bool isDiscontinuity = before is null ? _origin.ContinuesRun : _breaksTimeline;
        _breaksTimeline = false;
        var segment = new Segment(_nextSequence++, _initialization, Label(unit, before, isDiscontinuity), decodeTime, unit.IsKey, isDiscontinuity);
        if (_audio is null && _audioFormat is not null)
            _audio = new AudioTrack(_options, _audioFormat, () => _nextInitialization++, DiscontinuitiesSoFar());
        Window.Open(segment);
        Window.Trim();
        _audio?.Cut(segment.Sequence, unit.Pts + _offset, segment.ProgramDateTime, isDiscontinuity, Window.Cadence, Window.TargetDuration);
    }

    private long DiscontinuitiesSoFar()
    {
        long discontinuities = Window.DiscontinuitySequence;
        foreach (Segment segment in Window.Segments)
            discontinuities += segment.IsDiscontinuity ? 1 : 0;
        return discontinuities;
    }

    private static DateTime Label(AccessUnit unit, Segment? before, bool isDiscontinuity)
    {
        if (before is null || isDiscontinuity)
            return unit.CapturedAt;
        DateTime expected = before.ProgramDateTime + TimeSpan.FromSeconds((double)before.DurationTicks / Second);
        TimeSpan off = unit.CapturedAt - expected;
        return off.Duration() <= LabelJitter ? expected + off / 8 : unit.CapturedAt;
    }

    private void Append(AccessUnit unit, long decodeTime)
    {
        if (_pendingCount == _pending.Length)
        {
            int larger = _pending.Length * 2;
            Array.Resize(ref _pending, larger);
            Array.Resize(ref _decodeTimes, larger);
            Array.Resize(ref _presentationTimes, larger);
            Array.Resize(ref _samples, larger);
        }

        unit.AddReference();
        _pending[_pendingCount] = unit;
        _decodeTimes[_pendingCount] = decodeTime;
        _presentationTimes[_pendingCount] = unit.Pts + _offset;
        _pendingCount++;
    }
}
