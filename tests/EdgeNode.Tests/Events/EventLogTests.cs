using EdgeNode.Events;
using EdgeNode.Gallery;
using EdgeNode.Storage;
using EdgeNode.Tests.Media;
using EdgeNode.Tests.Telemetry;
using Microsoft.Extensions.Time.Testing;
using static EdgeNode.Tests.Events.SampleEvents;

namespace EdgeNode.Tests.Events;

public sealed class EventLogTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly Guid Ada = Guid.Parse("01980000-0000-7000-8000-00000000ada0");

    private readonly string _state = Directory.CreateTempSubdirectory("edgenode-events-").FullName;
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly ListLogger _lines = new();
    private readonly Dictionary<Guid, string> _names = new() { [Ada] = "Ada Lovelace" };
    private readonly List<FaceEvent> _committed = [];
    private StateDatabase _database;
    private EventLog _log;

    public EventLogTests()
    {
        _database = StateDatabase.Open(_state);
        _log = Open();
    }

    public void Dispose()
    {
        _log.Dispose();
        _database.Dispose();
        Directory.Delete(_state, recursive: true);
    }

    [Fact]
    public void A_consumer_catches_up_page_by_page_without_a_gap()
    {
        Append([.. Enumerable.Range(1, 4).Select(seq => Event(seq))]);
        EventPage first = _log.ReadAfter(0, All, 3);
        EventPage second = _log.ReadAfter(first.Next, All, 3);
        EventPage third = _log.ReadAfter(second.Next, All, 3);
        Assert.Equal([1, 2, 3], first.Events.Select(e => e.Event.Seq));
        Assert.Equal([4], second.Events.Select(e => e.Event.Seq));
        Assert.Empty(third.Events);
        Assert.Equal(second.Next, third.Next);
        Assert.False(first.HasGap || second.HasGap || third.HasGap);
        Assert.Equal((true, false, false), (first.HasMore, second.HasMore, third.HasMore));
    }

    [Fact]
    public void An_event_is_read_as_it_was_written()
    {
        FaceEvent e = Seen(Event(1, FaceEventPhase.Ended), Ada);
        Append(e);
        Assert.Equal(e.ToJson(), _log.ReadAfter(0, All, 1).Events[0].Event.ToJson());
        Assert.Equal([e], _committed);
    }

    [Fact]
    public void What_the_log_no_longer_holds_is_told_as_a_gap_after_a_restart_too()
    {
        Append(Event(1));
        long cursor = _log.ReadAfter(0, All, 10).Next;
        Append([.. Enumerable.Range(2, 6).Select(seq => Event(seq))]);
        Assert.Equal(1, _log.TrimOldest(1, 4));
        Assert.False(_log.ReadAfter(cursor, All, 10).HasGap);
        Assert.Equal(2, _log.TrimOldest(10, 4));
        Assert.Equal(0, _log.TrimOldest(10, 4));
        for (int start = 0; start < 2; start++)
        {
            EventPage page = _log.ReadAfter(cursor, All, 10);
            Assert.True(page.HasGap);
            Assert.Equal([4, 5, 6, 7], page.Events.Select(e => e.Event.Seq).Take(4));
            Assert.False(_log.ReadAfter(0, All, 10).HasGap);
            Restart();
        }
    }

    [Fact]
    public void Other_cameras_are_left_out_and_not_read_again()
    {
        Append(Event(1, camera: "entrance"), Event(2, camera: "vault"));
        EventPage page = _log.ReadAfter(0, camera => camera == "entrance", 10);
        Assert.Equal([1], page.Events.Select(e => e.Event.Seq));
        Assert.Equal(_log.ReadAfter(0, All, 10).Next, page.Next);
    }

    [Fact]
    public void A_restart_goes_on_where_the_log_was_without_a_gap()
    {
        Append(Event(1, FaceEventPhase.Ended));
        long before = _log.ReadAfter(0, All, 10).Next;
        Restart();
        Append(Event(1, id: Guid.CreateVersion7()));
        EventPage page = _log.ReadAfter(before, All, 10);
        Assert.Equal(before + 1, Assert.Single(page.Events).Cursor);
        Assert.False(page.HasGap);
    }

    [Fact]
    public void Cursors_rise_although_the_database_was_lost()
    {
        Append(Event(1));
        long before = _log.ReadAfter(0, All, 10).Next;
        _log.Dispose();
        _database.Dispose();
        foreach (string file in Directory.GetFiles(_state))
            File.Delete(file);
        _clock.Advance(TimeSpan.FromSeconds(1));
        _database = StateDatabase.Open(_state);
        _log = Open();
        Append(Event(2));
        EventPage page = _log.ReadAfter(before, All, 10);
        Assert.Equal(2, Assert.Single(page.Events).Event.Seq);
        Assert.True(page.HasGap);
        Assert.InRange(page.Next, before + 1, 1L << 53);
    }

    [Fact]
    public void A_cursor_from_the_future_reads_everything()
    {
        Append(Event(1));
        EventPage page = _log.ReadAfter(long.MaxValue, All, 10);
        Assert.True(page.HasGap);
        Assert.Single(page.Events);
    }

    [Fact]
    public void An_event_that_was_open_when_the_node_was_cut_off_is_ended_once()
    {
        Guid open = Guid.CreateVersion7(), ended = Guid.CreateVersion7();
        Append(Seen(Event(1, FaceEventPhase.Started, id: open), Ada), Event(1, FaceEventPhase.Started, id: ended), Seen(Event(2, id: open), Ada), Event(2, FaceEventPhase.Ended, id: ended));
        _committed.Clear();
        Restart();
        Assert.True(_log.Flush(Patience));
        FaceEvent end = Assert.Single(_committed);
        Assert.Equal((open, 3, FaceEventPhase.Ended, FaceEventEndReason.Restart, (DateTime?)end.UpdatedAt, "Ada Lovelace"), (end.EventId, end.Seq, end.Phase, end.EndReason!.Value, end.EndedAt, end.Identity.Name));
        Restart();
        Assert.True(_log.Flush(Patience));
        Assert.Single(_committed);
        Assert.Equal(5, _log.ReadAfter(0, All, 10).Events.Count);
    }

    [Fact]
    public void Who_is_erased_has_no_name_in_events_and_none_is_stored()
    {
        Append(Seen(Event(1), Ada));
        Assert.Equal("Ada Lovelace", _log.ReadAfter(0, All, 1).Events[0].Event.Identity.Name);
        Assert.Equal(0L, _database.Read(c => Sql.Scalar(c, "SELECT count(*) FROM events WHERE instr(json, CAST('Lovelace' AS BLOB)) > 0")));
        _names.Clear();
        FaceEventIdentity identity = _log.ReadAfter(0, All, 1).Events[0].Event.Identity;
        Assert.Equal((Ada, null), (identity.Id, identity.Name));
    }

    [Fact]
    public void Events_go_when_they_are_old_and_a_clock_that_was_not_set_spares_them()
    {
        _clock.SetUtcNow(new DateTimeOffset(2026, 3, 2, 0, 0, 0, TimeSpan.Zero));
        Append(Event(1), Event(2));
        _clock.Advance(TimeSpan.FromDays(10));
        Append(Event(3));
        Assert.Equal(0, _log.TrimBefore(_clock.GetUtcNow().UtcDateTime - TimeSpan.FromDays(11)));
        Assert.Equal(2, _log.TrimBefore(_clock.GetUtcNow().UtcDateTime - TimeSpan.FromDays(5)));
        Assert.Equal([3], _log.ReadAfter(0, All, 10).Events.Select(e => e.Event.Seq));
    }

    [Fact]
    public void Events_from_before_the_clock_was_set_are_not_old()
    {
        using var folder = new TemporaryFolder();
        var unset = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddDays(1));
        using StateDatabase database = StateDatabase.Open(folder.Path);
        using var log = new EventLog(database, _ => null, unset, _lines);
        log.Start();
        log.Append(Event(1));
        Assert.True(log.Flush(Patience));
        Assert.Equal(0, log.TrimBefore(new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc)));
    }

    [Fact]
    public async Task A_full_disk_holds_events_back_and_drops_what_does_not_fit()
    {
        _log.Dispose();
        _log = Open(waitingAtMost: 4);
        _database.WithWriter(c => Sql.Execute(c, "PRAGMA max_page_count=1"));
        Append(wait: false, Event(1, FaceEventPhase.Started) with { Site = new string('x', 10_000) });
        await Eventually.TrueAsync(() => _database.Trouble is not null, "the database says that it is full");
        Append(wait: false, [.. Enumerable.Range(2, 6).Select(seq => Event(seq)), Event(8, FaceEventPhase.Ended)]);
        await Eventually.TrueAsync(() => _log.Dropped > 0, "drops are counted");
        Assert.Contains("disk is full", _database.Trouble);
        Assert.Empty(_committed);
        Assert.Equal(3, _log.Dropped);
        _database.WithWriter(c => Sql.Execute(c, "PRAGMA max_page_count=100000"));
        await Eventually.TrueAsync(() => _log.Flush(TimeSpan.Zero), "it goes on by itself", between: () => _clock.Advance(TimeSpan.FromSeconds(1)));
        Assert.Null(_database.Trouble);
        Assert.Equal([1, 3, 4, 5, 8], _log.ReadAfter(0, All, 10).Events.Select(e => e.Event.Seq));
    }

    [Fact]
    public void Attendance_tells_first_and_last_time_a_day_by_those_cameras_that_may_be_seen()
    {
        var day = new DateTime(2026, 3, 1, 0, 0, 0, DateTimeKind.Utc);
        Guid first = Guid.CreateVersion7(), second = Guid.CreateVersion7(), midnight = Guid.CreateVersion7(), mistaken = Guid.CreateVersion7();
        Append(
            At(Event(1, FaceEventPhase.Started, id: first), day.AddHours(8), day.AddHours(8)),
            Seen(At(Event(2, id: first), day.AddHours(8), day.AddHours(8.25)), Ada),
            Seen(At(Event(1, FaceEventPhase.Ended, "yard", second), day.AddHours(17), day.AddHours(17.5)), Ada),
            Seen(At(Event(1, FaceEventPhase.Ended, "vault", Guid.CreateVersion7()), day.AddHours(20), day.AddHours(20)), Ada),
            Seen(At(Event(1, id: midnight), day.AddHours(23.5), day.AddHours(23.75)), Ada),
            Seen(At(Event(2, FaceEventPhase.Ended, id: midnight), day.AddHours(23.5), day.AddHours(24.25)), Ada),
            Seen(At(Event(1, id: mistaken), day.AddHours(7), day.AddHours(7)), Ada),
            At(Event(2, FaceEventPhase.Ended, id: mistaken), day.AddHours(7), day.AddHours(7.25)));
        IReadOnlyList<AttendanceRow> rows = _log.Attendance(new DateOnly(2026, 3, 1), new DateOnly(2026, 3, 2), camera => camera != "vault");
        Assert.Equal(2, rows.Count);
        Assert.Equal((Ada, "Ada Lovelace", new DateOnly(2026, 3, 1), day.AddHours(8), day.AddHours(23.75)), (rows[0].IdentityId, rows[0].Name, rows[0].Day, rows[0].FirstSeen, rows[0].LastSeen));
        Assert.Equal(["entrance", "yard"], rows[0].Cameras);
        Assert.Equal((new DateOnly(2026, 3, 2), day.AddHours(24), day.AddHours(24.25)), (rows[1].Day, rows[1].FirstSeen, rows[1].LastSeen));
        Assert.Empty(_log.Attendance(new DateOnly(2026, 3, 3), new DateOnly(2026, 3, 3), All));
        Assert.Throws<ArgumentException>(() => _log.Attendance(new DateOnly(2026, 3, 3), new DateOnly(2026, 3, 2), All));
        Assert.Throws<ArgumentException>(() => _log.Attendance(new DateOnly(2026, 3, 3), new DateOnly(2027, 3, 4), All));
    }

    [Fact]
    public async Task A_listener_is_woken_once_for_all_that_came_since_it_last_waited()
    {
        using EventSubscription subscription = _log.Subscribe()!;
        Append(Event(1), Event(2));
        Assert.True(await subscription.WaitAsync(CancellationToken.None));
        ValueTask<bool> next = subscription.WaitAsync(CancellationToken.None);
        Append(Event(3));
        Assert.True(await next);
    }

    [Fact]
    public async Task A_listener_that_left_is_not_woken_and_waits_no_more()
    {
        EventSubscription subscription = _log.Subscribe()!;
        ValueTask<bool> waiting = subscription.WaitAsync(CancellationToken.None);
        subscription.Dispose();
        Append(Event(1));
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

    private static FaceEvent Seen(FaceEvent e, Guid who) => e with { Identity = new FaceEventIdentity(who, "Ada Lovelace", 0.7, 0.4, RecognitionStatus.Recognized) };

    private static FaceEvent At(FaceEvent e, DateTime startedAt, DateTime updatedAt) => e with { StartedAt = startedAt, UpdatedAt = updatedAt };

    private void Append(params FaceEvent[] events) => Append(wait: true, events);

    private void Append(bool wait, params FaceEvent[] events)
    {
        foreach (FaceEvent e in events)
            _log.Append(e);
        Assert.True(!wait || _log.Flush(Patience));
    }

    private EventLog Open(int waitingAtMost = EventLog.WaitingAtMost)
    {
        var log = new EventLog(_database, id => _names.GetValueOrDefault(id), _clock, _lines, waitingAtMost);
        log.Committed += _committed.Add;
        log.Start();
        return log;
    }

    private void Restart()
    {
        _log.Dispose();
        _database.Dispose();
        _database = StateDatabase.Open(_state);
        _log = Open();
    }
}
