using EdgeNode.Events;
using Microsoft.Extensions.Time.Testing;
using static EdgeNode.Tests.Events.SampleEvents;

namespace EdgeNode.Tests.Events;

public class EventLogTests
{
    private readonly FakeTimeProvider _clock = new();
    private readonly EventLog _log;

    public EventLogTests() => _log = new EventLog(_clock, capacity: 4);

    [Fact]
    public void A_consumer_catches_up_page_by_page_without_a_gap()
    {
        for (int seq = 1; seq <= 4; seq++)
            _log.Append(Event(seq));
        EventPage first = _log.ReadAfter(0, All, 3);
        EventPage second = _log.ReadAfter(first.Next, All, 3);
        EventPage third = _log.ReadAfter(second.Next, All, 3);
        Assert.Equal([1, 2, 3], first.Events.Select(e => e.Event.Seq));
        Assert.Equal([4], second.Events.Select(e => e.Event.Seq));
        Assert.Empty(third.Events);
        Assert.Equal(second.Next, third.Next);
        Assert.False(first.HasGap || second.HasGap || third.HasGap);
    }

    [Fact]
    public void What_the_ring_no_longer_holds_is_told_as_a_gap()
    {
        _log.Append(Event(1));
        long cursor = _log.ReadAfter(0, All, 10).Next;
        for (int seq = 2; seq <= 7; seq++)
            _log.Append(Event(seq));
        EventPage page = _log.ReadAfter(cursor, All, 10);
        Assert.True(page.HasGap);
        Assert.Equal([4, 5, 6, 7], page.Events.Select(e => e.Event.Seq));
    }

    [Fact]
    public void Other_cameras_are_left_out_and_not_read_again()
    {
        _log.Append(Event(1, camera: "entrance"));
        _log.Append(Event(2, camera: "vault"));
        EventPage page = _log.ReadAfter(0, camera => camera == "entrance", 10);
        Assert.Equal([1], page.Events.Select(e => e.Event.Seq));
        Assert.Equal(_log.ReadAfter(0, All, 10).Next, page.Next);
    }

    [Fact]
    public void Cursors_rise_across_a_restart()
    {
        _log.Append(Event(1));
        long before = _log.ReadAfter(0, All, 10).Next;
        _clock.Advance(TimeSpan.FromSeconds(1));
        var afterwards = new EventLog(_clock);
        afterwards.Append(Event(2));
        EventPage page = afterwards.ReadAfter(before, All, 10);
        Assert.Equal(2, Assert.Single(page.Events).Event.Seq);
        Assert.True(page.HasGap);
        Assert.True(page.Next > before);
    }

    [Fact]
    public void A_cursor_from_the_future_reads_everything()
    {
        _log.Append(Event(1));
        EventPage page = _log.ReadAfter(long.MaxValue, All, 10);
        Assert.True(page.HasGap);
        Assert.Single(page.Events);
    }

    [Fact]
    public async Task A_listener_is_woken_once_for_all_that_came_since_it_last_waited()
    {
        using EventSubscription subscription = _log.Subscribe()!;
        _log.Append(Event(1));
        _log.Append(Event(2));
        Assert.True(await subscription.WaitAsync(CancellationToken.None));
        ValueTask<bool> next = subscription.WaitAsync(CancellationToken.None);
        Assert.False(next.IsCompleted);
        _log.Append(Event(3));
        Assert.True(await next);
    }

    [Fact]
    public async Task A_listener_that_left_is_not_woken_and_waits_no_more()
    {
        EventSubscription subscription = _log.Subscribe()!;
        ValueTask<bool> waiting = subscription.WaitAsync(CancellationToken.None);
        subscription.Dispose();
        _log.Append(Event(1));
        Assert.False(await waiting);
        Assert.False(await subscription.WaitAsync(CancellationToken.None));
    }

    [Fact]
    public void Listeners_are_limited()
    {
        List<EventSubscription> subscriptions = [.. Enumerable.Range(0, EventLog.SubscribersAtMost).Select(_ => _log.Subscribe()!)];
        Assert.Null(_log.Subscribe());
        subscriptions[0].Dispose();
        Assert.NotNull(_log.Subscribe());
    }

    private static bool All(string camera) => true;
}
