using System.Text.RegularExpressions;
using EdgeNode.Native.FFmpeg;
using Microsoft.Extensions.Logging;

namespace EdgeNode.Ingest;

/// <summary>
/// FFmpeg's own messages in the node's log: without credentials, errors as warnings and warnings for debugging, each kind once a minute with a count of what
/// it stands for. A broken stream says the same thing a thousand times a minute.
/// </summary>
public sealed partial class FFmpegMessages : IDisposable
{
    private const int MostKinds = 64;
    private static readonly TimeSpan ForgetAfter = TimeSpan.FromHours(1);

    private readonly ILogger _log;
    private readonly TimeProvider _time;
    private readonly IDisposable _subscription;
    private readonly Lock _gate = new();
    private readonly Dictionary<(LogLevel, string), SparseLog> _kinds = [];
    private long _clearedAt;
    private SparseLog _others;

    /// <summary>Begins to write them to <paramref name="log"/>. FFmpeg is not loaded for that.</summary>
    public FFmpegMessages(ILogger log, TimeProvider time)
    {
        _log = log;
        _time = time;
        _others = new SparseLog(log, time);
        _clearedAt = time.GetTimestamp();
        _subscription = FFmpegLog.Listen(Write);
    }

    /// <inheritdoc/>
    public void Dispose() => _subscription.Dispose();

    private void Write(FFmpegLogLine line)
    {
        LogLevel level = line.Level <= FFmpegLog.Error ? LogLevel.Warning : LogLevel.Debug;
        if (!_log.IsEnabled(level))
            return;
        string text = Control().Replace(CredentialScrubber.Shared.Scrub(Address().Replace(line.Text, "")), "?");
        string kind = Number().Replace(text, "#");
        lock (_gate)
        {
            if (_time.GetElapsedTime(_clearedAt) > ForgetAfter)
            {
                _kinds.Clear();
                _others = new SparseLog(_log, _time);
                _clearedAt = _time.GetTimestamp();
            }

            if (!_kinds.TryGetValue((level, kind), out SparseLog? sparse))
            {
                sparse = _kinds.Count < MostKinds ? new SparseLog(_log, _time) : _others;
                if (sparse != _others)
                    _kinds.Add((level, kind), sparse);
            }

            sparse.Write(level, $"FFmpeg: {text}");
        }
    }

    // A camera's own words may be in it: none of them makes a line or moves a terminal's cursor.
    [GeneratedRegex("\\p{C}")]
    private static partial Regex Control();

    // "[h264 @ 0x5581f0]": another one in each connection.
    [GeneratedRegex(" @ 0x[0-9a-f]+")]
    private static partial Regex Address();

    [GeneratedRegex("[0-9]+|0x[0-9a-f]+")]
    private static partial Regex Number();
}
