using System.CommandLine;
using EdgeNode.Commands;
using EdgeNode.Configuration;
using EdgeNode.Decoding;
using EdgeNode.Faces;
using EdgeNode.Gallery;
using EdgeNode.Ingest;
using EdgeNode.Native.FFmpeg;
using EdgeNode.Native.Linux;

// Cameras, waiting events and the goodbye to the broker each have bounds of their own; together they stay under this.
TimeSpan longestStop = TimeSpan.FromSeconds(20);
Malloc.UseOneArena();
// ONNX Runtime would tell its maker which program runs which models, and keep a database of that in the home folder.
NativeEnvironment.Set("ORT_DISABLE_TELEMETRY", "1");
var root = new RootCommand("EdgeNode stands beside cameras: it takes each in once, shows it live, and reports the faces it sees.")
{
    RunCommand.Create(),
    DemoCommand.Create(),
    AnalyzeCommand.Create(),
    VerifyCommand.Create(),
    EnrollCommand.Create(),
    EnrollCommand.CreateList(),
    TokenCommand.Create(),
    BackupCommand.Create(),
    BackupCommand.CreateRestore(),
    ConfigCommand.Create(),
    SupportBundleCommand.Create(),
    VersionCommand.Create(),
};
ParseResult parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    Console.Error.WriteLine($"edgenode: {(parsed.Errors.FirstOrDefault(e => e.Message.Contains('\'')) ?? parsed.Errors[0]).Message} Try 'edgenode --help'.");
    return CommandFailure.WrongUsage;
}

try
{
    return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = longestStop });
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
catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or InvalidDataException or SourceException or ModelPackException or EnrolmentException or FFmpegException or DecodeException)
{
    Console.Error.WriteLine($"edgenode: {fault.Message}");
    return CommandFailure.AtRunTime;
}
catch (Exception fault)
{
    Console.Error.WriteLine($"edgenode: this is a fault of the program, please report it: {fault.GetType().Name}: {fault.Message.ReplaceLineEndings(" ")}");
    return CommandFailure.AtRunTime;
}
