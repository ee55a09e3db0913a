using System.Diagnostics;

namespace EdgeNode.Tests.Telemetry;

/// <summary>Waits for conditions, with a limit that only a failure reaches.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    internal static Task TrueAsync(Func<bool> condition, string what) => TrueAsync(condition, what, () => { });

    /// <summary>Does <paramref name="between"/> after each look that failed.</summary>
    internal static async Task TrueAsync(Func<bool> condition, string what, Action between)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < Limit, $"never came true: {what}");
            between();
            await Task.Delay(10);
        }
    }
}
