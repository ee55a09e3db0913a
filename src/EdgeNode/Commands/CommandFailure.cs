namespace EdgeNode.Commands;

/// <summary>Ends a command: one sentence on standard error, and the exit code (1 failed at run time, 2 wrong usage or configuration).</summary>
internal sealed class CommandFailure(int exitCode, string message) : Exception(message)
{
    public const int AtRunTime = 1;
    public const int WrongUsage = 2;

    public int ExitCode => exitCode;
}
