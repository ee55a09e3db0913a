using System.Globalization;
using EdgeNode.Native.Linux;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace EdgeNode.Storage;

/// <summary>
/// The database as files: what is done with it while nobody has it open. Beside <c>state.db</c> may lie
/// <c>state.db.new</c> (a copy in the making, worthless after a crash), <c>state.db.before-N</c> (as it was before the last change of
/// its tables), <c>state.db.damaged-TIME</c> (set aside for a maintainer), <c>state.db.suspect</c> (empty: all of it is to be checked) and <c>state.db.daily</c> (<see cref="DailyCopy"/>).
/// </summary>
internal static class DatabaseFile
{
    /// <summary>Damaged databases that are kept.</summary>
    internal const int DamagedAtMost = 2;

    /// <summary>Bytes up to which all of a database is checked at every start: seconds on a slow card.</summary>
    private const long CheckedAtOnce = 256 << 20;

    private const int Corrupt = 11;
    private const int NotADatabase = 26;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    // SQLite waits for other connections itself; the library would poll.
    private static readonly TimeSpan WaitForOthers = TimeSpan.FromSeconds(10);

    // A check of gigabytes on a slow card, or their copy before a migration.
    private static readonly TimeSpan WaitForUpkeep = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Makes the file ready to be opened, and holds it so. Who comes first checks it, repairs it and brings its tables up to date; who
    /// comes beside a running node finds that done.
    /// </summary>
    /// <exception cref="IOException">It cannot be had; the message says what to do.</exception>
    internal static FileLock Ready(string path, IReadOnlyList<Migration> migrations, ILogger log, TimeProvider time)
    {
        using (FileLock? alone = FileLock.TryTake(LockOf(path), exclusive: true))
        {
            if (alone is not null)
                Prepare(path, migrations, log, time);
        }

        FileLock shared = FileLock.Take(LockOf(path), exclusive: false, WaitForUpkeep, $"The database {path} is held by another EdgeNode process: wait until that is done, or stop it.");
        try
        {
            using SqliteConnection connection = Connect(path);
            if (DatabaseMigrations.VersionOf(connection) < Newest(migrations))
                throw new IOException($"The database {path} is in use by an older version of EdgeNode: stop that first.");
            return shared;
        }
        catch
        {
            shared.Dispose();
            throw;
        }
    }

    /// <summary>Takes the database away from everybody else, to replace it.</summary>
    /// <exception cref="IOException">It is in use.</exception>
    internal static FileLock TakeAlone(string path, TimeSpan patience) =>
        FileLock.Take(LockOf(path), exclusive: true, patience, $"The database {path} is in use: stop the node and other commands first.");

    internal static SqliteConnection Connect(string path)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = SqliteOpenMode.ReadWrite,
            Pooling = false,
            DefaultTimeout = (int)WaitForOthers.TotalSeconds,
        }.ConnectionString);
        try
        {
            connection.Open();
            Sql.Execute(connection, string.Create(CultureInfo.InvariantCulture, $"PRAGMA busy_timeout={WaitForOthers.TotalMilliseconds}"));
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>An empty file of the folder's owner, mode 0600; SQLite gives its other files the same.</summary>
    internal static void Create(string path)
    {
        using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly });
        FileOwner.Inherit(Path.GetDirectoryName(Path.GetFullPath(path))!, file.SafeFileHandle);
    }

    /// <summary>
    /// What is wrong with a database; null when it is sound. Of one that is large, the large tables are looked at only after damage was met
    /// (<see cref="Suspect"/>): a node must not stand still for minutes at each start.
    /// </summary>
    internal static string? Fault(string path)
    {
        try
        {
            using SqliteConnection connection = Connect(path);
            if (new FileInfo(path).Length <= CheckedAtOnce || File.Exists(SuspectOf(path)))
                return Check(connection, "PRAGMA quick_check(1)");
            foreach (string table in DailyCopy.SmallTables(connection))
            {
                if (Check(connection, $"PRAGMA quick_check(\"{table}\")") is string answer)
                    return answer;
            }

            return null;
        }
        catch (SqliteException fault) when (fault.SqliteErrorCode is Corrupt or NotADatabase)
        {
            return fault.Message;
        }
    }

    /// <summary>Has the next start check all of the database.</summary>
    internal static void Suspect(string path)
    {
        try
        {
            if (!File.Exists(SuspectOf(path)))
                Create(SuspectOf(path));
        }
        catch (IOException)
        {
            // A full disk: the next damage is met soon enough.
        }
    }

    /// <summary>Deletes a database with what SQLite keeps beside it.</summary>
    internal static void Delete(string path)
    {
        File.Delete(path);
        File.Delete(path + "-wal");
        File.Delete(path + "-shm");
        File.Delete(path + "-journal");
    }

    /// <summary>Deletes the older states of the database that are kept, from before <paramref name="time"/>: they hold what was erased since, and events beyond their time.</summary>
    internal static void DeleteOldStates(string path, DateTime time)
    {
        foreach (string old in Beside(path, ".before-*").Concat(Beside(path, ".damaged-*")).Where(f => File.GetLastWriteTimeUtc(f) < time).ToArray())
            File.Delete(old);
    }

    private static void Prepare(string path, IReadOnlyList<Migration> migrations, ILogger log, TimeProvider time)
    {
        Delete(path + ".new");
        StateBackup.DeleteLeftovers(Path.GetDirectoryName(Path.GetFullPath(path))!);
        // A crash between the two renames of a migration.
        if (!File.Exists(path) && Beside(path, ".before-*").MaxBy(VersionBefore) is string before)
            File.Move(before, path);
        if (File.Exists(path) && Damage(path) is string damage)
        {
            string aside = SetAside(path, time);
            File.Delete(SuspectOf(path));
            log.LogError("The database {Path} is damaged ({Damage}); it was set aside as {Aside}.", path, damage, Path.GetFileName(aside));
        }

        if (!File.Exists(path))
        {
            Delete(path);
            if (File.Exists(DailyCopy.PathOf(path)))
                RestoreDaily(path, log);
        }

        if (!File.Exists(path))
            Create(path);
        Migrate(path, migrations);
        File.Delete(SuspectOf(path));
    }

    private static int VersionBefore(string old) => int.TryParse(old.AsSpan(old.LastIndexOf('-') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int version) ? version : -1;

    private static string? Check(SqliteConnection connection, string pragma) => Sql.Scalar(connection, pragma) is string answer and not "ok" ? answer : null;

    // A power cut may leave a file without any content; the copy of a day tells that there was some.
    private static string? Damage(string path) =>
        new FileInfo(path).Length > 0 ? Fault(path) : File.Exists(DailyCopy.PathOf(path)) ? "it is empty" : null;

    private static string SetAside(string path, TimeProvider time)
    {
        string aside = $"{path}.damaged-{time.GetUtcNow().UtcDateTime.ToString("yyyyMMdd'T'HHmmssfff'Z'", CultureInfo.InvariantCulture)}";
        File.Move(path, aside, overwrite: true);
        File.SetLastWriteTimeUtc(aside, DateTime.UtcNow);
        if (File.Exists(path + "-wal"))
            File.Move(path + "-wal", aside + "-wal", overwrite: true);
        Delete(path);
        foreach (string old in Beside(path, ".damaged-*").Where(f => !f.EndsWith("-wal", StringComparison.Ordinal)).OrderDescending(StringComparer.Ordinal).Skip(DamagedAtMost))
            Delete(old);
        return aside;
    }

    private static void RestoreDaily(string path, ILogger log)
    {
        string daily = DailyCopy.PathOf(path);
        if (Fault(daily) is string fault)
        {
            log.LogError("The daily copy {Daily} is damaged, too ({Fault}): the node begins with an empty database; restore a backup if there is one.", daily, fault);
            return;
        }

        DateTime madeAt = File.GetLastWriteTimeUtc(daily);
        Create(path + ".new");
        using (FileStream source = File.OpenRead(daily), target = new(path + ".new", FileMode.Open, FileAccess.Write))
        {
            source.CopyTo(target);
            target.Flush(flushToDisk: true);
        }

        File.Move(path + ".new", path);
        log.LogWarning("People, cameras, tokens and settings were restored from the daily copy of {MadeAt:u}; what changed since is lost, and so are the stored events.", madeAt);
    }

    private static void Migrate(string path, IReadOnlyList<Migration> migrations)
    {
        int version;
        using (SqliteConnection connection = Connect(path))
        {
            version = DatabaseMigrations.VersionOf(connection);
            if (version >= Newest(migrations))
                return;
            if (version == 0)
            {
                // Nothing to lose.
                Sql.Execute(connection, "PRAGMA auto_vacuum=INCREMENTAL");
                DatabaseMigrations.Apply(connection, migrations);
                return;
            }

            CopyTo(connection, path + ".new");
            // All that the log holds goes into the file, so that the file alone is the old state.
            Sql.Execute(connection, "PRAGMA wal_checkpoint(TRUNCATE)");
        }

        using (SqliteConnection copy = Connect(path + ".new"))
        {
            Sql.Execute(copy, "PRAGMA synchronous=FULL");
            DatabaseMigrations.Apply(copy, migrations);
        }

        string before = string.Create(CultureInfo.InvariantCulture, $"{path}.before-{version}");
        File.Move(path, before, overwrite: true);
        Delete(path);
        File.Move(path + ".new", path);
        File.SetLastWriteTimeUtc(before, DateTime.UtcNow);
        foreach (string older in Beside(path, ".before-*").Where(f => f != before))
            File.Delete(older);
    }

    /// <summary>Copies an open database into a new file, as of one moment, while others write on (SQLite's backup API). The copy stands alone, without a log beside it.</summary>
    internal static void CopyTo(SqliteConnection source, string file)
    {
        Delete(file);
        Create(file);
        using SqliteConnection copy = Connect(file);
        source.BackupDatabase(copy);
        Sql.Execute(copy, "PRAGMA journal_mode=DELETE");
    }

    private static int Newest(IReadOnlyList<Migration> migrations) => migrations.Count > 0 ? migrations[^1].Number : 0;

    private static string SuspectOf(string path) => path + ".suspect";

    private static string LockOf(string path) => path + ".lock";

    private static IEnumerable<string> Beside(string path, string pattern) =>
        Directory.EnumerateFiles(Path.GetDirectoryName(Path.GetFullPath(path))!, Path.GetFileName(path) + pattern);
}
