namespace EdgeNode.Ingest;

/// <summary>
/// A consumer with a thread of its own: units wait for it in a queue bounded in bytes. When it is slow it loses its own
/// oldest units, up to the next keyframe, and holds up nobody.
/// </summary>
public sealed class GopReader : IAccessUnitSink, IDisposable
{
    private readonly object _gate = new();
    private readonly Queue<AccessUnit> _queue = new();
    private readonly int _bytesAtMost;
    private long _bytes;
    private long _dropped;
    private bool _awaitsKey;
    private bool _closed;

    /// <summary>A reader whose queue holds <paramref name="bytesAtMost"/> bytes of memory at most.</summary>
    public GopReader(int bytesAtMost = 8 << 20) => _bytesAtMost = bytesAtMost;

    /// <summary>Units lost because the consumer was slow.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Units waiting.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _queue.Count;
        }
    }

    /// <inheritdoc/>
    public void OnAccessUnit(AccessUnit unit)
    {
        lock (_gate)
        {
            if (_closed)
                return;
            if (_awaitsKey && !unit.IsKey)
            {
                _dropped++;
                return;
            }

            _awaitsKey = false;
            unit.AddReference();
            _queue.Enqueue(unit);
            _bytes += unit.MemoryBytes;
            if (_bytes > _bytesAtMost)
                DropToNextKey();
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>The reader was closed: nothing comes any more.</summary>
    public bool IsClosed
    {
        get
        {
            lock (_gate)
                return _closed;
        }
    }

    /// <summary>Blocks for the next unit, whose reference the caller releases; null when the reader was closed, or when nothing came for <paramref name="patience"/>.</summary>
    public AccessUnit? Read(TimeSpan patience)
    {
        lock (_gate)
        {
            if (_queue.Count == 0 && !_closed)
                Monitor.Wait(_gate, patience);
            if (_closed || !_queue.TryDequeue(out AccessUnit? unit))
                return null;
            _bytes -= unit.MemoryBytes;
            return unit;
        }
    }

    /// <summary>Wakes a blocked <see cref="Read"/> and gives back what waits.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _closed = true;
            while (_queue.TryDequeue(out AccessUnit? unit))
                unit.Release();
            _bytes = 0;
            Monitor.PulseAll(_gate);
        }
    }

    private void DropToNextKey()
    {
        do
        {
            AccessUnit oldest = _queue.Dequeue();
            _bytes -= oldest.MemoryBytes;
            _dropped++;
            oldest.Release();
        }
        while (_queue.TryPeek(out AccessUnit? next) && !next.IsKey);
        _awaitsKey = _queue.Count == 0;
    }
}
