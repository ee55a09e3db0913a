using EdgeNode.Streaming.Fmp4;

namespace EdgeNode.Streaming;

/// <summary>
/// The segments that a live stream lists, and those that a player may still ask for. Filled by <see cref="Packager"/>, read by requests,
/// both under the owner's lock. The last segment is the one in progress.
/// </summary>
public sealed class MediaWindow
{
    private readonly PackagingOptions _options;
    private readonly List<Segment> _segments = [];
    private readonly List<InitializationSegment> _initializations = [];
    // Segments that have left the list stay for their own duration and that of the longest playlist that had them (RFC 8216bis
    // §6.2.2), in media time, which is what a player that fell behind counts in. They are the first to go where memory is short.
    private readonly Queue<(Segment Segment, long UntilTicks)> _left = new();
    private long _listedTicks;
    private long _longestListedTicks;
    private long _endTicks;

    internal MediaWindow(PackagingOptions options, long discontinuitySequence)
    {
        _options = options;
        DiscontinuitySequence = discontinuitySequence;
    }

    /// <summary>Rises with each change that a playlist shows.</summary>
    public long Version { get; private set; }

    /// <summary>Listed segments, oldest first; the last one is in progress and may have no parts yet.</summary>
    public IReadOnlyList<Segment> Segments => _segments;

    /// <summary>The segment in progress; null before the first.</summary>
    public Segment? Current => _segments.Count > 0 ? _segments[^1] : null;

    /// <summary>Complete segments listed.</summary>
    public int CompleteCount => _segments.Count > 0 ? _segments.Count - 1 : 0;

    /// <summary>EXT-X-DISCONTINUITY-SEQUENCE: discontinuities that left with their segments.</summary>
    public long DiscontinuitySequence { get; private set; }

    /// <summary>EXT-X-TARGETDURATION in seconds; 0 until the first segment is complete, then it never changes (RFC 8216bis §6.2.1).</summary>
    public int TargetDuration { get; internal set; }

    /// <summary>The camera's frames and parts.</summary>
    public FrameCadence Cadence { get; internal set; }

    /// <summary>Every segment so far began with a keyframe.</summary>
    public bool AreSegmentsIndependent { get; private set; } = true;

    /// <summary>Memory held by parts.</summary>
    public long MemoryBytes { get; private set; }

    /// <summary>Segments that left early because the bound in bytes was reached.</summary>
    public long EvictedForBytes { get; private set; }

    /// <summary>Highest bit rate of a complete segment (RFC 8216bis §4.4.6.2, BANDWIDTH).</summary>
    public double PeakBitsPerSecond { get; private set; }

    /// <summary>Bit rate of all that was packaged so far.</summary>
    public double AverageBitsPerSecond => _allTicks > 0 ? _allBytes * 8.0 * Ingest.AccessUnit.TicksPerSecond / _allTicks : 0;

    private long _allBytes;
    private long _allTicks;

    /// <summary>The segment of a Media Sequence Number, listed or just gone; null when it is not there.</summary>
    public Segment? Find(long sequence)
    {
        foreach ((Segment left, _) in _left)
        {
            if (left.Sequence == sequence)
                return left;
        }

        if (_segments.Count == 0)
            return null;
        long index = sequence - _segments[0].Sequence;
        return index >= 0 && index < _segments.Count ? _segments[(int)index] : null;
    }

    /// <summary>The initialization section of a number; null when nothing held needs it.</summary>
    public InitializationSegment? FindInitialization(int version)
    {
        foreach (InitializationSegment initialization in _initializations)
        {
            if (initialization.Version == version)
                return initialization;
        }

        return null;
    }

    internal void Open(Segment segment)
    {
        _segments.Add(segment);
        if (!_initializations.Contains(segment.Initialization))
            _initializations.Add(segment.Initialization);
        AreSegmentsIndependent &= segment.StartsWithKey;
    }

    /// <summary>Another one takes the place of the current segment, which has no parts yet.</summary>
    internal void ReplaceCurrent(Segment segment)
    {
        _segments.RemoveAt(_segments.Count - 1);
        Open(segment);
    }

    internal void Add(Part part)
    {
        Current!.Add(part);
        MemoryBytes += part.MemoryBytes;
        _allBytes += part.TotalBytes;
        _allTicks += part.DurationTicks;
        _endTicks = part.DecodeTime + part.DurationTicks;
        _listedTicks += part.DurationTicks;
        _longestListedTicks = Math.Max(_longestListedTicks, _listedTicks);
        if (Cadence.PartTargetTicks > 0)
            Version++;
        while (_left.Count > 0 && (_left.Peek().UntilTicks <= _endTicks || MemoryBytes > _options.MaxBytes))
            Drop();
        while (MemoryBytes > _options.MaxBytes && CompleteCount > 0)
        {
            Evict();
            Drop();
            EvictedForBytes++;
        }
    }

    internal void NoteChange() => Version++;

    internal void CompleteCurrent()
    {
        Segment segment = Current!;
        segment.IsComplete = true;
        PeakBitsPerSecond = Math.Max(PeakBitsPerSecond, segment.TotalBytes * 8.0 * Ingest.AccessUnit.TicksPerSecond / Math.Max(1, segment.DurationTicks));
        Version++;
    }

    /// <summary>Lets the oldest segments go as far as the rules allow. The current segment must be open.</summary>
    internal void Trim()
    {
        while (CompleteCount > _options.ListedSegments && LastsWithoutOldest() && CanStartWithoutOldest())
            Evict();
    }

    internal void Clear()
    {
        while (_left.Count > 0)
            Drop();
        foreach (Segment segment in _segments)
            segment.Release();
        _segments.Clear();
        _initializations.Clear();
        MemoryBytes = 0;
    }

    // RFC 8216bis §6.2.2: never fewer than three target durations.
    private bool LastsWithoutOldest()
    {
        long ticks = 0;
        for (int i = 1; i < CompleteCount; i++)
            ticks += _segments[i].DurationTicks;
        // A little more than that: players add up rounded durations.
        return ticks >= 3L * TargetDuration * Ingest.AccessUnit.TicksPerSecond + Ingest.AccessUnit.TicksPerSecond / 1000;
    }

    // Where GOPs are longer than the window a player must still find a picture to begin with.
    private bool CanStartWithoutOldest()
    {
        for (int i = 1; i < _segments.Count; i++)
        {
            if (_segments[i].StartsWithKey)
                return true;
        }

        return false;
    }

    private void Evict()
    {
        Segment oldest = _segments[0];
        _segments.RemoveAt(0);
        if (oldest.IsDiscontinuity)
            DiscontinuitySequence++;
        _left.Enqueue((oldest, _endTicks + oldest.DurationTicks + _longestListedTicks));
        _listedTicks -= oldest.DurationTicks;
        Version++;
    }

    private void Drop()
    {
        Segment segment = _left.Dequeue().Segment;
        MemoryBytes -= segment.MemoryBytes;
        segment.Release();
        Segment? oldest = _left.Count > 0 ? _left.Peek().Segment : _segments.Count > 0 ? _segments[0] : null;
        while (_initializations.Count > 0 && oldest is not null && _initializations[0] != oldest.Initialization)
            _initializations.RemoveAt(0);
    }
}
