namespace EdgeNode.Benchmarks;

/// <summary>What a number of processes took together over the window.</summary>
/// <param name="Cores">CPU time over wall time: 1 is one core fully used.</param>
/// <param name="Proportional">Memory in bytes (PSS) at the window's end.</param>
/// <param name="Resident">The same as resident size (RSS): shared pages count once a process.</param>
internal readonly record struct Usage(double Cores, long Proportional, long Resident)
{
    public static async Task<Usage> MeasureAsync(IReadOnlyCollection<MeasuredProcess> processes, TimeSpan window)
    {
        TimeSpan before = Total(processes);
        long start = TimeProvider.System.GetTimestamp();
        await Task.Delay(window);
        TimeSpan used = Total(processes) - before;
        TimeSpan wall = TimeProvider.System.GetElapsedTime(start);
        (long Proportional, long Resident)[] memory = [.. processes.Select(process => process.Memory)];
        return new(used / wall, memory.Sum(one => one.Proportional), memory.Sum(one => one.Resident));
    }

    private static TimeSpan Total(IEnumerable<MeasuredProcess> processes)
        => processes.Aggregate(TimeSpan.Zero, (sum, process) => sum + process.CpuTime);
}
