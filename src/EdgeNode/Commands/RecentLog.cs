using System.Globalization;
using Microsoft.Extensions.Logging;

namespace EdgeNode.Commands;

/// <summary>Keeps the newest lines of the log in memory, for the support bundle. Bounded; thread-safe.</summary>
internal sealed class RecentLog : ILoggerProvider
{
    private const int LinesAtMost = 1000;
    private const int LongestLine = 1000;
    private readonly Queue<string> _lines = new(LinesAtMost);
    private readonly Lock _gate = new();

    /// <summary>The lines, oldest first.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_gate)
                return [.. _lines];
        }
    }

    public ILogger CreateLogger(string categoryName) => new Writer(this, categoryName);

    public void Dispose()
    {
    }

    private void Keep(string line)
    {
        lock (_gate)
        {
            if (_lines.Count == LinesAtMost)
                _lines.Dequeue();
            _lines.Enqueue(line.Length <= LongestLine ? line : string.Concat(line.AsSpan(0, LongestLine), "…"));
        }
    }

    private sealed class Writer(RecentLog log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                log.Keep(string.Create(CultureInfo.InvariantCulture, $"{DateTime.UtcNow:yyyy-MM-dd HH:mm:ss.fff} {logLevel}: {category}: {formatter(state, exception)}"));
        }
    }
}
