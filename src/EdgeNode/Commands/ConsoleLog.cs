using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace EdgeNode.Commands;

/// <summary>The log: one line a message on standard error, where service managers take it up.</summary>
internal static class ConsoleLog
{
    /// <summary>Sets logging up. The web server's own request log stays off: paths may hold tokens.</summary>
    public static void Configure(ILoggingBuilder logging)
    {
        logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "yyyy-MM-dd HH:mm:ss.fff ";
            console.UseUtcTimestamp = true;
            console.ColorBehavior = LoggerColorBehavior.Disabled;
        });
        logging.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        logging.SetMinimumLevel(LogLevel.Information);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        // What keeps the server from starting is said once, in a sentence, by who started it.
        logging.AddFilter("Microsoft.Extensions.Hosting", LogLevel.None);
    }
}
