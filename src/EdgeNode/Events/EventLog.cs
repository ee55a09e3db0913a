using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using EdgeNode.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace EdgeNode.Events;

/// <summary>An event and its place in the log.</summary>
public readonly record struct LoggedEvent(long Cursor, FaceEvent Event);

/// <summary>
/// A piece of the log. <see cref="Next"/> is the cursor to read on from; <see cref="HasGap"/> says that events after the
/// cursor asked for are no longer held, <see cref="HasMore"/> that there are more to read now.
/// </summary>
public sealed record EventPage(IReadOnlyList<LoggedEvent> Events, long Next, bool HasGap, bool HasMore);

/// <summary>
/// The events in the database, for consumers that catch up and for those that listen. Who may see which camera is the caller's to
/// say, by the predicate. One thread writes, in batches, each on disk before anybody hears of it; <see cref="Append"/> never waits for it. Cursors only grow, across restarts
/// too, and stay exact in JavaScript. Names are not stored but looked up at reading, so that erasing somebody erases here too. Thread-safe.
/// </summary>
public sealed class EventLog : IRetained, IDisposable
{
    /// <summary>Listeners at most.</summary>
    public const int SubscribersAtMost = 1000;

    /// <summary>Events that wait for the disk at most: some minutes of a busy node.</summary>
    public const int WaitingAtMost = 10_000;

    // A cursor that begins at the clock goes on rising where the database was lost.
    private const long CursorsAMillisecond = 1000;
    private const long MillisecondsADay = 86_400_000;
    private const int BatchAtMost = 256;
    private const int ShotBytesWaitingAtMost = 16 << 20;
    private const int ScannedAtMost = 10_000;
    private const int TrimAtOnce = 1000;

    // Before the clock was set, nothing is known of an event's age.
    private static readonly long Plausible = new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestStop = TimeSpan.FromSeconds(10);

    private readonly StateDatabase _database;
    private readonly Func<Guid, string?> _nameOf;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly int _waitingAtMost;
    private readonly object _gate = new();
    private readonly EventShots? _shots;
    private readonly LinkedList<Waiting> _waiting = [];
    private int _shotBytesWaiting;
    private readonly List<EventSubscription> _subscribers = [];
    private readonly CancellationTokenSource _stop = new();
    private Thread? _writer;
    private bool _isWriting;
    private long _dropped;
    private long _recordedAt;

    /// <summary>
    /// Opens the log. Events that were open when the node stopped are ended (<c>end_reason: restart</c>), as the first that
    /// <see cref="Start"/> writes. <paramref name="nameOf"/>: the name of a person; null who is not known (any more).
    /// <paramref name="shots"/>: where the events' best shots are kept; null: nowhere.
    /// </summary>
    /// <exception cref="IOException">The database cannot be read.</exception>
    public EventLog(StateDatabase database, Func<Guid, string?> nameOf, TimeProvider time, ILogger log, int waitingAtMost = WaitingAtMost, EventShots? shots = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(waitingAtMost);
        _database = database;
        _nameOf = nameOf;
        _time = time;
        _log = log;
        _waitingAtMost = waitingAtMost;
        _shots = shots;
        if (_database.Read(static c => Sql.Scalar(c, "SELECT seq FROM sqlite_sequence WHERE name = 'events'")) is null)
            BeginCursors();
        _recordedAt = _database.Read(static c => (long)(Sql.Scalar(c, "SELECT recorded_at FROM events ORDER BY cursor DESC LIMIT 1") ?? 0L));
        foreach (FaceEvent open in ReadOpen())
        {
            _waiting.AddLast(new Waiting(
                open with
                {
                    Seq = open.Seq + 1,
                    Phase = FaceEventPhase.Ended,
                    EndedAt = open.UpdatedAt,
                    EndReason = FaceEventEndReason.Restart,
                    Folded = 0,
                },
                null));
        }
    }

    /// <summary>An event is on disk: told by the writing thread, in order. Be brief.</summary>
    public event Action<FaceEvent>? Committed;

    /// <summary>Events that were never written: the disk refused for so long that the queue was full.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Begins to write.</summary>
    public void Start()
    {
        _writer = new Thread(Run) { Name = "events", IsBackground = true };
        _writer.Start();
    }

    /// <summary>Adds an event, and its best shot where that is new; it is in the log, and those who listen are woken, once both are on disk.</summary>
    public void Append(FaceEvent e, EventShot? shot = null)
    {
        lock (_gate)
        {
            if (_waiting.Count >= _waitingAtMost)
            {
                Interlocked.Increment(ref _dropped);
                // A start or an end says more than an update.
                if (e.Phase == FaceEventPhase.Updated)
                    return;
                RemoveFirst();
            }

            // Where the disk refuses for long, pictures are left out before events are.
            if (shot?.Picture.Length > ShotBytesWaitingAtMost - _shotBytesWaiting)
                shot = null;
            _shotBytesWaiting += shot?.Picture.Length ?? 0;
            _waiting.AddLast(new Waiting(e, shot));
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>
    /// Up to <paramref name="max"/> events of cameras that <paramref name="isVisible"/> lets through, oldest first, from behind
    /// <paramref name="cursor"/> (0: all that is held). A cursor from the future, as after a clock that went back, reads all.
    /// </summary>
    /// <exception cref="IOException">The database cannot be read.</exception>
    public EventPage ReadAfter(long cursor, Func<string, bool> isVisible, int max)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(max);
        return _database.Read(connection =>
        {
            long floor = (long)Sql.Scalar(connection, "SELECT floor FROM event_log")!;
            long last = (long)Sql.Scalar(connection, "SELECT seq FROM sqlite_sequence WHERE name = 'events'")!;
            bool hasGap = cursor != 0 && (cursor > last || cursor < floor);
            long at = cursor > last ? floor : Math.Max(cursor, floor);
            var events = new List<LoggedEvent>();
            int scanned = 0;
            using SqliteCommand command = Sql.Command(connection,
                string.Create(CultureInfo.InvariantCulture, $"SELECT cursor, camera, json FROM events WHERE cursor > $at ORDER BY cursor LIMIT {ScannedAtMost}"), ("$at", at));
            using SqliteDataReader row = command.ExecuteReader();
            while (events.Count < max && row.Read())
            {
                scanned++;
                at = row.GetInt64(0);
                if (isVisible(row.GetString(1)) && Decode(connection, row.GetFieldValue<byte[]>(2)) is FaceEvent e)
                    events.Add(new LoggedEvent(at, e));
            }

            return new EventPage(events, at, hasGap, at < last && (events.Count == max || scanned == ScannedAtMost));
        });
    }

    /// <summary>
    /// Who was seen on which day (UTC) from <paramref name="from"/> to <paramref name="to"/>, by the cameras that <paramref name="allows"/> lets through. An event counts for whom its
    /// last report of the day names. Ordered by day and first time.
    /// </summary>
    /// <exception cref="ArgumentException">The days are in the wrong order, or more than <see cref="AttendanceRow.DaysAtMost"/>.</exception>
    /// <exception cref="IOException">The database cannot be read.</exception>
    public IReadOnlyList<AttendanceRow> Attendance(DateOnly from, DateOnly to, Func<string, bool> allows)
    {
        if (to < from || to.DayNumber - from.DayNumber >= AttendanceRow.DaysAtMost)
            throw new ArgumentException($"'from' and 'to' must be days in this order, {AttendanceRow.DaysAtMost} at most.");
        // A bare column beside max() is of the row that has it (SQLite, "Bare columns in an aggregate query").
        List<AttendanceRow> sightings = _database.Read(connection =>
        {
            var rows = new List<AttendanceRow>();
            using SqliteCommand command = Sql.Command(connection,
                """
                SELECT identity_id, day, camera, min(max(started_at, day * 86400000)), max(updated_at)
                FROM (SELECT max(cursor), identity_id, camera, started_at, updated_at, updated_at / 86400000 AS day
                      FROM events WHERE updated_at >= $from AND updated_at < $to GROUP BY event_id, day)
                WHERE identity_id IS NOT NULL GROUP BY identity_id, day, camera
                """,
                ("$from", Milliseconds(from.ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc))), ("$to", Milliseconds(to.ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc)) + MillisecondsADay));
            using SqliteDataReader row = command.ExecuteReader();
            while (row.Read())
            {
                string camera = row.GetString(2);
                if (allows(camera))
                {
                    var id = Guid.Parse(row.GetString(0));
                    rows.Add(new AttendanceRow(id, _nameOf(id), DateOnly.FromDateTime(Time(row.GetInt64(1) * MillisecondsADay)), Time(row.GetInt64(3)), Time(row.GetInt64(4)), [camera]));
                }
            }

            return rows;
        });
        return [.. sightings.GroupBy(s => (s.IdentityId, s.Day))
            .Select(g => g.First() with { FirstSeen = g.Min(s => s.FirstSeen), LastSeen = g.Max(s => s.LastSeen), Cameras = [.. g.Select(s => s.Cameras[0]).Order(StringComparer.Ordinal)] })
            .OrderBy(r => r.Day).ThenBy(r => r.FirstSeen).ThenBy(r => r.IdentityId)];
    }

    /// <summary>Listens from now on; null when too many do. Dispose to stop.</summary>
    public EventSubscription? Subscribe()
    {
        lock (_gate)
        {
            if (_subscribers.Count >= SubscribersAtMost)
                return null;
            var subscription = new EventSubscription(this);
            _subscribers.Add(subscription);
            return subscription;
        }
    }

    /// <inheritdoc/>
    public int TrimBefore(DateTime cutoff)
    {
        long age = Milliseconds(cutoff);
        // Only what lies among the oldest: cursor and time rise together.
        if (_database.Read(static c => Sql.Scalar(c, "SELECT recorded_at FROM events ORDER BY cursor LIMIT 1")) is not long oldest || (oldest >= age && oldest >= Plausible))
            return 0;
        return _database.Write(connection =>
            Sql.Scalar(connection,
                string.Create(CultureInfo.InvariantCulture, $"SELECT max(cursor) FROM (SELECT cursor, recorded_at FROM events ORDER BY cursor LIMIT {ScannedAtMost}) WHERE recorded_at < $age AND recorded_at >= $plausible"),
                ("$age", age), ("$plausible", Plausible)) is long last ? DeleteUpTo(connection, last) : 0);
    }

    /// <inheritdoc/>
    public int TrimOldest(int most, int atLeast) => _database.Write(connection =>
    {
        // Cursors have no holes but at the front.
        long newest = (long)Sql.Scalar(connection, "SELECT seq FROM sqlite_sequence WHERE name = 'events'")!;
        return Sql.Scalar(connection, "SELECT max(cursor) FROM (SELECT cursor FROM events WHERE cursor <= $newest ORDER BY cursor LIMIT $most)", ("$newest", newest - atLeast), ("$most", most)) is long last
            ? DeleteUpTo(connection, last)
            : 0;
    });

    /// <summary>Waits until all that was appended is on disk; false when it is not in time.</summary>
    public bool Flush(TimeSpan patience)
    {
        long start = TimeProvider.System.GetTimestamp();
        lock (_gate)
        {
            while (_waiting.Count > 0 || _isWriting)
            {
                TimeSpan left = patience - TimeProvider.System.GetElapsedTime(start);
                if (left <= TimeSpan.Zero || !Monitor.Wait(_gate, left))
                    return _waiting.Count == 0 && !_isWriting;
            }
        }

        return true;
    }

    /// <summary>Writes what waits, if the disk takes it, and stops.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _stop.Cancel();
            Monitor.PulseAll(_gate);
        }

        if (_writer?.Join(LongestStop) == false)
            _log.LogWarning("The last events could not be written in time.");
    }

    internal void Unsubscribe(EventSubscription subscription)
    {
        lock (_gate)
            _subscribers.Remove(subscription);
    }

    private static long Milliseconds(DateTime time) => new DateTimeOffset(DateTime.SpecifyKind(time, DateTimeKind.Utc)).ToUnixTimeMilliseconds();

    private static DateTime Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).UtcDateTime;

    private static int DeleteUpTo(SqliteConnection connection, long last)
    {
        // A bound on what one transaction writes to its log.
        last = (long)Sql.Scalar(connection, "SELECT max(cursor) FROM (SELECT cursor FROM events WHERE cursor <= $last ORDER BY cursor LIMIT $most)", ("$last", last), ("$most", TrimAtOnce))!;
        Sql.Execute(connection, "UPDATE event_log SET floor = max(floor, $last)", ("$last", last));
        return Sql.Execute(connection, "DELETE FROM events WHERE cursor <= $last", ("$last", last));
    }

    private void BeginCursors() => _database.Write(connection =>
    {
        // The floor: what a restored copy remembers of the log before.
        long first = Math.Max(_time.GetUtcNow().ToUnixTimeMilliseconds() * CursorsAMillisecond, (long)Sql.Scalar(connection, "SELECT floor FROM event_log")!);
        Sql.Execute(connection, "UPDATE event_log SET floor = $first", ("$first", first));
        return Sql.Execute(connection, "INSERT INTO sqlite_sequence (name, seq) VALUES ('events', $first)", ("$first", first));
    });

    private List<FaceEvent> ReadOpen() => _database.Read(connection =>
    {
        var open = new List<FaceEvent>();
        using SqliteCommand command = Sql.Command(connection,
            string.Create(CultureInfo.InvariantCulture, $"SELECT json FROM events INDEXED BY events_open WHERE is_open = 1 ORDER BY cursor LIMIT {_waitingAtMost}"));
        using SqliteDataReader row = command.ExecuteReader();
        while (row.Read())
        {
            if (Decode(connection, row.GetFieldValue<byte[]>(0)) is FaceEvent e)
                open.Add(e);
        }

        return open;
    });

    private FaceEvent? Decode(SqliteConnection connection, byte[] json)
    {
        try
        {
            FaceEvent? e = JsonSerializer.Deserialize(json, FaceEventJson.Default.FaceEvent);
            // Pictures go before their events.
            if (e is { Snapshot: true } && !EventShots.Holds(connection, e.EventId))
                e = e with { Snapshot = false };
            return e is { Identity.Id: Guid id } ? e with { Identity = e.Identity with { Name = _nameOf(id) } } : e;
        }
        catch (JsonException)
        {
            // Of a version that wrote it otherwise.
            return null;
        }
    }

    private void Run()
    {
        var batch = new List<Waiting>();
        while (Take(batch))
        {
            if (!TryWrite(batch))
                break;
            foreach (Waiting written in batch)
                Committed?.Invoke(written.Event);
            lock (_gate)
            {
                _isWriting = false;
                foreach (EventSubscription subscriber in _subscribers)
                    subscriber.Wake();
                Monitor.PulseAll(_gate);
            }
        }
    }

    private bool Take(List<Waiting> batch)
    {
        batch.Clear();
        lock (_gate)
        {
            while (_waiting.Count == 0 && !_stop.IsCancellationRequested)
                Monitor.Wait(_gate);
            while (_waiting.First is { } first && batch.Count < BatchAtMost)
            {
                batch.Add(first.Value);
                RemoveFirst();
            }

            _isWriting = batch.Count > 0;
            return _isWriting;
        }
    }

    private void RemoveFirst()
    {
        _shotBytesWaiting -= _waiting.First!.Value.Shot?.Picture.Length ?? 0;
        _waiting.RemoveFirst();
    }

    // Until the disk takes it; at a stop once.
    private bool TryWrite(List<Waiting> batch)
    {
        while (true)
        {
            try
            {
                _recordedAt = _database.Write(connection => Insert(connection, batch));
                return true;
            }
            catch (IOException)
            {
                // The database has said so.
                if (_stop.IsCancellationRequested)
                    return false;
            }

            try
            {
                Task.Delay(RetryAfter, _time, _stop.Token).GetAwaiter().GetResult();
            }
            catch (OperationCanceledException)
            {
                // Once more.
            }
        }
    }

    private long Insert(SqliteConnection connection, List<Waiting> batch)
    {
        long recordedAt = Math.Max(_recordedAt, _time.GetUtcNow().ToUnixTimeMilliseconds());
        using SqliteCommand close = Sql.Command(connection, "UPDATE events INDEXED BY events_open SET is_open = 0 WHERE event_id = $event AND is_open = 1");
        using SqliteCommand insert = Sql.Command(connection,
            """
            INSERT INTO events (event_id, camera, started_at, updated_at, recorded_at, identity_id, is_open, json)
            VALUES ($event, $camera, $started, $updated, $recorded, $identity, $open, $json)
            """);
        for (int i = 0; i < batch.Count; i++)
        {
            FaceEvent e = batch[i].Event with { Snapshot = HasShot(connection, batch[i], recordedAt) };
            batch[i] = batch[i] with { Event = e };
            string id = $"{e.EventId:D}";
            if (e.Seq > 1)
            {
                close.Parameters.Clear();
                close.Parameters.AddWithValue("$event", id);
                close.ExecuteNonQuery();
            }

            insert.Parameters.Clear();
            insert.Parameters.AddWithValue("$event", id);
            insert.Parameters.AddWithValue("$camera", e.Camera);
            insert.Parameters.AddWithValue("$started", Milliseconds(e.StartedAt));
            insert.Parameters.AddWithValue("$updated", Milliseconds(e.UpdatedAt));
            insert.Parameters.AddWithValue("$recorded", recordedAt);
            insert.Parameters.AddWithValue("$identity", e.Identity.Id is Guid who ? $"{who:D}" : DBNull.Value);
            insert.Parameters.AddWithValue("$open", e.Phase == FaceEventPhase.Ended ? 0 : 1);
            insert.Parameters.AddWithValue("$json", (e with { Identity = e.Identity with { Name = null } }).ToJson());
            insert.ExecuteNonQuery();
        }

        return recordedAt;
    }

    private bool HasShot(SqliteConnection connection, in Waiting waiting, long recordedAt)
    {
        if (_shots is null)
            return false;
        try
        {
            return waiting.Shot is { } shot ? _shots.Keep(connection, shot, recordedAt) : EventShots.Holds(connection, waiting.Event.EventId);
        }
        catch (CryptographicException)
        {
            // The person's key is of another device key: the gallery has said so, and the event comes without a picture.
            return false;
        }
    }

    private readonly record struct Waiting(FaceEvent Event, EventShot? Shot);
}
