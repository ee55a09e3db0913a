namespace EdgeNode.Benchmarks;

/// <summary>What a number of processes took together over the window.</summary>
/// <param name="Cores">CPU time over wall time: 1 is one core fully used.</param>
/// <param name="Proportional">Memory in bytes (PSS) at the window's end.</param>
/// <param name="Resident">The same as resident size (RSS): shared pages count once a process.</param>
/// <param name="Files">Bytes of the files that they keep: segments, for those who write them.</param>
internal readonly record struct Usage(double Cores, long Proportional, long Resident, long Files)
{
    public static async Task<Usage> MeasureAsync(IReadOnlyCollection<MeasuredProcess> processes, DirectoryInfo folder, TimeSpan window)
    {
        TimeSpan before = Total(processes);
        long start = TimeProvider.System.GetTimestamp();
        await Task.Delay(window);
        TimeSpan used = Total(processes) - before;
        TimeSpan wall = TimeProvider.System.GetElapsedTime(start);
        (long Proportional, long Resident)[] memory = [.. processes.Select(process => process.Memory)];
        long files = folder.EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Exists ? file.Length : 0);
        return new(used / wall, memory.Sum(one => one.Proportional), memory.Sum(one => one.Resident), files);
    }

    private static TimeSpan Total(IEnumerable<MeasuredProcess> processes)
        => processes.Aggregate(TimeSpan.Zero, (sum, process) => sum + process.CpuTime);
}
