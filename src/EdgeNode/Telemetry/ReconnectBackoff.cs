namespace EdgeNode.Telemetry;

/// <summary>How long to wait before the next attempt: 0.5 s, doubling to 30 s, each shortened by up to half at random, so that a fleet does not come back at once.</summary>
internal sealed class ReconnectBackoff
{
    internal static readonly TimeSpan Shortest = TimeSpan.FromSeconds(0.5);
    internal static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    private TimeSpan _next = Shortest;

    internal TimeSpan Next()
    {
        TimeSpan wait = _next * (1 - Random.Shared.NextDouble() / 2);
        _next = _next * 2 < Longest ? _next * 2 : Longest;
        return wait;
    }

    internal void Reset() => _next = Shortest;

    internal void GoToLongest() => _next = Longest;
}
