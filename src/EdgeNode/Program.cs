using System.CommandLine;
using EdgeNode.Commands;
using EdgeNode.Configuration;

var root = new RootCommand("EdgeNode stands beside cameras: it takes each in once, shows it live, and reports the faces it sees.")
{
    ConfigCommand.Create(),
    TokenCommand.Create(),
};
ParseResult parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    Console.Error.WriteLine($"edgenode: {parsed.Errors[^1].Message} Try 'edgenode --help'.");
    return CommandFailure.WrongUsage;
}

try
{
    return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (CommandFailure failure)
{
    Console.Error.WriteLine($"edgenode: {failure.Message}");
    return failure.ExitCode;
}
catch (ConfigurationException fault)
{
    foreach (ConfigurationError error in fault.Errors)
        Console.Error.WriteLine(error);
    return CommandFailure.WrongUsage;
}
catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine($"edgenode: {fault.Message}");
    return CommandFailure.AtRunTime;
}
