using System.Globalization;
using Microsoft.Data.Sqlite;

namespace EdgeNode.Storage;

/// <summary>
/// The node's SQLite database, <c>state.db</c> in the state folder: WAL, synced at every commit (a power cut loses nothing that
/// was acknowledged), what is deleted is overwritten. One writer at a time within the process; other processes (the command line)
/// wait for their turn. Thread-safe.
/// </summary>
public sealed class StateDatabase : IDisposable
{
    /// <summary>Name of the database's file in the state folder.</summary>
    public const string FileName = "state.db";

    private static readonly TimeSpan WaitForOthers = TimeSpan.FromSeconds(10);
    private readonly Lock _writing = new();
    private readonly Lock _reading = new();
    private readonly SqliteConnection _writer;
    private readonly SqliteConnection _reader;

    private StateDatabase(SqliteConnection writer, SqliteConnection reader)
    {
        _writer = writer;
        _reader = reader;
    }

    /// <summary>Opens the database of <paramref name="stateFolder"/>, makes it where it is missing, and brings its tables up to date.</summary>
    /// <exception cref="IOException">It cannot be opened; the message says what to do.</exception>
    public static StateDatabase Open(string stateFolder)
    {
        StateFolder.Ensure(stateFolder);
        string path = Path.Combine(stateFolder, FileName);
        try
        {
            SqliteConnection writer = Connect(path);
            Execute(writer, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA foreign_keys=ON");
            Migrate(writer);
            SqliteConnection reader = Connect(path);
            Execute(reader, "PRAGMA query_only=ON");
            return new StateDatabase(writer, reader);
        }
        catch (SqliteException fault)
        {
            throw new IOException($"The database {path} cannot be opened: {fault.Message}", fault);
        }
    }

    /// <summary>Runs <paramref name="change"/> in one transaction, on disk when this returns; what it throws undoes all of it.</summary>
    /// <exception cref="IOException">It could not be written (a full disk, say): nothing of it was.</exception>
    public T Write<T>(Func<SqliteConnection, T> change)
    {
        lock (_writing)
        {
            try
            {
                using SqliteTransaction transaction = _writer.BeginTransaction(deferred: false);
                T result = change(_writer);
                transaction.Commit();
                return result;
            }
            catch (SqliteException fault)
            {
                throw new IOException($"The node's database could not be written: {fault.Message}", fault);
            }
        }
    }

    /// <summary>Reads a consistent state; <paramref name="query"/> must not hold on to readers.</summary>
    /// <exception cref="IOException">It could not be read.</exception>
    public T Read<T>(Func<SqliteConnection, T> query)
    {
        lock (_reading)
        {
            try
            {
                using SqliteTransaction transaction = _reader.BeginTransaction(deferred: true);
                return query(_reader);
            }
            catch (SqliteException fault)
            {
                throw new IOException($"The node's database could not be read: {fault.Message}", fault);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _reader.Dispose();
        _writer.Dispose();
    }

    private static SqliteConnection Connect(string path)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Pooling = false,
            DefaultTimeout = (int)WaitForOthers.TotalSeconds,
        }.ConnectionString);
        connection.Open();
        return connection;
    }

    // Files NNNN-what.sql, run once each, in order; the database remembers the last one in user_version.
    private static void Migrate(SqliteConnection connection)
    {
        int done = Convert.ToInt32(Scalar(connection, "PRAGMA user_version"), CultureInfo.InvariantCulture);
        foreach (string name in typeof(StateDatabase).Assembly.GetManifestResourceNames().Where(n => n.StartsWith("migrations/", StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            int number = int.Parse(name.AsSpan("migrations/".Length, 4), CultureInfo.InvariantCulture);
            if (number <= done)
                continue;
            using var text = new StreamReader(typeof(StateDatabase).Assembly.GetManifestResourceStream(name)!);
            using SqliteTransaction transaction = connection.BeginTransaction(deferred: false);
            Execute(connection, text.ReadToEnd());
            Execute(connection, $"PRAGMA user_version={number}");
            transaction.Commit();
        }
    }

    private static object? Scalar(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
