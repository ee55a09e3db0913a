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

    /// <summary>Adds an event and wakes those who listen.</summary>
    public void Append(FaceEvent e)
    {
        lock (_gate)
        {
            _ring[Place(++_next)] = e;
            foreach (EventSubscription subscriber in _subscribers)
                subscriber.Wake();
        }
    }

    /// <summary>Takes the names of people who are no longer known out of all events held: erasing somebody erases here too.</summary>
    public void ForgetNames(Func<Guid, bool> isKnown)
    {
        lock (_gate)
        {
            for (int i = 0; i < _ring.Length; i++)
            {
                if (_ring[i] is { Identity.Id: Guid id } e && !isKnown(id))
                    _ring[i] = e with { Identity = e.Identity with { Name = null } };
            }
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

    /// <summary>Listens from now on; null when too many do. Dispose to stop.</summary>
    public EventSubscription? Subscribe()
    {
        lock (_gate)
        {
            if (_subscribers.Count >= SubscribersAtMost)
                return null;
            var subscription = new EventSubscription(this);
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

/// <summary>
/// One listener to an <see cref="EventLog"/>. It is only woken, and reads on from its own cursor: however slow it is, it misses
/// nothing that the log still holds, and no queue grows for it.
/// </summary>
public sealed class EventSubscription : IDisposable
{
    private readonly EventLog _log;
    private readonly Channel<bool> _news = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    internal EventSubscription(EventLog log) => _log = log;

    /// <summary>Waits for events that came after the last wait, or after <see cref="EventLog.Subscribe"/>; false once disposed. One caller at a time.</summary>
    /// <exception cref="OperationCanceledException">Stopped.</exception>
    public async ValueTask<bool> WaitAsync(CancellationToken stop) => await _news.Reader.WaitToReadAsync(stop) && _news.Reader.TryRead(out _);

    /// <inheritdoc/>
    public void Dispose()
    {
        _log.Unsubscribe(this);
        _news.Writer.TryComplete();
    }

    internal void Wake() => _news.Writer.TryWrite(true);
}
