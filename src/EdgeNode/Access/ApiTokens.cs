using System.Security.Cryptography;
using EdgeNode.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.IdentityModel.Tokens;

namespace EdgeNode.Access;

/// <summary>
/// The node's long-lived, revocable tokens (for Prometheus, Home Assistant). Each is a token like all others, but valid only while it
/// stands here unrevoked: revoking needs no list that grows, and a state folder restored from before it was made does not know it.
/// Bounded in number. Thread-safe.
/// </summary>
public sealed class ApiTokens : IDisposable
{
    /// <summary>Tokens in use at once.</summary>
    public const int Limit = 100;

    /// <summary>Longest name.</summary>
    public const int LongestName = 100;

    // Revoked and expired ones stay in the list for who wonders, the newest ones only.
    private const int EndedKept = 100;
    private const string Prefix = "api-";

    // A JWT of ours always has an end; this one is no end that anybody sees.
    private static readonly TimeSpan Unlimited = TimeSpan.FromDays(100 * 365);
    private static readonly TimeSpan WriteUseEvery = TimeSpan.FromHours(1);

    private readonly StateDatabase _database;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, ApiToken> _tokens;
    private readonly HashSet<string> _usedSinceWritten = [];
    private readonly ITimer _writeUse;
    private bool _disposed;

    /// <summary>Reads the tokens of <paramref name="database"/>.</summary>
    /// <exception cref="IOException">They cannot be read.</exception>
    public ApiTokens(StateDatabase database, TimeProvider time)
    {
        _database = database;
        _time = time;
        _tokens = database.Read(ReadAll).ToDictionary(token => token.Id, StringComparer.Ordinal);
        _writeUse = time.CreateTimer(static tokens => ((ApiTokens)tokens!).WriteUse(), this, WriteUseEvery, WriteUseEvery);
    }

    /// <summary>
    /// Makes a token, on disk before it is returned. It names its holder <paramref name="name"/>, shows <paramref name="cameras"/> (null: all) and ends
    /// after <paramref name="lifetime"/> (null: when it is revoked).
    /// </summary>
    /// <exception cref="ArgumentException">The name, the lifetime or the cameras cannot be; the message is a sentence for the caller.</exception>
    /// <exception cref="InvalidOperationException">There are as many as allowed; the message is a sentence for the caller.</exception>
    /// <exception cref="IOException">It could not be written: there is no such token.</exception>
    public (string Token, ApiToken Entry) Issue(AccessTokens minter, string name, Role role, IReadOnlyList<string>? cameras, bool metadata, TimeSpan? lifetime)
    {
        if (name.Length is 0 or > LongestName || name.Any(char.IsControl))
            throw new ArgumentException($"A token's name has 1 to {LongestName} characters, no control characters.", nameof(name));
        if (cameras is not null && (cameras.Count == 0 || cameras.Any(id => string.IsNullOrEmpty(id) || id.Any(c => char.IsWhiteSpace(c) || c == '*'))))
            throw new ArgumentException("Name the ids of one camera or more, or none at all for every camera.", nameof(cameras));
        if (lifetime <= TimeSpan.Zero || lifetime > Unlimited)
            throw new ArgumentException("A token's lifetime must be longer than nothing and at most 100 years.", nameof(lifetime));
        lock (_gate)
        {
            DateTime now = _time.GetUtcNow().UtcDateTime;
            if (_tokens.Values.Count(token => token.IsLive(now)) >= Limit)
                throw new InvalidOperationException($"There are {Limit} API tokens, as many as may be: revoke one that is not used any more.");
            string id = Prefix + Base64UrlEncoder.Encode(RandomNumberGenerator.GetBytes(12));
            (string text, _) = minter.Issue(id, name, role, cameras, metadata, lifetime ?? Unlimited);
            var entry = new ApiToken(id, name, role, cameras, metadata, now, now + lifetime, null, null);
            string[] forgotten = [.. _tokens.Values.Where(token => !token.IsLive(now)).OrderByDescending(token => token.CreatedAt).Skip(EndedKept).Select(token => token.Id)];
            _database.Write(connection =>
            {
                Insert(connection, entry);
                foreach (string old in forgotten)
                    Run(connection, "DELETE FROM api_tokens WHERE jti = $jti", ("$jti", old));
                return 0;
            });
            foreach (string old in forgotten)
                _tokens.Remove(old);
            _tokens.Add(id, entry);
            return (text, entry);
        }
    }

    /// <summary>Every token in use, and the newest of those that ended; the newest first.</summary>
    public IReadOnlyList<ApiToken> List()
    {
        lock (_gate)
            return [.. _tokens.Values.OrderByDescending(token => token.CreatedAt).ThenBy(token => token.Id, StringComparer.Ordinal)];
    }

    /// <summary>
    /// Ends a token, in force at once; false when there is none of that id. Who keeps playback sessions ends those made with it
    /// (<c>PlaybackSessions.Remove</c> of the same id).
    /// </summary>
    /// <exception cref="IOException">It could not be written: in force until the next restart only.</exception>
    public bool Revoke(string id)
    {
        lock (_gate)
        {
            if (!_tokens.TryGetValue(id, out ApiToken? token))
                return false;
            DateTime now = _time.GetUtcNow().UtcDateTime;
            _tokens[id] = token with { RevokedAt = token.RevokedAt ?? now };
            return _database.Write(connection => Run(connection, "UPDATE api_tokens SET revoked_at = coalesce(revoked_at, $at) WHERE jti = $jti", ("$at", Milliseconds(now)), ("$jti", id))) > 0;
        }
    }

    /// <summary>Writes when the tokens were last used, and lets the database go.</summary>
    public void Dispose()
    {
        _writeUse.Dispose();
        WriteUse();
        lock (_gate)
            _disposed = true;
    }

    /// <summary>Whether a token of this id has to stand here to be valid.</summary>
    internal static bool Concerns(string sessionId) => sessionId.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>Whether the token stands here unrevoked; notes that it was used.</summary>
    internal bool Admit(string sessionId, DateTime now)
    {
        lock (_gate)
        {
            if (!_tokens.TryGetValue(sessionId, out ApiToken? token) || token.RevokedAt is not null)
                return false;
            // To the minute: a scraper does not cost an object each time.
            if (token.LastUsedAt is null || now - token.LastUsedAt > TimeSpan.FromMinutes(1) || now < token.LastUsedAt)
            {
                _tokens[sessionId] = token with { LastUsedAt = now };
                _usedSinceWritten.Add(sessionId);
            }

            return true;
        }
    }

    private void WriteUse()
    {
        lock (_gate)
        {
            if (_disposed || _usedSinceWritten.Count == 0)
                return;
            try
            {
                _database.Write(connection => _usedSinceWritten.Sum(id => Run(
                    connection, "UPDATE api_tokens SET last_used_at = $at WHERE jti = $jti", ("$at", Milliseconds(_tokens[id].LastUsedAt!.Value)), ("$jti", id))));
                _usedSinceWritten.Clear();
            }
            catch (IOException)
            {
                // A full disk: nobody is refused for that; the next hour writes it.
            }
        }
    }

    private static List<ApiToken> ReadAll(SqliteConnection connection)
    {
        var all = new List<ApiToken>();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "SELECT jti, name, role, cameras, metadata, created_at, expires_at, last_used_at, revoked_at FROM api_tokens";
        using SqliteDataReader row = command.ExecuteReader();
        while (row.Read())
        {
            all.Add(new ApiToken(
                row.GetString(0),
                row.GetString(1),
                AccessTokens.RoleOf(row.GetString(2)) ?? Role.Viewer,
                row.IsDBNull(3) ? null : row.GetString(3).Split(' '),
                row.GetBoolean(4),
                Time(row, 5)!.Value,
                Time(row, 6),
                Time(row, 7),
                Time(row, 8)));
        }

        return all;
    }

    private static void Insert(SqliteConnection connection, ApiToken token) => Run(
        connection,
        "INSERT INTO api_tokens (jti, name, role, cameras, metadata, created_at, expires_at) VALUES ($jti, $name, $role, $cameras, $metadata, $created, $expires)",
        ("$jti", token.Id),
        ("$name", token.Name),
        ("$role", AccessTokens.NameOf(token.Role)),
        ("$cameras", token.Cameras is null ? DBNull.Value : string.Join(' ', token.Cameras)),
        ("$metadata", token.Metadata),
        ("$created", Milliseconds(token.CreatedAt)),
        ("$expires", token.ExpiresAt is DateTime end ? Milliseconds(end) : DBNull.Value));

    private static int Run(SqliteConnection connection, string sql, params ReadOnlySpan<(string Name, object Value)> parameters)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        foreach ((string name, object value) in parameters)
            command.Parameters.AddWithValue(name, value);
        return command.ExecuteNonQuery();
    }

    private static long Milliseconds(DateTime time) => new DateTimeOffset(time).ToUnixTimeMilliseconds();

    private static DateTime? Time(SqliteDataReader row, int column) =>
        row.IsDBNull(column) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(column)).UtcDateTime;
}
