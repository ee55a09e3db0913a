using EdgeNode.Events;

namespace EdgeNode.Telemetry;

/// <summary>
/// Events on their way to the broker, in order, in memory until the on-disk outbox takes its place. When it is full the oldest
/// <c>updated</c> goes first, and the next report of that event says so in <c>folded</c>; only when there is none does a start or an
/// end go. The event that is being sent never goes. Thread-safe, never waits.
/// </summary>
internal sealed class EventQueue(int capacity)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<FaceEvent> _events = [];
    private readonly Dictionary<Guid, int> _foldedForNext = [];
    private bool _isHeadBeingSent;
    private long _folded;
    private long _lost;

    internal int Count
    {
        get
        {
            lock (_gate)
                return _events.Count;
        }
    }

    /// <summary>Updates that made room; the next report of their event counts them.</summary>
    internal long Folded => Interlocked.Read(ref _folded);

    /// <summary>Starts and ends that made room.</summary>
    internal long Lost => Interlocked.Read(ref _lost);

    internal void Enqueue(FaceEvent e)
    {
        lock (_gate)
        {
            if (_events.Count >= capacity)
                MakeRoom();
            if (_foldedForNext.Remove(e.EventId, out int folded))
                e = e with { Folded = e.Folded + folded };
            _events.AddLast(e);
        }
    }

    /// <summary>The oldest event, which stays until <see cref="Complete"/>; null when there is none.</summary>
    internal FaceEvent? BeginSend()
    {
        lock (_gate)
        {
            _isHeadBeingSent = _events.First is not null;
            return _events.First?.Value;
        }
    }

    /// <summary>The oldest event is delivered, or refused for good.</summary>
    internal void Complete()
    {
        lock (_gate)
        {
            _isHeadBeingSent = false;
            _events.RemoveFirst();
        }
    }

    private void MakeRoom()
    {
        LinkedListNode<FaceEvent>? oldest = _isHeadBeingSent ? _events.First?.Next : _events.First;
        LinkedListNode<FaceEvent>? update = oldest;
        while (update is not null && update.Value.Phase != FaceEventPhase.Updated)
            update = update.Next;
        if (update is not null)
        {
            Fold(update);
            return;
        }

        if (oldest is null)
            return;
        _foldedForNext.Remove(oldest.Value.EventId);
        _events.Remove(oldest);
        Interlocked.Increment(ref _lost);
    }

    private void Fold(LinkedListNode<FaceEvent> update)
    {
        Guid id = update.Value.EventId;
        int count = update.Value.Folded + 1;
        LinkedListNode<FaceEvent>? next = update.Next;
        while (next is not null && next.Value.EventId != id)
            next = next.Next;
        if (next is not null)
            next.Value = next.Value with { Folded = next.Value.Folded + count };
        else
            _foldedForNext[id] = _foldedForNext.GetValueOrDefault(id) + count;
        _events.Remove(update);
        Interlocked.Increment(ref _folded);
    }
}
