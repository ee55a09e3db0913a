using Microsoft.Extensions.Logging;

namespace EdgeNode.Tests.Telemetry;

/// <summary>Keeps the lines of level warning and above.</summary>
internal sealed class ListLogger : ILogger
{
    private readonly List<string> _lines = [];

    internal string[] Lines
    {
        get
        {
            lock (_lines)
                return [.. _lines];
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
            return;
        lock (_lines)
            _lines.Add(formatter(state, exception) + exception);
    }
}
