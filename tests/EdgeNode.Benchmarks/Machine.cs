namespace EdgeNode.Benchmarks;

/// <summary>The machine that the numbers are of.</summary>
internal static class Machine
{
    public static string Describe()
    {
        string model = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim()
            ?? "unknown processor";
        return $"{Environment.ProcessorCount} cores, {model}, Linux {Environment.OSVersion.Version}";
    }
}
