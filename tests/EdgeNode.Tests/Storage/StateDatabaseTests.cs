using EdgeNode.Storage;
using EdgeNode.Tests.Telemetry;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Time.Testing;

namespace EdgeNode.Tests.Storage;

public sealed class StateDatabaseTests : IDisposable
{
    private static readonly Migration[] One = [new(1, "CREATE TABLE revocations (jti TEXT PRIMARY KEY, expires_at INTEGER NOT NULL) WITHOUT ROWID; CREATE TABLE events (cursor INTEGER PRIMARY KEY AUTOINCREMENT, json TEXT)")];
    private static readonly Migration[] Two = [.. One, new(7, "ALTER TABLE revocations ADD COLUMN why TEXT; CREATE TABLE more (x)")];
    private static readonly Migration[] Broken = [.. Two, new(8, "CREATE TABLE yet_more (x); ALTER TABLE no_such ADD COLUMN y")];

    private readonly string _folder = Directory.CreateTempSubdirectory("edgenode-").FullName;
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
    private readonly ListLogger _log = new();

    private string DatabaseFile => Path.Combine(_folder, StateDatabase.FileName);

    [Fact]
    public void What_was_written_is_there_after_opening_anew()
    {
        using (StateDatabase first = StateDatabase.Open(_folder))
            Revoke(first, "a");
        using StateDatabase second = StateDatabase.Open(_folder);
        Assert.Equal(["a"], Revoked(second));
    }

    [Fact]
    public void A_change_that_fails_half_way_leaves_nothing()
    {
        using StateDatabase database = StateDatabase.Open(_folder);
        Assert.Throws<InvalidOperationException>(() => database.Write<int>(c =>
        {
            Sql.Execute(c, "INSERT INTO revocations VALUES ('a', 1)");
            throw new InvalidOperationException();
        }));
        Assert.Empty(Revoked(database));
    }

    [Fact]
    public void A_commit_is_synced_deleted_content_overwritten_and_the_log_bounded()
    {
        using StateDatabase database = StateDatabase.Open(_folder);
        Assert.Equal((2L, 1L, 16L << 20, 2L, "wal"), database.Write(c => (
            Sql.Scalar(c, "PRAGMA synchronous"), Sql.Scalar(c, "PRAGMA secure_delete"), Sql.Scalar(c, "PRAGMA journal_size_limit"), Sql.Scalar(c, "PRAGMA auto_vacuum"), Sql.Scalar(c, "PRAGMA journal_mode"))));
    }

    [Fact]
    public void Tables_are_changed_on_a_copy_and_the_old_state_is_kept_until_the_next_change()
    {
        using (StateDatabase old = Open(One))
            Revoke(old, "a");
        using (StateDatabase changed = Open(Two))
            Assert.Equal(["a"], Revoked(changed));
        Assert.Equal(["state.db", "state.db.before-1", "state.db.lock"], Files());

        using (StateDatabase next = Open([.. Two, new(9, "CREATE TABLE last (x)")]))
            Revoke(next, "b");
        Assert.Equal(["state.db", "state.db.before-7", "state.db.lock"], Files());

        // Going back: the kept state opens as it was, and so does the new one.
        using (StateDatabase back = Open(One))
            Assert.Equal(["a", "b"], Revoked(back));
        File.Move(DatabaseFile + ".before-7", DatabaseFile, overwrite: true);
        using StateDatabase before = Open(One);
        Assert.Equal(["a"], Revoked(before));
    }

    [Fact]
    public void A_change_of_tables_that_fails_leaves_the_database_as_it_was()
    {
        using (StateDatabase old = Open(One))
            Revoke(old, "a");
        Assert.Throws<IOException>(() => Open(Broken));
        using StateDatabase still = Open(One);
        Assert.Equal(["a"], Revoked(still));
        Assert.Equal(1L, still.Read(c => Sql.Scalar(c, "PRAGMA user_version")));
    }

    [Fact]
    public void A_crash_between_the_two_renames_of_a_change_loses_nothing()
    {
        using (StateDatabase old = Open(One))
            Revoke(old, "a");
        File.Move(DatabaseFile, DatabaseFile + ".before-1");
        File.WriteAllText(DatabaseFile + ".new", "half");
        using StateDatabase again = Open(Two);
        Assert.Equal(["a"], Revoked(again));
    }

    [Fact]
    public void Tables_are_not_changed_under_a_running_node()
    {
        using StateDatabase running = Open(One);
        Assert.Contains("older version of EdgeNode", Assert.Throws<IOException>(() => Open(Two)).Message);
        using StateDatabase beside = Open(One);
        Revoke(beside, "a");
        Assert.Equal(["a"], Revoked(running));
    }

    [Theory]
    [InlineData("noise over the pages")]
    [InlineData("a text")]
    [InlineData("nothing")]
    public void A_damaged_database_is_set_aside_and_its_small_tables_restored(string damage)
    {
        using (StateDatabase database = Open(One))
        {
            for (int i = 0; i < 500; i++)
                Revoke(database, $"session-{i}");
            database.Write(c => Sql.Execute(c, "INSERT INTO events (json) VALUES ('{}')"));
            database.MakeDailyCopy();
            Revoke(database, "late");
        }

        byte[] content = File.ReadAllBytes(DatabaseFile);
        if (damage.StartsWith("noise", StringComparison.Ordinal))
            new Random(1).NextBytes(content.AsSpan(4096));
        else
            content = damage == "nothing" ? [] : "this is no database"u8.ToArray();
        File.WriteAllBytes(DatabaseFile, content);

        using (StateDatabase restored = Open(Two))
        {
            Assert.Equal(500, Revoked(restored).Length);
            Assert.Equal(0L, restored.Read(c => Sql.Scalar(c, "SELECT count(*) FROM events")));
            Assert.Equal(7L, restored.Read(c => Sql.Scalar(c, "PRAGMA user_version")));
        }

        Assert.Equal(2, _log.Lines.Length);
        Assert.Contains("state.db.damaged-20260102T030405000Z", _log.Lines[0]);
        Assert.Contains("restored from the daily copy", _log.Lines[1]);
        Assert.Equal(content, File.ReadAllBytes(DatabaseFile + ".damaged-20260102T030405000Z"));
    }

    [Fact]
    public void Damage_that_is_met_while_running_is_told_and_makes_the_next_start_look_at_all()
    {
        using (StateDatabase database = Open(One))
        {
            database.Write(c => Sql.Execute(c, "INSERT INTO events (json) VALUES (zeroblob(200000))"));
            Revoke(database, "a");
            database.MakeDailyCopy();
        }

        using (StateDatabase database = Open(One))
        {
            int root = (int)(long)database.Read(c => Sql.Scalar(c, "SELECT rootpage FROM sqlite_master WHERE name = 'events'"))!;
            using (var file = new FileStream(DatabaseFile, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            {
                file.Position = (root - 1) * 4096L;
                file.Write(new byte[4096]);
            }

            Assert.Throws<IOException>(() => database.Write(c => Sql.Execute(c, "INSERT INTO events (json) VALUES ('{}')")));
            Assert.Contains("Restart the node", database.Trouble);
            Assert.Contains("state.db.suspect", Files());
        }

        using StateDatabase again = Open(One);
        Assert.Equal(["a"], Revoked(again));
        Assert.DoesNotContain("state.db.suspect", Files());
    }

    [Fact]
    public void Old_states_go_with_their_time()
    {
        Open(One).Dispose();
        using StateDatabase database = Open(Two);
        database.DeleteOldStates(DateTime.UtcNow.AddDays(-1));
        Assert.Contains("state.db.before-1", Files());
        database.DeleteOldStates(DateTime.UtcNow.AddDays(1));
        Assert.DoesNotContain("state.db.before-1", Files());
    }

    [Fact]
    public void Damaged_databases_do_not_pile_up()
    {
        for (int i = 0; i < 5; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            File.WriteAllText(DatabaseFile, "this is no database");
            Open(One).Dispose();
        }

        string[] kept = [.. Files().Where(f => f.Contains("damaged", StringComparison.Ordinal))];
        Assert.Equal(["state.db.damaged-20260102T030409000Z", "state.db.damaged-20260102T030410000Z"], kept);
    }

    [Fact]
    public void Without_a_sound_copy_the_node_begins_anew_and_says_so()
    {
        File.WriteAllText(DatabaseFile, "this is no database");
        File.WriteAllText(DatabaseFile + ".daily", "nor is this");
        using StateDatabase database = Open(One);
        Assert.Empty(Revoked(database));
        Assert.Contains("restore a backup", _log.Lines[1]);
    }

    [Fact]
    public void A_write_on_a_full_disk_fails_is_told_and_works_again_when_there_is_room()
    {
        using StateDatabase database = Open(One);
        database.WithWriter(c => Sql.Execute(c, "PRAGMA max_page_count=1"));
        IOException refused = Assert.Throws<IOException>(() => Fill(database));
        Assert.Contains("disk is full", refused.Message);
        Assert.Equal(refused.Message, database.Trouble);
        Assert.Equal(0L, database.Read(c => Sql.Scalar(c, "SELECT count(*) FROM events")));
        Assert.Throws<IOException>(() => Fill(database));
        Assert.Single(_log.Lines);
        database.WithWriter(c => Sql.Execute(c, "PRAGMA max_page_count=100000"));
        Fill(database);
        Assert.Null(database.Trouble);

        static void Fill(StateDatabase database) => database.Write(c => Sql.Execute(c, "INSERT INTO events (json) VALUES (zeroblob(100000))"));
    }

    [Fact]
    public void A_copy_is_whole_while_others_write()
    {
        using StateDatabase database = Open(One);
        Revoke(database, "a");
        database.Write(c => Sql.Execute(c, "INSERT INTO events (json) VALUES ('{}')"));
        string copies = Directory.CreateDirectory(Path.Combine(_folder, "copies")).FullName;
        database.CopyTo(Path.Combine(copies, StateDatabase.FileName));
        Assert.Single(Directory.GetFiles(copies));
        using StateDatabase copy = StateDatabase.Open(copies, _log, _time, One);
        Assert.Equal(["a"], Revoked(copy));
        Assert.Equal(1L, copy.Read(c => Sql.Scalar(c, "SELECT count(*) FROM events")));
    }

    [Fact]
    public void A_closed_database_refuses_those_who_come_late()
    {
        StateDatabase database = Open(One);
        database.Dispose();
        database.Dispose();
        Assert.Contains("closed", Assert.Throws<IOException>(() => Revoke(database, "a")).Message);
        Assert.Contains("closed", Assert.Throws<IOException>(() => Revoked(database)).Message);
    }

    [Fact]
    public void A_second_node_on_the_same_folder_is_refused()
    {
        using (NodeLock.Take(_folder))
            Assert.Contains("A node runs on the state folder", Assert.Throws<IOException>(() => NodeLock.Take(_folder)).Message);
        NodeLock.Take(_folder).Dispose();
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private StateDatabase Open(Migration[] migrations) => StateDatabase.Open(_folder, _log, _time, migrations);

    private string[] Files() => [.. Directory.GetFiles(_folder).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    private static void Revoke(StateDatabase database, string session) =>
        database.Write(c => Sql.Execute(c, "INSERT INTO revocations (jti, expires_at) VALUES ($jti, 1)", ("$jti", session)));

    private static string[] Revoked(StateDatabase database) => database.Read(c =>
    {
        var sessions = new List<string>();
        using SqliteCommand command = Sql.Command(c, "SELECT jti FROM revocations ORDER BY jti");
        using SqliteDataReader row = command.ExecuteReader();
        while (row.Read())
            sessions.Add(row.GetString(0));
        return sessions.ToArray();
    });
}
