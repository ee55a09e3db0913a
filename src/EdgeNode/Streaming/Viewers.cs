using System.Collections.Concurrent;

namespace EdgeNode.Streaming;

/// <summary>Who watches a camera: tokens, each from each address, with a request in the last 10 s. Bounded; thread-safe.</summary>
public sealed class Viewers(TimeProvider time)
{
    private const int RememberedAtMost = 4096;
    private static readonly TimeSpan Watching = TimeSpan.FromSeconds(10);
    private readonly ConcurrentDictionary<(string SessionId, string Address), long> _seen = new();

    /// <summary>How many there are.</summary>
    public int Count
    {
        get
        {
            foreach ((var viewer, long seen) in _seen)
            {
                if (time.GetElapsedTime(seen) > Watching)
                    _seen.TryRemove(viewer, out _);
            }

            return _seen.Count;
        }
    }

    /// <summary>A viewer asked for something.</summary>
    public void Note(string sessionId, string address)
    {
        if (_seen.Count < RememberedAtMost || _seen.ContainsKey((sessionId, address)) || Count < RememberedAtMost)
            _seen[(sessionId, address)] = time.GetTimestamp();
    }
}
