using System.Globalization;
using EdgeNode.Access;
using EdgeNode.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Time.Testing;

namespace EdgeNode.Tests.Access;

public sealed class AuditLogTests : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("edgenode-audit").FullName;
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
    private readonly StateDatabase _database;
    private readonly AuditLog _log;

    public AuditLogTests()
    {
        _database = StateDatabase.Open(_folder);
        _log = new AuditLog(_database, _time, mostEntries: 100);
    }

    [Fact]
    public async Task What_was_done_is_read_with_who_and_when()
    {
        _log.Record(Grant("ada", "j1"), AuditAction.IdentityErase, "identity:0198", AuditOutcome.Refused);
        _log.Record(null, AuditAction.ConfigurationReload, "");
        AuditPage page = await _log.ReadAsync(null, 10);
        DateTime now = _time.GetUtcNow().UtcDateTime;
        Assert.Equal([("system", "", "configuration_reload", "", "done", now), ("ada", "j1", "identity_erase", "identity:0198", "refused", now)],
            page.Entries.Select(e => (e.Subject, e.Jti, e.Action, e.Object, e.Outcome, e.At)));
        Assert.Null(page.Next);
    }

    [Fact]
    public async Task Pages_follow_each_other_without_gap_or_repetition_although_more_is_recorded()
    {
        for (int i = 0; i < 7; i++)
            _log.Record(null, AuditAction.CameraAdd, $"camera:{i}");
        var seen = new List<string>();
        long? before = null;
        do
        {
            AuditPage page = await _log.ReadAsync(before, 3);
            seen.AddRange(page.Entries.Select(e => e.Object));
            before = page.Next;
            _log.Record(null, AuditAction.CameraRemove, "camera:new");
        }
        while (before is not null);
        Assert.Equal(Enumerable.Range(0, 7).Reverse().Select(i => $"camera:{i}"), seen);
    }

    [Fact]
    public async Task A_viewer_who_polls_is_one_entry_an_hour_for_a_camera()
    {
        AccessGrant ada = Grant("ada", "j1");
        for (int i = 0; i < 5; i++)
            _log.RecordView(ada, "yard");
        _log.RecordView(ada, "door");
        _log.RecordView(Grant("eve", "j2"), "yard");
        Assert.Equal(3, (await _log.ReadAsync(null, 10)).Entries.Count);
        _time.Advance(TimeSpan.FromHours(1));
        _log.RecordView(ada, "yard");
        AuditEntry newest = (await _log.ReadAsync(null, 10)).Entries[0];
        Assert.Equal(("view", "camera:yard", _time.GetUtcNow().UtcDateTime), (newest.Action, newest.Object, newest.At));
    }

    [Fact]
    public async Task The_number_of_entries_is_bounded_and_the_oldest_go()
    {
        for (int i = 0; i < 250; i++)
            _log.Record(null, AuditAction.CameraAdd, $"camera:{i}");
        AuditPage page = await _log.ReadAsync(null, 1000);
        Assert.Equal(100, page.Entries.Count);
        Assert.Equal(("camera:249", "camera:150"), (page.Entries[0].Object, page.Entries[^1].Object));
    }

    [Fact]
    public async Task Entries_older_than_a_year_go()
    {
        _log.Record(null, AuditAction.CameraAdd, "camera:old");
        await _log.FlushAsync();
        _time.Advance(AuditLog.Retention + TimeSpan.FromSeconds(1));
        _log.Record(null, AuditAction.CameraAdd, "camera:new");
        Assert.Equal("camera:new", Assert.Single((await _log.ReadAsync(null, 10)).Entries).Object);
    }

    [Fact]
    public async Task A_disk_that_refuses_holds_nobody_up_and_loses_nothing_that_found_room()
    {
        const int Recorded = 10_000;
        var log = new AuditLog(_database, _time);
        Refuse("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT raise(FAIL, 'full'); END");
        log.Record(null, AuditAction.CameraAdd, "camera:0");
        await log.FlushAsync();
        Assert.Empty((await log.ReadAsync(null, 10)).Entries);
        for (int i = 1; i < Recorded; i++)
            log.Record(null, AuditAction.CameraAdd, "camera:more");
        Refuse("DROP TRIGGER full");
        await log.DisposeAsync();
        int lost = int.Parse(_database.Read(c => (string)Scalar(c, "SELECT object FROM audit WHERE action = 'lost'")!), CultureInfo.InvariantCulture);
        Assert.InRange(lost, 1, Recorded - 4096);
        Assert.Equal(Recorded - lost + 1L, _database.Read(Rows));
    }

    [Fact]
    public async Task What_waits_is_written_at_the_end()
    {
        _log.Record(null, AuditAction.CameraAdd, "camera:a");
        await _log.DisposeAsync();
        Assert.Equal(1, _database.Read(Rows));
    }

    [Fact]
    public async Task Long_texts_are_cut()
    {
        _log.Record(Grant(new string('x', 5000), "j"), AuditAction.CameraAdd, new string('y', 5000));
        AuditEntry entry = Assert.Single((await _log.ReadAsync(null, 1)).Entries);
        Assert.Equal((200, 200), (entry.Subject.Length, entry.Object.Length));
    }

    public async ValueTask DisposeAsync()
    {
        await _log.DisposeAsync();
        _database.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static AccessGrant Grant(string subject, string jti) => new()
    {
        Subject = subject,
        SessionId = jti,
        Role = Role.Viewer,
        Cameras = null,
        Metadata = false,
        ExpiresAt = DateTime.MaxValue,
    };

    private void Refuse(string sql) => _database.Write(connection =>
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteNonQuery();
    });

    private static long Rows(SqliteConnection connection) => (long)Scalar(connection, "SELECT count(*) FROM audit")!;

    private static object? Scalar(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }
}
