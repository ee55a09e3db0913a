using EdgeNode.Ingest;

namespace EdgeNode.Tests.Streaming;

/// <summary>A camera under the test's hand: keeps the units since the keyframe before the last and replays them.</summary>
internal sealed class TestFeed : IAccessUnitFeed, IDisposable
{
    private readonly Lock _gate = new();
    private readonly List<AccessUnit> _kept = [];
    private readonly List<IAccessUnitSink> _sinks = [];

    public TimeSpan LongestGop { get; set; }

    public int SinkCount
    {
        get
        {
            lock (_gate)
                return _sinks.Count;
        }
    }

    /// <summary>Takes over the reference.</summary>
    public void Push(AccessUnit unit)
    {
        lock (_gate)
        {
            if (unit.IsKey)
            {
                int lastKey = _kept.FindLastIndex(kept => kept.IsKey);
                for (int i = 0; i < lastKey; i++)
                    _kept[i].Release();
                _kept.RemoveRange(0, Math.Max(0, lastKey));
            }

            _kept.Add(unit);
            foreach (IAccessUnitSink sink in _sinks)
                sink.OnAccessUnit(unit);
        }
    }

    public IDisposable Attach(IAccessUnitSink sink)
    {
        lock (_gate)
        {
            foreach (AccessUnit unit in _kept)
                sink.OnAccessUnit(unit);
            _sinks.Add(sink);
        }

        return new Subscription(this, sink);
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (AccessUnit unit in _kept)
                unit.Release();
            _kept.Clear();
        }
    }

    private sealed class Subscription(TestFeed feed, IAccessUnitSink sink) : IDisposable
    {
        public void Dispose()
        {
            lock (feed._gate)
                feed._sinks.Remove(sink);
        }
    }
}
