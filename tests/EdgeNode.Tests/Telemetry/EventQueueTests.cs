using EdgeNode.Events;
using EdgeNode.Telemetry;
using static EdgeNode.Tests.Events.SampleEvents;

namespace EdgeNode.Tests.Telemetry;

public class EventQueueTests
{
    private readonly EventQueue _queue = new(capacity: 3);

    [Fact]
    public void A_full_queue_folds_the_oldest_update_into_the_next_report_of_its_event()
    {
        _queue.Enqueue(Event(1, FaceEventPhase.Started));
        _queue.Enqueue(Event(2));
        _queue.Enqueue(Event(3));
        _queue.Enqueue(Event(4));
        _queue.Enqueue(Event(5, FaceEventPhase.Ended));
        Assert.Equal([(1, 0), (4, 2), (5, 0)], Drain());
        Assert.Equal((2, 0), (_queue.Folded, _queue.Lost));
    }

    [Fact]
    public void A_report_that_comes_only_later_counts_what_was_folded_before_it()
    {
        Guid other = Guid.CreateVersion7();
        _queue.Enqueue(Event(2));
        _queue.Enqueue(Event(1, FaceEventPhase.Started, id: other));
        _queue.Enqueue(Event(2, FaceEventPhase.Ended, id: other));
        _queue.Enqueue(Event(3, FaceEventPhase.Ended));
        Assert.Equal([(1, 0), (2, 0), (3, 1)], Drain());
    }

    [Fact]
    public void Starts_and_ends_go_only_when_there_is_no_update_and_are_counted_as_lost()
    {
        for (int seq = 1; seq <= 4; seq++)
            _queue.Enqueue(Event(seq, FaceEventPhase.Started, id: Guid.CreateVersion7()));
        Assert.Equal([(2, 0), (3, 0), (4, 0)], Drain());
        Assert.Equal((0, 1), (_queue.Folded, _queue.Lost));
    }

    [Fact]
    public void The_event_that_is_being_sent_stays()
    {
        _queue.Enqueue(Event(1));
        _queue.Enqueue(Event(2));
        _queue.Enqueue(Event(3));
        Assert.Equal(1, _queue.BeginSend()!.Seq);
        _queue.Enqueue(Event(4));
        Assert.Equal([(1, 0), (3, 1), (4, 0)], Drain());
    }

    private List<(int Seq, int Folded)> Drain()
    {
        var events = new List<(int, int)>();
        while (_queue.BeginSend() is { } e)
        {
            events.Add((e.Seq, e.Folded));
            _queue.Complete();
        }

        return events;
    }
}
