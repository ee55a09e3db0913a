using System.Globalization;

namespace EdgeNode.Benchmarks;

/// <summary>A share of the other's effort that ours shall not exceed.</summary>
internal static class Goal
{
    public static string Judge(double ratio, double goal)
        => string.Create(CultureInfo.InvariantCulture, $"{ratio:0.000} (goal {goal:0.0##}: {(ratio <= goal ? "met" : "missed")})");
}
