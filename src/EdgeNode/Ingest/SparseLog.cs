using Microsoft.Extensions.Logging;

namespace EdgeNode.Ingest;

/// <summary>A log for troubles that repeat: one line a minute, which says how many it stands for.</summary>
internal sealed class SparseLog(ILogger log, TimeProvider clock)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private long? _writtenAt;
    private int _held;

    /// <summary>Call from one thread at a time.</summary>
    internal void Warn(string sentence) => Write(LogLevel.Warning, sentence);

    /// <summary>The same at another level.</summary>
    internal void Write(LogLevel level, string sentence)
    {
        if (_writtenAt is { } at && clock.GetElapsedTime(at) < Interval)
        {
            _held++;
            return;
        }

        if (_held > 0)
            log.Log(level, "{Sentence} ({Count} more since the last line)", sentence, _held);
        else
            log.Log(level, "{Sentence}", sentence);
        _writtenAt = clock.GetTimestamp();
        _held = 0;
    }
}
