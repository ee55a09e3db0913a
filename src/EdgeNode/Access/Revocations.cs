using System.Collections.Concurrent;
using System.Globalization;
using EdgeNode.Storage;
using Microsoft.Data.Sqlite;

namespace EdgeNode.Access;

/// <summary>Sessions that were ended before their time. Each is remembered until it would have ended anyway, across restarts.</summary>
public sealed class Revocations
{
    /// <summary>Where version 0.1 kept them, one line <c>jti unix-seconds</c> each.</summary>
    private const string OldFileName = "revoked-sessions";

    private const int ForGoodAtMost = 10_000;

    // As long as a token can be made for.
    private static readonly TimeSpan LongestLife = TimeSpan.FromDays(100 * 366);

    private readonly StateDatabase _database;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<string, DateTime> _endings = new(StringComparer.Ordinal);
    private volatile int _kept = 1000;

    /// <summary>Reads what was revoked.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public Revocations(StateDatabase database, TimeProvider time)
    {
        _database = database;
        _time = time;
        Import(Path.Combine(database.Folder, OldFileName));
        database.Read(connection =>
        {
            using SqliteCommand command = Sql.Command(connection, "SELECT jti, expires_at FROM revocations");
            using SqliteDataReader row = command.ExecuteReader();
            while (row.Read())
                _endings[row.GetString(0)] = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(1)).UtcDateTime;
            return 0;
        });
    }

    /// <summary>Whether the session was ended.</summary>
    public bool Contains(string sessionId) => _endings.ContainsKey(sessionId);

    /// <summary>Ends sessions, in force at once and on disk when it returns.</summary>
    /// <exception cref="IOException">It could not be written: in force until the next restart only.</exception>
    public void Add(IEnumerable<(string SessionId, DateTime ExpiresAt)> sessions)
    {
        (string SessionId, DateTime ExpiresAt)[] ended = [.. sessions];
        foreach ((string sessionId, DateTime expiresAt) in ended)
            _endings[sessionId] = expiresAt;
        ForgetPast();
        Keep(ended);
    }

    /// <summary>Ends a token of which the id alone is known, not how long it would have lasted; on disk when it returns. False: as many as may be are remembered.</summary>
    /// <exception cref="IOException">As for <see cref="Add"/>.</exception>
    public bool TryAddForGood(string sessionId)
    {
        DateTime now = _time.GetUtcNow().UtcDateTime;
        // Sessions live for a day at most: they take no room away.
        if (!_endings.ContainsKey(sessionId) && _endings.Values.Count(end => end > now + TimeSpan.FromDays(2)) >= ForGoodAtMost)
            return false;
        Add([(sessionId, now + LongestLife)]);
        return true;
    }

    // Not at each ending: there may be thousands.
    private void ForgetPast()
    {
        if (_endings.Count < 2 * _kept)
            return;
        DateTime now = _time.GetUtcNow().UtcDateTime;
        foreach ((string sessionId, DateTime end) in _endings)
        {
            if (end <= now)
                _endings.TryRemove(sessionId, out _);
        }

        _kept = Math.Max(1000, _endings.Count);
    }

    private void Keep(IReadOnlyList<(string SessionId, DateTime ExpiresAt)> ended) => _database.Write(connection =>
    {
        foreach ((string sessionId, DateTime expiresAt) in ended)
        {
            // Rounded up: never forgotten before its time.
            Sql.Execute(connection, "INSERT INTO revocations (jti, expires_at) VALUES ($jti, $end) ON CONFLICT (jti) DO UPDATE SET expires_at = $end",
                ("$jti", sessionId), ("$end", new DateTimeOffset(expiresAt).ToUnixTimeMilliseconds() + 1));
        }

        return Sql.Execute(connection, "DELETE FROM revocations WHERE expires_at <= $now", ("$now", _time.GetUtcNow().ToUnixTimeMilliseconds()));
    });

    private void Import(string file)
    {
        if (!File.Exists(file))
            return;
        foreach (string line in File.ReadAllLines(file))
        {
            string[] words = line.Split(' ');
            if (words.Length == 2 && long.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out long end) && end < DateTimeOffset.MaxValue.ToUnixTimeSeconds())
                _endings[words[0]] = DateTimeOffset.FromUnixTimeSeconds(end).UtcDateTime;
        }

        try
        {
            Keep([.. _endings.Select(e => (e.Key, e.Value))]);
            File.Delete(file);
        }
        catch (IOException)
        {
            // A full disk, say: they are in force, and the next start moves them.
        }
    }
}
