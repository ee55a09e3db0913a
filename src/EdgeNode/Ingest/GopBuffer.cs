namespace EdgeNode.Ingest;

/// <summary>
/// The access units since the last keyframe but one, and those who consume them. A consumer starts at the older keyframe,
/// so that a viewer has a picture, and a player its hold-back, at once, and analytics that wake see what woke them.
/// Bounded in bytes of memory: a GOP that outgrows the bound is dropped, and consumers who come then get nothing before the next keyframe.
/// Audio frames lie among the pictures as they came.
/// </summary>
public sealed class GopBuffer : IAccessUnitFeed, IDisposable
{
    private readonly Lock _gate = new();
    private readonly List<AccessUnit> _units = [];
    private readonly int _bytesAtMost;
    private Attachment[] _attachments = [];
    private int _newestKey = -1;
    private long _bytes;
    private long _lastKeyDts = long.MinValue;
    private long _longestGopTicks;
    private long _droppedGops;
    private bool _isOverfull;

    /// <summary>A buffer that holds <paramref name="bytesAtMost"/> bytes of memory at most.</summary>
    public GopBuffer(int bytesAtMost = 16 << 20)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytesAtMost);
        _bytesAtMost = bytesAtMost;
    }

    /// <inheritdoc/>
    public TimeSpan LongestGop
    {
        get
        {
            lock (_gate)
                return TimeSpan.FromSeconds((double)_longestGopTicks / AccessUnit.TicksPerSecond);
        }
    }

    /// <summary>Bytes of memory now held.</summary>
    public long Bytes
    {
        get
        {
            lock (_gate)
                return _bytes;
        }
    }

    /// <summary>GOPs that were dropped because they outgrew the bound.</summary>
    public long DroppedGops
    {
        get
        {
            lock (_gate)
                return _droppedGops;
        }
    }

    /// <summary>The newest keyframe, which the caller releases; null when none is held.</summary>
    public AccessUnit? TakeNewestKey()
    {
        lock (_gate)
        {
            if (_newestKey < 0)
                return null;
            AccessUnit key = _units[_newestKey];
            key.AddReference();
            return key;
        }
    }

    /// <summary>
    /// What is the matter with the camera's GOPs, one sentence for the user; null while they fit. Holds from the moment that one is dropped until a
    /// whole one fitted.
    /// </summary>
    public string? Trouble
    {
        get
        {
            lock (_gate)
            {
                return _isOverfull
                    ? $"Its pictures from one keyframe to the next are larger than {_bytesAtMost >> 20} MB, so viewers wait for the next keyframe: set a shorter keyframe interval or a lower bit rate."
                    : null;
            }
        }
    }

    /// <summary>Shares one unit with all consumers; the caller keeps its own reference.</summary>
    public void Push(AccessUnit unit)
    {
        lock (_gate)
        {
            if (unit.StartsTimeline)
                _lastKeyDts = long.MinValue;
            if (unit.IsKey)
                StartGop(unit);
            if (_newestKey >= 0)
                Keep(unit);
            foreach (Attachment attachment in _attachments)
                attachment.Take(unit);
        }
    }

    /// <inheritdoc/>
    public IDisposable Attach(IAccessUnitSink sink)
    {
        lock (_gate)
        {
            var attachment = new Attachment(this, sink);
            foreach (AccessUnit unit in _units)
                attachment.Take(unit);
            _attachments = [.. _attachments, attachment];
            return attachment;
        }
    }

    /// <summary>Forgets what is held: what comes next is another story (the camera was away, its address changed).</summary>
    public void Clear()
    {
        lock (_gate)
        {
            Drop(_units.Count);
            _newestKey = -1;
            _lastKeyDts = long.MinValue;
        }
    }

    /// <summary>Forgets what is held and lets all consumers go.</summary>
    public void Dispose()
    {
        Clear();
        lock (_gate)
            _attachments = [];
    }

    private void StartGop(AccessUnit key)
    {
        if (_lastKeyDts != long.MinValue)
            _longestGopTicks = Math.Max(_longestGopTicks, key.Dts - _lastKeyDts);
        _lastKeyDts = key.Dts;
        if (_newestKey > 0)
            Drop(_newestKey);
        if (_newestKey >= 0)
            _isOverfull = false;
        _newestKey = _units.Count;
    }

    private void Keep(AccessUnit unit)
    {
        if (_bytes + unit.MemoryBytes > _bytesAtMost && _newestKey > 0)
        {
            Drop(_newestKey);
            _newestKey = 0;
        }

        if (_bytes + unit.MemoryBytes > _bytesAtMost)
        {
            Drop(_units.Count);
            _newestKey = -1;
            _droppedGops++;
            _isOverfull = true;
            return;
        }

        unit.AddReference();
        _units.Add(unit);
        _bytes += unit.MemoryBytes;
    }

    private void Drop(int count)
    {
        for (int i = 0; i < count; i++)
        {
            _bytes -= _units[i].MemoryBytes;
            _units[i].Release();
        }

        _units.RemoveRange(0, count);
    }

    private sealed class Attachment(GopBuffer buffer, IAccessUnitSink sink) : IDisposable
    {
        private bool _awaitsKey = true;

        public void Take(AccessUnit unit)
        {
            if (unit.IsKey)
                _awaitsKey = false;
            if (_awaitsKey)
                return;
            if (unit.Audio is null)
                sink.OnAccessUnit(unit);
            else
                sink.OnAudio(unit);
        }

        public void Dispose()
        {
            lock (buffer._gate)
                buffer._attachments = Array.FindAll(buffer._attachments, a => a != this);
        }
    }
}
