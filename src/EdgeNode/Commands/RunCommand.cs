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
            NodeConfiguration configuration = ConfigurationReader.ReadFile(parsed.GetValue(config));
            using ILoggerFactory logs = LoggerFactory.Create(ConsoleLog.Configure);
            await using NodeHost host = await NodeHost.StartAsync(configuration, models: null, logs, TimeProvider.System);
            await UntilStopped.WaitAsync(cancel);
            return 0;
        });
        return command;
    }
}
