namespace EdgeNode.Benchmarks;

/// <summary>Waits for a condition, not for a time, and gives up with a sentence.</summary>
internal static class Wait
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Waits for what the process shall bring about; the process's end ends the wait.</summary>
    public static async Task UntilAsync(string what, MeasuredProcess process, Func<Task<bool>> condition)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            if (process.HasExited)
                throw new BenchmarkException($"Waited in vain for {what}: the process ended: {process.LastWords}");
            if (TimeProvider.System.GetElapsedTime(start) > Patience)
                throw new BenchmarkException($"Waited {Patience.TotalSeconds:0} s in vain for {what}: {process.LastWords}");
            await Task.Delay(100);
        }
    }
}
