using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using EdgeNode.Storage;

namespace EdgeNode.Access;

/// <summary>
/// Sessions that were ended before their time. Each is remembered until it would have ended anyway, across restarts: one line
/// <c>jti unix-seconds</c> each in the state folder.
/// </summary>
public sealed class Revocations
{
    private const string FileName = "revoked-sessions";
    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<string, DateTime> _endings = new(StringComparer.Ordinal);
    private readonly Lock _writing = new();

    /// <summary>Reads what was revoked; <paramref name="stateFolder"/> must be there.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public Revocations(string stateFolder, TimeProvider time)
    {
        _path = Path.Combine(stateFolder, FileName);
        _time = time;
        if (!File.Exists(_path))
            return;
        foreach (string line in File.ReadAllLines(_path))
        {
            string[] words = line.Split(' ');
            if (words.Length == 2 && long.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out long end) && end < DateTimeOffset.MaxValue.ToUnixTimeSeconds())
                _endings[words[0]] = DateTimeOffset.FromUnixTimeSeconds(end).UtcDateTime;
        }
    }

    /// <summary>Whether the session was ended.</summary>
    public bool Contains(string sessionId) => _endings.ContainsKey(sessionId);

    /// <summary>Ends sessions, in force at once and on disk when it returns.</summary>
    /// <exception cref="IOException">It could not be written: in force until the next restart only.</exception>
    public void Add(IEnumerable<(string SessionId, DateTime ExpiresAt)> sessions)
    {
        foreach ((string sessionId, DateTime expiresAt) in sessions)
            _endings[sessionId] = expiresAt;
        DateTime now = _time.GetUtcNow().UtcDateTime;
        lock (_writing)
        {
            var text = new StringBuilder();
            foreach ((string sessionId, DateTime end) in _endings)
            {
                if (end <= now)
                    _endings.TryRemove(sessionId, out _);
                else
                    text.Append(CultureInfo.InvariantCulture, $"{sessionId} {new DateTimeOffset(end).ToUnixTimeSeconds() + 1}\n");
            }

            AtomicFile.Write(_path, Encoding.UTF8.GetBytes(text.ToString()));
        }
    }
}
