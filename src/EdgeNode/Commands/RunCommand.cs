using System.CommandLine;
using EdgeNode.Configuration;
using Microsoft.Extensions.Logging;

namespace EdgeNode.Commands;

/// <summary><c>edgenode run</c>: the node, until it is told to stop.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        Option<string?> config = CommonOptions.Config();
        var command = new Command("run", "Run the node.") { config };
        command.SetAction(async (parsed, cancel) =>
        {
            string? file = parsed.GetValue(config);
            using var hangUps = new HangUps();
            NodeConfiguration configuration = ConfigurationReader.ReadFile(file, out IReadOnlyList<ConfigurationError> notes);
            using ILoggerFactory logs = LoggerFactory.Create(ConsoleLog.Configure);
            ILogger log = logs.CreateLogger("edgenode");
            foreach (ConfigurationError note in notes)
                log.LogWarning("{Note}", note);
            await using NodeHost host = await NodeHost.StartAsync(
                configuration, models: null, logs, TimeProvider.System, (out IReadOnlyList<ConfigurationError> found) => ConfigurationReader.ReadFile(file, out found));
            using var stopping = new CancellationTokenSource();
            Task reloading = hangUps.CarryOutAsync(host.ReloadByItself, stopping.Token);
            await UntilStopped.WaitAsync(cancel);
            await stopping.CancelAsync();
            await reloading;
            return 0;
        });
        return command;
    }
}
