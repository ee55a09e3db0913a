namespace EdgeNode.Commands;

/// <summary>Waits for SIGINT or SIGTERM, which the command line turns into a cancellation.</summary>
internal static class UntilStopped
{
    public static Task WaitAsync(CancellationToken cancel)
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        cancel.Register(stopped.SetResult);
        return stopped.Task;
    }
}
