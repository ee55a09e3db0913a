using EdgeNode.Events;
using EdgeNode.Gallery;
using EdgeNode.Storage;
using EdgeNode.Tests.Media;
using EdgeNode.Tests.Telemetry;
using Microsoft.Extensions.Time.Testing;
using static EdgeNode.Tests.Events.SampleEvents;
using static EdgeNode.Tests.Gallery.Faces;

namespace EdgeNode.Tests.Events;

public sealed class EventShotsTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly ListLogger _lines = new();
    private readonly List<FaceEvent> _committed = [];
    private readonly DeviceKey _key;
    private readonly IdentityStore _identities;
    private readonly Identity _ada = Person("Ada", Face((0, 1)));
    private StateDatabase _database;
    private EventShots _shots;
    private EventLog _log;

    public EventShotsTests()
    {
        _database = StateDatabase.Open(_folder.Path);
        _key = DeviceKey.LoadOrCreate(_folder.Path);
        _identities = IdentityStore.Open(_database, _key, _lines);
        _identities.Add(_ada);
        (_shots, _log) = Open();
        _log.Start();
    }

    public void Dispose()
    {
        _log.Dispose();
        _database.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_shot_is_on_disk_with_the_event_that_speaks_of_it_and_stays_for_the_later_ones()
    {
        EventShot shot = Shot();
        Append(Event(1, FaceEventPhase.Started), null);
        Append(Event(2), shot);
        Append(Event(3), null);
        Assert.Equal([false, true, true], _committed.Select(e => e.Snapshot));
        Assert.Equal([true, true], _log.ReadAfter(0, _ => true, 10).Events.Skip(1).Select(e => e.Event.Snapshot));
        AssertSame(shot, _shots.Find(shot.EventId));
        Assert.Null(_shots.Find(Guid.NewGuid()));
    }

    [Fact]
    public void A_better_shot_replaces_the_one_before()
    {
        Append(Event(1), Shot());
        EventShot better = Shot() with { Quality = 0.9f, Picture = [9, 9], TakenAt = At(7) };
        Append(Event(2), better);
        AssertSame(better, _shots.Find(better.EventId));
        Assert.Equal(1L, Count("event_shots"));
    }

    [Fact]
    public void Pictures_and_templates_are_not_readable_on_disk()
    {
        byte[] picture = [.. Enumerable.Range(0, 200).Select(i => (byte)i)];
        Append(Event(1), Shot() with { Picture = picture });
        _log.Dispose();
        _database.Dispose();
        foreach (string file in Directory.GetFiles(_folder.Path))
        {
            Assert.Equal(-1, File.ReadAllBytes(file).AsSpan().IndexOf(picture.AsSpan(50, 20)));
            Assert.Equal(-1, File.ReadAllBytes(file).AsSpan().IndexOf(FaceReference.ToBytes(Face((0, 0.8f))).AsSpan(0, 4).ToArray().Concat(new byte[16]).ToArray()));
        }
    }

    [Fact]
    public void The_shot_of_who_is_recognised_is_erased_with_the_person()
    {
        Append(Event(1), Shot());
        Assert.Equal(1L, Count("vault_keys WHERE owner LIKE 'event:%'"));
        Append(Event(2), Shot() with { IdentityId = _ada.Id });
        Assert.Equal(0L, Count("vault_keys WHERE owner LIKE 'event:%'"));
        Assert.Equal(_ada.Id, _shots.Find(Shot().EventId)!.IdentityId);

        _identities.Remove(_ada.Id);
        Assert.Null(_shots.Find(Shot().EventId));
        Assert.Equal(0L, Count("event_shots"));
        Assert.False(_log.ReadAfter(0, _ => true, 10).Events[1].Event.Snapshot);

        // She still stands before the camera, and the last report of her waits for the disk.
        Append(Event(3), Shot() with { IdentityId = _ada.Id });
        Assert.Null(_shots.Find(Shot().EventId));
        Assert.Equal(0L, Count("vault_keys"));
        Assert.False(_committed[^1].Snapshot);
    }

    [Fact]
    public void Where_strangers_are_not_kept_only_known_people_are()
    {
        _log.Dispose();
        (_shots, _log) = Open(keepsStrangers: false);
        _log.Start();
        Append(Event(1), Shot());
        Assert.Null(_shots.Find(Shot().EventId));
        Append(Event(2), Shot() with { IdentityId = _ada.Id });
        Assert.NotNull(_shots.Find(Shot().EventId));
        // It was not her.
        Append(Event(3), Shot());
        Assert.Null(_shots.Find(Shot().EventId));
        Assert.Equal([false, true, false], _committed.Select(e => e.Snapshot));
    }

    [Fact]
    public void Strangers_go_by_age_and_number_and_their_keys_with_them()
    {
        Guid known = Guid.CreateVersion7();
        Append(Event(1, id: known), Shot() with { EventId = known, IdentityId = _ada.Id });
        Strangers(3);
        _clock.Advance(TimeSpan.FromDays(5));
        Strangers(70);
        var part = new RetainedPart(_shots.Strangers, TimeSpan.FromDays(4), 60);
        using var care = new StateCare(_database, new RetentionLimits(), _log, _clock, _lines) { Pictures = [part, new RetainedPart(_shots.All, TimeSpan.FromDays(30))] };
        care.Look();
        Assert.Equal(60L, Count("event_shots WHERE identity_id IS NULL"));
        Assert.Equal(60L, Count("vault_keys WHERE owner LIKE 'event:%'"));
        Assert.NotNull(_shots.Find(known));

        _clock.Advance(TimeSpan.FromDays(26));
        care.Look();
        Assert.Equal(0L, Count("event_shots"));
        Assert.Equal(1L, Count("vault_keys"));
        Assert.Equal(74L, Count("events"));
    }

    [Fact]
    public void Where_there_is_no_room_for_all_pictures_go_before_events()
    {
        for (int i = 0; i < 150; i++)
            AppendOne(Shot() with { Picture = new byte[20_000] });
        Assert.True(_log.Flush(Patience));
        using var care = new StateCare(_database, new RetentionLimits { MaxBytes = 1_500_000, EventsAtLeast = 10, PicturesAtLeast = 20 }, _log, _clock, _lines) { Pictures = [new RetainedPart(_shots.All, TimeSpan.FromDays(30))] };
        care.Look();
        Assert.InRange(Count("event_shots"), 20, 75);
        Assert.InRange(_database.Size().Used, 1, 1_500_000);
        Assert.Equal(150L, Count("events"));
    }

    [Fact]
    public void While_the_disk_refuses_pictures_that_wait_are_bounded_and_events_are_not_lost()
    {
        _log.Dispose();
        (_shots, _log) = Open();
        for (int i = 0; i < 300; i++)
            AppendOne(Shot() with { Picture = new byte[64 << 10] });
        _log.Start();
        Assert.True(_log.Flush(Patience));
        Assert.Equal(300L, Count("events"));
        Assert.Equal(256L, Count("event_shots"));
        // There is room again.
        Guid id = AppendOne(Shot());
        Assert.True(_log.Flush(Patience));
        Assert.NotNull(_shots.Find(id));
    }

    [Fact]
    public void Keys_without_their_shots_are_destroyed_at_the_start()
    {
        Append(Event(1), Shot());
        _database.Write(c => Sql.Execute(c, "DELETE FROM event_shots"));
        _ = new EventShots(_database, _key);
        Assert.Equal(1L, Count("vault_keys"));
    }

    [Fact]
    public void A_shot_that_somebody_says_is_a_person_becomes_that_persons_and_back()
    {
        Append(Event(1), Shot());
        Assert.True(_shots.Assign(Shot().EventId, _ada.Id));
        AssertSame(Shot() with { IdentityId = _ada.Id }, _shots.Find(Shot().EventId));
        Assert.Equal(1L, Count("vault_keys"));
        Assert.True(_shots.Assign(Shot().EventId, null));
        AssertSame(Shot(), _shots.Find(Shot().EventId));
        Assert.Equal(2L, Count("vault_keys"));
        Assert.False(_shots.Assign(Guid.NewGuid(), _ada.Id));
    }

    [Theory]
    [InlineData("UPDATE event_shots SET picture = zeroblob(60)")]
    [InlineData("UPDATE event_shots SET template = picture")]
    [InlineData("DELETE FROM vault_keys")]
    public void A_shot_that_was_tampered_with_is_none(string damage)
    {
        Append(Event(1), Shot());
        _database.Write(c => Sql.Execute(c, damage));
        Assert.Null(_shots.Find(Shot().EventId));
    }

    [Fact]
    public void The_daily_copy_holds_no_shots()
    {
        Append(Event(1), Shot());
        _database.MakeDailyCopy();
        _log.Dispose();
        _database.Dispose();
        File.Move(_folder.File("state.db.daily"), _folder.File("state.db"), overwrite: true);
        _database = StateDatabase.Open(_folder.Path);
        Assert.Equal(0L, Count("event_shots"));
        (_shots, _log) = Open();
        Assert.Equal(1L, Count("vault_keys"));
    }

    private static EventShot Shot() => new(Event(1).EventId, "entrance", null, At(5), 0.7f, Pack, Face((0, 0.8f)), [1, 2, 3]);

    private static void AssertSame(EventShot expected, EventShot? kept)
    {
        Assert.NotNull(kept);
        Assert.Equal(expected.Template, kept.Template);
        Assert.Equal(expected.Picture, kept.Picture);
        Assert.Equal(expected, kept with { Template = expected.Template, Picture = expected.Picture });
    }

    private void Strangers(int count)
    {
        for (int i = 0; i < count; i++)
            AppendOne(Shot());
        Assert.True(_log.Flush(Patience));
    }

    private Guid AppendOne(EventShot shot)
    {
        Guid id = Guid.CreateVersion7();
        _log.Append(Event(1, FaceEventPhase.Ended, id: id), shot with { EventId = id });
        return id;
    }

    private void Append(FaceEvent e, EventShot? shot)
    {
        _log.Append(e, shot);
        Assert.True(_log.Flush(Patience));
    }

    private long Count(string what) => (long)_database.Read(c => Sql.Scalar(c, $"SELECT count(*) FROM {what}"))!;

    private (EventShots Shots, EventLog Log) Open(bool keepsStrangers = true)
    {
        var shots = new EventShots(_database, _key, keepsStrangers);
        var log = new EventLog(_database, id => _identities.Find(id)?.Name, _clock, _lines, shots: shots);
        log.Committed += _committed.Add;
        return (shots, log);
    }
}
