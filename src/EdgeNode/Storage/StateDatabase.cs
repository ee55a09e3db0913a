using System.Globalization;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeNode.Storage;

/// <summary>
/// The node's SQLite database, <c>state.db</c> in the state folder: WAL, synced at every commit (a power cut loses nothing that
/// was acknowledged), what is deleted is overwritten. One writer at a time within the process; other processes (the command line)
/// wait for their turn. A full disk makes writes fail and nothing else. Thread-safe.
/// </summary>
public sealed class StateDatabase : IDisposable
{
    /// <summary>Name of the database's file in the state folder.</summary>
    public const string FileName = "state.db";

    /// <summary>Bytes to which the write-ahead log is cut after each checkpoint; 1000 pages, 4 MB, bring one about.</summary>
    private const int LogBytesAtMost = 16 << 20;

    private const int ReadOnly = 8;
    private const int InputOutput = 10;
    private const int Corrupt = 11;
    private const int Full = 13;
    private const int CannotOpen = 14;
    private const int NotADatabase = 26;

    private readonly Lock _writing = new();
    private readonly Lock _reading = new();
    private readonly string _path;
    private readonly ILogger _log;
    private readonly FileLock _held;
    private readonly SqliteConnection _writer;
    private readonly SqliteConnection _reader;
    private volatile string? _trouble;
    private volatile bool _isDamaged;
    private bool _isClosed;

    private StateDatabase(string folder, FileLock held, ILogger log)
    {
        Folder = folder;
        _path = Path.Combine(folder, FileName);
        _held = held;
        _log = log;
        _writer = DatabaseFile.Connect(_path);
        try
        {
            Sql.Execute(_writer, string.Create(CultureInfo.InvariantCulture,
                $"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA foreign_keys=ON; PRAGMA journal_size_limit={LogBytesAtMost}"));
            _reader = DatabaseFile.Connect(_path);
            Sql.Execute(_reader, "PRAGMA query_only=ON");
        }
        catch
        {
            _reader?.Dispose();
            _writer.Dispose();
            throw;
        }
    }

    /// <summary>The state folder.</summary>
    public string Folder { get; }

    /// <summary>Why nothing can be written now, in a sentence; null while all is well.</summary>
    public string? Trouble => _trouble;

    /// <summary>Damage was met since it was opened: room on the disk does not help, and what is kept of earlier states may.</summary>
    internal bool IsDamaged => _isDamaged;

    /// <summary>
    /// Opens the database of <paramref name="stateFolder"/>, makes it where it is missing, and brings its tables up to date, on a copy that then
    /// takes its place. One that is damaged is set aside, and the small tables restored from the daily copy; the log says so. One of a
    /// newer version opens: changes only add.
    /// </summary>
    /// <exception cref="IOException">It cannot be opened; the message says what to do.</exception>
    public static StateDatabase Open(string stateFolder, ILogger? log = null, TimeProvider? time = null) =>
        Open(stateFolder, log ?? NullLogger.Instance, time ?? TimeProvider.System, DatabaseMigrations.Embedded);

    internal static StateDatabase Open(string stateFolder, ILogger log, TimeProvider time, IReadOnlyList<Migration> migrations)
    {
        StateFolder.Ensure(stateFolder);
        string path = Path.Combine(stateFolder, FileName);
        try
        {
            return OpenFile(stateFolder, path, log, time, migrations);
        }
        catch (SqliteException) when (SpaceReserve.Release(stateFolder))
        {
            // The disk may be so full that not even the log's index finds room.
            return Open(stateFolder, log, time, migrations);
        }
        catch (SqliteException fault)
        {
            throw new IOException($"The database {path} cannot be opened: {Explain(fault)}", fault);
        }
    }

    /// <summary>Runs <paramref name="change"/> in one transaction, on disk when this returns; what it throws undoes all of it.</summary>
    /// <exception cref="IOException">It could not be written (a full disk, say): nothing of it was.</exception>
    public T Write<T>(Func<SqliteConnection, T> change)
    {
        lock (_writing)
        {
            ThrowIfClosed();
            try
            {
                using SqliteTransaction transaction = _writer.BeginTransaction(deferred: false);
                T result = change(_writer);
                transaction.Commit();
                SetTrouble(null);
                return result;
            }
            catch (SqliteException fault)
            {
                string what = $"The node's database could not be written: {Explain(fault)}";
                NoteDamage(fault);
                if (fault.SqliteErrorCode is ReadOnly or InputOutput or Corrupt or Full or CannotOpen or NotADatabase)
                    SetTrouble(what);
                throw new IOException(what, fault);
            }
        }
    }

    /// <summary>
    /// As <see cref="Write"/>, and what was deleted is gone from the whole state folder when this returns: overwritten in the database, out of
    /// its log and out of every copy.
    /// </summary>
    /// <exception cref="IOException">It could not be written: nothing of it was.</exception>
    public T Erase<T>(Func<SqliteConnection, T> change)
    {
        using FileLock copies = DailyCopy.Hold(_path);
        T result = Write(change);
        DatabaseFile.Delete(DailyCopy.PathOf(_path));
        DatabaseFile.DeleteOldStates(_path, DateTime.MaxValue);
        StateBackup.DeleteLeftovers(Folder);
        try
        {
            EmptyLog();
            DailyCopy.Make(_path);
        }
        catch (Exception fault) when (fault is IOException or SqliteException)
        {
            // It is erased; the copy is made at the latest tomorrow.
            _log.LogWarning("The daily copy could not be made anew: {Reason}", fault.Message);
        }

        return result;
    }

    /// <summary>Reads a consistent state; <paramref name="query"/> must not hold on to readers, nor write.</summary>
    /// <exception cref="IOException">It could not be read.</exception>
    public T Read<T>(Func<SqliteConnection, T> query)
    {
        lock (_reading)
        {
            ThrowIfClosed();
            try
            {
                using SqliteTransaction transaction = _reader.BeginTransaction(deferred: true);
                return query(_reader);
            }
            catch (SqliteException fault)
            {
                NoteDamage(fault);
                throw new IOException($"The node's database could not be read: {Explain(fault)}", fault);
            }
        }
    }

    /// <summary>Makes the copy from which the small tables are restored when the database is damaged. Once a day is enough.</summary>
    /// <exception cref="IOException">It could not be written; the old one is there still.</exception>
    public void MakeDailyCopy()
    {
        using FileLock copies = DailyCopy.Hold(_path);
        try
        {
            DailyCopy.Make(_path);
        }
        catch (SqliteException fault)
        {
            throw new IOException($"The daily copy of the database could not be written: {Explain(fault)}", fault);
        }
    }

    /// <summary>Deletes what is kept of earlier states of the database (before a change of its tables, set aside as damaged) from before <paramref name="time"/> (UTC).</summary>
    public void DeleteOldStates(DateTime time) => DatabaseFile.DeleteOldStates(_path, time);

    /// <summary>Copies all of it into a new file, as of one moment, while others write on.</summary>
    /// <exception cref="IOException">It could not be written.</exception>
    public void CopyTo(string file)
    {
        try
        {
            using SqliteConnection source = DatabaseFile.Connect(_path);
            DatabaseFile.CopyTo(source, file);
        }
        catch (SqliteException fault)
        {
            DatabaseFile.Delete(file);
            throw new IOException($"The database could not be copied to {file}: {Explain(fault)}", fault);
        }
    }

    /// <summary>Bytes that the database's content takes, and bytes within its file that are free for more.</summary>
    /// <exception cref="IOException">It could not be read.</exception>
    public (long Used, long Free) Size() => Read(static connection =>
    {
        long page = (long)Sql.Scalar(connection, "PRAGMA page_size")!;
        long free = (long)Sql.Scalar(connection, "PRAGMA freelist_count")! * page;
        return ((long)Sql.Scalar(connection, "PRAGMA page_count")! * page - free, free);
    });

    /// <summary>Gives free pages at the end of the file back to the file system, <paramref name="bytes"/> of them at most.</summary>
    /// <exception cref="IOException">It could not be written.</exception>
    public void Shrink(long bytes) => Write(connection =>
    {
        long page = (long)Sql.Scalar(connection, "PRAGMA page_size")!;
        using SqliteCommand command = Sql.Command(connection, string.Create(CultureInfo.InvariantCulture, $"PRAGMA incremental_vacuum({bytes / page})"));
        using SqliteDataReader steps = command.ExecuteReader();
        // One step a page.
        while (steps.Read())
        {
        }

        return 0;
    });

    /// <summary>Closes it after what is under way; who still comes gets an <see cref="IOException"/>.</summary>
    public void Dispose()
    {
        lock (_writing)
        {
            lock (_reading)
            {
                _isClosed = true;
                _reader.Dispose();
                _writer.Dispose();
                _held.Dispose();
            }
        }
    }

    /// <summary>For tests: the writer, to take its room away.</summary>
    internal void WithWriter(Action<SqliteConnection> action)
    {
        lock (_writing)
            action(_writer);
    }

    private static StateDatabase OpenFile(string stateFolder, string path, ILogger log, TimeProvider time, IReadOnlyList<Migration> migrations)
    {
        FileLock? held = null;
        try
        {
            held = DatabaseFile.Ready(path, migrations, log, time);
            return new StateDatabase(stateFolder, held, log);
        }
        catch
        {
            held?.Dispose();
            throw;
        }
    }

    // The log's file is cut to nothing: no old content stays in it. Waits for readers.
    private void EmptyLog()
    {
        lock (_writing)
        {
            lock (_reading)
            {
                if (Sql.Scalar(_writer, "PRAGMA wal_checkpoint(TRUNCATE)") is not 0L)
                    _log.LogWarning("Another process reads the database: what was erased stays in {Path}-wal until that ends.", _path);
            }
        }
    }

    private void ThrowIfClosed()
    {
        if (_isClosed)
            throw new IOException("The node's database is closed.");
    }

    private void NoteDamage(SqliteException fault)
    {
        if (fault.SqliteErrorCode is not (Corrupt or NotADatabase))
            return;
        _isDamaged = true;
        DatabaseFile.Suspect(_path);
    }

    private void SetTrouble(string? trouble)
    {
        if ((trouble is null) == (_trouble is null))
            return;
        _trouble = trouble;
        if (trouble is not null)
            _log.LogError("{Trouble}", trouble);
        else
            _log.LogInformation("The node's database can be written again.");
    }

    private static string Explain(SqliteException fault) => fault.SqliteErrorCode switch
    {
        Full => "the disk is full. Free some space on it.",
        ReadOnly or CannotOpen => "it cannot be opened for writing. See that it belongs to the node's user and that the disk is not read-only.",
        InputOutput => $"the disk refuses ({fault.SqliteExtendedErrorCode}).",
        Corrupt or NotADatabase => "it is damaged. Restart the node, which then sets it aside and restores the daily copy.",
        _ => fault.Message,
    };
}
