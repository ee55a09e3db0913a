using System.Threading.Channels;

namespace EdgeNode.Events;

/// <summary>An event and its place in the log.</summary>
public readonly record struct LoggedEvent(long Cursor, FaceEvent Event);

/// <summary>
/// A piece of the log. <see cref="Next"/> is the cursor to read on from; <see cref="HasGap"/> says that events after the
/// cursor asked for are no longer held.
/// </summary>
public sealed record EventPage(IReadOnlyList<LoggedEvent> Events, long Next, bool HasGap);

/// <summary>
/// The newest events in memory, for consumers that catch up and for those that listen. Who may see which camera is the caller's to
/// say, by the predicate. Cursors rise across restarts of the node too (they begin at its start time), and stay exact in JavaScript. Thread-safe;
/// <see cref="Append"/> never waits.
/// </summary>
public sealed class EventLog
{
    /// <summary>Listeners at most.</summary>
    public const int SubscribersAtMost = 1000;

    private const long CursorsAMillisecond = 1000;

    private readonly Lock _gate = new();
    private readonly FaceEvent[] _ring;
    private readonly long _first;
    private readonly List<EventSubscription> _subscribers = [];
    private long _next;

    /// <summary>A log of the newest <paramref name="capacity"/> events.</summary>
    public EventLog(TimeProvider clock, int capacity = 10_000)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        _ring = new FaceEvent[capacity];
        _first = _next = clock.GetUtcNow().ToUnixTimeMilliseconds() * CursorsAMillisecond;
    }

    /// <summary>Adds an event and hands it to those who listen.</summary>
    public void Append(FaceEvent e)
    {
        lock (_gate)
        {
            var logged = new LoggedEvent(++_next, e);
            _ring[Place(_next)] = e;
            foreach (EventSubscription subscriber in _subscribers)
                subscriber.Offer(logged);
        }
    }

    /// <summary>
    /// Up to <paramref name="max"/> events of cameras that <paramref name="isVisible"/> lets through, oldest first, from behind
    /// <paramref name="cursor"/> (0: all that is held). A cursor from the future, as after a clock that went back, reads all.
    /// </summary>
    public EventPage ReadAfter(long cursor, Func<string, bool> isVisible, int max)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(max);
        var page = new List<LoggedEvent>();
        lock (_gate)
        {
            long oldest = Math.Max(_first, _next - _ring.Length);
            bool hasGap = cursor != 0 && (cursor > _next || cursor < oldest);
            long at = cursor > _next ? oldest : Math.Max(cursor, oldest);
            while (at < _next && page.Count < max)
            {
                FaceEvent e = _ring[Place(++at)];
                if (isVisible(e.Camera))
                    page.Add(new LoggedEvent(at, e));
            }

            return new EventPage(page, at, hasGap);
        }
    }

    /// <summary>Listens from now on; null when too many do. A listener that reads too slowly loses its oldest events, counted. Dispose to stop.</summary>
    public EventSubscription? Subscribe(Func<string, bool> isVisible, int capacity = 256)
    {
        lock (_gate)
        {
            if (_subscribers.Count >= SubscribersAtMost)
                return null;
            var subscription = new EventSubscription(this, isVisible, capacity);
            _subscribers.Add(subscription);
            return subscription;
        }
    }

    internal void Unsubscribe(EventSubscription subscription)
    {
        lock (_gate)
            _subscribers.Remove(subscription);
    }

    private int Place(long cursor) => (int)((cursor - _first - 1) % _ring.Length);
}

/// <summary>One listener to an <see cref="EventLog"/>.</summary>
public sealed class EventSubscription : IDisposable
{
    private readonly EventLog _log;
    private readonly Func<string, bool> _isVisible;
    private readonly Channel<LoggedEvent> _channel;
    private long _dropped;

    internal EventSubscription(EventLog log, Func<string, bool> isVisible, int capacity)
    {
        _log = log;
        _isVisible = isVisible;
        var options = new BoundedChannelOptions(capacity) { FullMode = BoundedChannelFullMode.DropOldest };
        _channel = Channel.CreateBounded<LoggedEvent>(options, _ => Interlocked.Increment(ref _dropped));
    }

    /// <summary>The events, oldest first; completed once disposed.</summary>
    public ChannelReader<LoggedEvent> Reader => _channel.Reader;

    /// <summary>Events lost because they were not read in time.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <inheritdoc/>
    public void Dispose()
    {
        _log.Unsubscribe(this);
        _channel.Writer.TryComplete();
    }

    internal void Offer(LoggedEvent logged)
    {
        if (_isVisible(logged.Event.Camera))
            _channel.Writer.TryWrite(logged);
    }
}
