namespace EdgeNode.Ingest;

/// <summary>How long to wait before a source is tried again: 0.5 s doubling to 10 s with jitter; after a refusal 10 s doubling to 60 s, the usual time-out of a session.</summary>
public sealed class Backoff(Random random)
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestAfterRefusal = TimeSpan.FromSeconds(60);
    private int _failures;
    private int _refusals;

    /// <summary>The source works again.</summary>
    public void Reset() => _failures = _refusals = 0;

    /// <summary>The wait after one more failure of this kind.</summary>
    public TimeSpan Next(SourceTrouble trouble)
    {
        double seconds = trouble is SourceTrouble.Refused or SourceTrouble.Unauthorized
            ? Doubled(Longest, _refusals++, LongestAfterRefusal)
            : Doubled(First, _failures++, Longest);
        return TimeSpan.FromSeconds(seconds * (0.75 + 0.25 * random.NextDouble()));
    }

    private static double Doubled(TimeSpan first, int times, TimeSpan most) => Math.Min(first.TotalSeconds * Math.Pow(2, Math.Min(times, 8)), most.TotalSeconds);
}
