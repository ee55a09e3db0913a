using System.Diagnostics;
using EdgeNode.Events;
using EdgeNode.Storage;
using EdgeNode.Tests.Events;
using EdgeNode.Tests.Media;
using EdgeNode.Tests.Telemetry;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Time.Testing;
using EventLog = EdgeNode.Events.EventLog;

namespace EdgeNode.Tests.Storage;

public sealed class StateCareTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
    private readonly ListLogger _log = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_copy_is_made_at_the_start_and_once_a_day()
    {
        using StateDatabase database = StateDatabase.Open(_folder.Path);
        using var events = new EventLog(database, _ => null, _time, _log);
        using var care = new StateCare(database, new RetentionLimits(), events, _time, _log);
        string daily = _folder.File("state.db.daily");
        care.Look();
        Assert.True(File.Exists(daily));
        File.Delete(daily);
        _time.Advance(TimeSpan.FromHours(23));
        care.Look();
        Assert.False(File.Exists(daily));
        _time.Advance(TimeSpan.FromHours(1));
        care.Look();
        Assert.True(File.Exists(daily));
        Assert.Equal(RetentionLimitsReserve, new FileInfo(_folder.File("reserve")).Length);
    }

    [Fact]
    public void Of_a_database_that_is_damaged_nothing_is_given_away()
    {
        using StateDatabase database = StateDatabase.Open(_folder.Path);
        using var events = new EventLog(database, _ => null, _time, _log);
        using var care = new StateCare(database, new RetentionLimits(), events, _time, _log);
        care.Look();
        string aside = _folder.File("state.db.damaged-20260101T000000000Z"), daily = _folder.File("state.db.daily");
        File.WriteAllText(aside, "for a maintainer");
        DateTime madeAt = File.GetLastWriteTimeUtc(daily);
        const int corrupt = 11;
        Assert.Throws<IOException>(() => database.Write<int>(_ => throw new SqliteException("damaged", corrupt)));
        Assert.NotNull(database.Trouble);
        _time.Advance(TimeSpan.FromDays(2));
        care.Look();
        Assert.True(File.Exists(aside));
        Assert.True(File.Exists(_folder.File("reserve")));
        Assert.Equal(madeAt, File.GetLastWriteTimeUtc(daily));
    }

    [Fact]
    public void Events_go_by_age_and_by_size_but_never_the_newest()
    {
        using StateDatabase database = StateDatabase.Open(_folder.Path);
        using var events = new EventLog(database, _ => null, _time, _log);
        events.Start();
        Append(events, 30);
        _time.Advance(TimeSpan.FromDays(80));
        Append(events, 3000);
        using var care = new StateCare(database, new RetentionLimits { MaxBytes = 1_500_000, EventsAtLeast = 50 }, events, _time, _log);
        using (var byAge = new StateCare(database, new RetentionLimits(), events, _time, _log))
        {
            byAge.Look();
            Assert.Equal(3030, Count(database));
            _time.Advance(TimeSpan.FromDays(11));
            byAge.Look();
            Assert.Equal(3000, Count(database));
        }

        care.Look();
        Assert.InRange(Count(database), 50, 2000);
        Assert.InRange(database.Size().Used, 1, 1_500_000);
        Assert.True(events.ReadAfter(1, _ => true, 1).HasGap);
    }

    [SkippableFact]
    public async Task A_full_disk_stops_nothing_is_told_and_is_got_over_without_help()
    {
        Skip.IfNot(Environment.IsPrivilegedProcess && Mount("-t", "tmpfs", "-o", "size=12m", "tmpfs", _folder.Path), "Only root may mount a small disk.");
        try
        {
            using StateDatabase database = StateDatabase.Open(_folder.Path, _log);
            using var events = new EventLog(database, _ => null, TimeProvider.System, _log);
            events.Start();
            var limits = new RetentionLimits { ReserveBytes = 2 << 20, LeastFreeBytes = 1 << 20, EventsAtLeast = 50 };
            using var care = new StateCare(database, limits, events, TimeProvider.System, _log);
            Append(events, 2000);
            care.Look();
            Assert.True(File.Exists(_folder.File("reserve")));

            // Somebody else takes all that is left.
            string ballast = _folder.File("ballast");
            Assert.ThrowsAny<IOException>(() => FillUp(ballast));
            await Eventually.TrueAsync(() => database.Trouble is not null, "the node says that the disk is full", between: () => Append(events, 200, wait: false));
            Assert.Contains("disk is full", database.Trouble);
            int held = Count(database);
            Assert.Throws<IOException>(() => database.Write(c => Sql.Execute(c, "INSERT INTO revocations VALUES ('a', zeroblob(4000000))")));

            await Eventually.TrueAsync(() => database.Trouble is null && events.Flush(TimeSpan.FromMilliseconds(100)), "it goes on by itself", between: care.Look);
            Assert.False(File.Exists(_folder.File("reserve")));
            Assert.Equal(0, events.Dropped);
            Append(events, 10);
            Assert.InRange(Count(database), 50, held + 10_000);
            File.Delete(ballast);
            care.Look();
            Assert.True(File.Exists(_folder.File("reserve")));
        }
        finally
        {
            using Process unmount = Process.Start("umount", ["-l", _folder.Path]);
            unmount.WaitForExit();
        }
    }

    private static long RetentionLimitsReserve => new RetentionLimits().ReserveBytes;

    private static int Count(StateDatabase database) => (int)(long)database.Read(c => Sql.Scalar(c, "SELECT count(*) FROM events"))!;

    private static void Append(EventLog events, int count, bool wait = true)
    {
        for (int i = 0; i < count; i++)
            events.Append(SampleEvents.Event(1, FaceEventPhase.Ended, id: Guid.CreateVersion7()));
        Assert.True(!wait || events.Flush(Patience));
    }

    private static void FillUp(string path)
    {
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        byte[] block = new byte[4096];
        while (true)
            file.Write(block);
    }

    private static bool Mount(params string[] arguments)
    {
        using Process mount = Process.Start(new ProcessStartInfo("mount", arguments) { RedirectStandardError = true })!;
        mount.WaitForExit();
        return mount.ExitCode == 0;
    }
}
