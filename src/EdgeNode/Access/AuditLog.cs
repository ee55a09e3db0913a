using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using System.Threading.Channels;
using EdgeNode.Storage;
using Microsoft.Data.Sqlite;

namespace EdgeNode.Access;

/// <summary>
/// Who viewed, enrolled, erased, changed and signed in. Recording never waits: entries stand in a bounded line from which one writer takes them to the
/// database in batches; while the disk refuses them they wait, and those that find no room are counted and the count is written. Bounded
/// in number and age. Thread-safe.
/// </summary>
public sealed class AuditLog : IAsyncDisposable
{
    /// <summary>Entries kept.</summary>
    public const int MostEntries = 100_000;

    /// <summary>Most entries of one page.</summary>
    public const int LargestPage = 1000;

    /// <summary>How long an entry is kept.</summary>
    public static readonly TimeSpan Retention = TimeSpan.FromDays(365);

    private const int LongestText = 200;
    private const int WaitingAtMost = 4096;
    private const int ViewsRemembered = 4096;
    private const int DeletedAtOnce = 1000;
    private const string LostAction = "lost";
    private const string System = "system";
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ViewAgainAfter = TimeSpan.FromHours(1);
    private static readonly TimeSpan LongestGoodbye = TimeSpan.FromSeconds(5);
    private static readonly string[] ActionNames = [.. Enum.GetNames<AuditAction>().Select(JsonNamingPolicy.SnakeCaseLower.ConvertName)];
    private static readonly string[] OutcomeNames = [.. Enum.GetNames<AuditOutcome>().Select(JsonNamingPolicy.SnakeCaseLower.ConvertName)];

    private readonly StateDatabase _database;
    private readonly TimeProvider _time;
    private readonly int _mostEntries;
    private readonly Channel<Waiting> _line = Channel.CreateBounded<Waiting>(new BoundedChannelOptions(WaitingAtMost) { SingleReader = true });
    private readonly ConcurrentDictionary<(string Jti, string Camera), DateTime> _views = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _writing;
    private long _lost;
    private volatile bool _refused;

    /// <summary>The log in <paramref name="database"/>, which must outlive it; <paramref name="mostEntries"/> of them are kept.</summary>
    public AuditLog(StateDatabase database, TimeProvider time, int mostEntries = MostEntries)
    {
        _database = database;
        _time = time;
        _mostEntries = mostEntries;
        _writing = Task.Run(WriteAsync);
    }

    /// <summary>Notes what the holder of <paramref name="grant"/> (null: the node itself) did to <paramref name="obj"/> (kind and id, never a name). Does not wait.</summary>
    public void Record(AccessGrant? grant, AuditAction action, string obj, AuditOutcome outcome = AuditOutcome.Done)
    {
        var entry = new AuditEntry(
            0, _time.GetUtcNow().UtcDateTime, Cut(grant?.Subject ?? System), Cut(grant?.SessionId ?? ""), ActionNames[(int)action], Cut(obj), OutcomeNames[(int)outcome]);
        if (!_line.Writer.TryWrite(new Waiting(entry, null)))
            Interlocked.Increment(ref _lost);
    }

    /// <summary>Notes that somebody looks at a camera; may be called at every request: it is written once an hour for a token and a camera.</summary>
    public void RecordView(AccessGrant grant, string camera)
    {
        DateTime now = _time.GetUtcNow().UtcDateTime;
        (string SessionId, string Camera) key = (grant.SessionId, camera);
        if (_views.TryGetValue(key, out DateTime last) && last <= now && now - last < ViewAgainAfter)
            return;
        if (_views.Count >= ViewsRemembered)
            _views.Clear();
        _views[key] = now;
        Record(grant, AuditAction.View, $"camera:{camera}");
    }

    /// <summary>Up to <paramref name="limit"/> entries older than <paramref name="before"/> (null: the newest), newest first; what was recorded before is among them.</summary>
    /// <exception cref="IOException">The database cannot be read.</exception>
    public async Task<AuditPage> ReadAsync(long? before, int limit)
    {
        limit = Math.Clamp(limit, 1, LargestPage);
        await FlushAsync().ConfigureAwait(false);
        List<AuditEntry> entries = _database.Read(connection => Query(connection, before ?? long.MaxValue, limit + 1));
        bool more = entries.Count > limit;
        if (more)
            entries.RemoveAt(limit);
        return new AuditPage(entries, more ? entries[^1].Id : null);
    }

    /// <summary>Ends when what was recorded before is on disk, or when the disk refused it (then it waits for the disk).</summary>
    public async Task FlushAsync()
    {
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!_refused && _line.Writer.TryWrite(new Waiting(null, written)))
            await written.Task.ConfigureAwait(false);
    }

    /// <summary>Writes what waits, once more, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        _line.Writer.TryComplete();
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _writing.WaitAsync(LongestGoodbye).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
    }

    private async Task WriteAsync()
    {
        try
        {
            await WriteUntilStoppedAsync().ConfigureAwait(false);
        }
        finally
        {
            // Nobody is left to wait for what is not written any more.
            _line.Writer.TryComplete();
            while (_line.Reader.TryRead(out Waiting waiting))
                waiting.Written?.TrySetResult();
        }
    }

    private async Task WriteUntilStoppedAsync()
    {
        var batch = new List<AuditEntry>();
        var flushes = new List<TaskCompletionSource>();
        while (await _line.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            bool written;
            do
            {
                while (batch.Count < WaitingAtMost && _line.Reader.TryRead(out Waiting waiting))
                {
                    if (waiting.Entry is not null)
                        batch.Add(waiting.Entry);
                    else
                        flushes.Add(waiting.Written!);
                }

                written = TryWrite(batch);
                _refused = !written;
                foreach (TaskCompletionSource flush in flushes)
                    flush.TrySetResult();
                flushes.Clear();
                if (!written && !_stopping.IsCancellationRequested)
                    await Task.Delay(RetryAfter, _time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                else if (!written)
                    return;
            }
            while (!written);
        }
    }

    // A disk that refuses leaves the batch as it is.
    private bool TryWrite(List<AuditEntry> batch)
    {
        long lost = Interlocked.Read(ref _lost);
        if (batch.Count == 0 && lost == 0)
            return true;
        DateTime now = _time.GetUtcNow().UtcDateTime;
        try
        {
            _database.Write(connection =>
            {
                using SqliteCommand insert = connection.CreateCommand();
                insert.CommandText = "INSERT INTO audit (at, subject, jti, action, object, outcome) VALUES ($at, $subject, $jti, $action, $object, $outcome)";
                foreach (AuditEntry entry in batch)
                    Insert(insert, entry);
                if (lost > 0)
                    Insert(insert, new AuditEntry(0, now, System, "", LostAction, lost.ToString(CultureInfo.InvariantCulture), OutcomeNames[(int)AuditOutcome.Failed]));
                using SqliteCommand delete = connection.CreateCommand();
                delete.CommandText = $"""
                    DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - {_mostEntries};
                    DELETE FROM audit WHERE at < $oldest AND id IN (SELECT id FROM audit ORDER BY id LIMIT {DeletedAtOnce});
                    """;
                delete.Parameters.AddWithValue("$oldest", Milliseconds(now - Retention));
                return delete.ExecuteNonQuery();
            });
        }
        catch (IOException)
        {
            return false;
        }

        batch.Clear();
        Interlocked.Add(ref _lost, -lost);
        return true;
    }

    private static void Insert(SqliteCommand insert, AuditEntry entry)
    {
        insert.Parameters.Clear();
        insert.Parameters.AddWithValue("$at", Milliseconds(entry.At));
        insert.Parameters.AddWithValue("$subject", entry.Subject);
        insert.Parameters.AddWithValue("$jti", entry.Jti);
        insert.Parameters.AddWithValue("$action", entry.Action);
        insert.Parameters.AddWithValue("$object", entry.Object);
        insert.Parameters.AddWithValue("$outcome", entry.Outcome);
        insert.ExecuteNonQuery();
    }

    private static List<AuditEntry> Query(SqliteConnection connection, long before, int limit)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "SELECT id, at, subject, jti, action, object, outcome FROM audit WHERE id < $before ORDER BY id DESC LIMIT $limit";
        command.Parameters.AddWithValue("$before", before);
        command.Parameters.AddWithValue("$limit", limit);
        using SqliteDataReader row = command.ExecuteReader();
        var entries = new List<AuditEntry>();
        while (row.Read())
        {
            entries.Add(new AuditEntry(
                row.GetInt64(0), DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(1)).UtcDateTime, row.GetString(2), row.GetString(3), row.GetString(4), row.GetString(5), row.GetString(6)));
        }

        return entries;
    }

    private static string Cut(string text) => text.Length <= LongestText ? text : string.Concat(text.AsSpan(0, LongestText - 1), "…");

    private static long Milliseconds(DateTime time) => new DateTimeOffset(time).ToUnixTimeMilliseconds();

    // An entry, or somebody who waits for those before it to be written.
    private readonly record struct Waiting(AuditEntry? Entry, TaskCompletionSource? Written);
}
