namespace EdgeNode.Ingest;

/// <summary>How long to wait before a source is tried again: 0.5 s doubling to 10 s with jitter; after a refusal 10 s to 30 s, for sessions to time out.</summary>
public sealed class Backoff(Random random)
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);
    private int _failures;

    /// <summary>The source works again.</summary>
    public void Reset() => _failures = 0;

    /// <summary>The wait after one more failure of this kind.</summary>
    public TimeSpan Next(SourceTrouble trouble)
    {
        double seconds = Math.Min(First.TotalSeconds * Math.Pow(2, Math.Min(_failures, 8)), Longest.TotalSeconds);
        _failures++;
        if (trouble is SourceTrouble.Refused or SourceTrouble.Unauthorized)
            seconds = Math.Clamp(seconds * 3, Longest.TotalSeconds, 3 * Longest.TotalSeconds);
        return TimeSpan.FromSeconds(seconds * (0.75 + 0.25 * random.NextDouble()));
    }
}
