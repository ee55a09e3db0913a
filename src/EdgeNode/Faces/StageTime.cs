using System.Diagnostics;

namespace EdgeNode.Faces;

/// <summary>What one stage of the analysis has cost since the models were loaded.</summary>
/// <param name="Runs">How often the model ran.</param>
/// <param name="Total">Time in the stage: preparing the input, the model, reading its output.</param>
/// <param name="InsideRuntime">Of that, inside ONNX Runtime.</param>
public readonly record struct StageTime(long Runs, TimeSpan Total, TimeSpan InsideRuntime)
{
    /// <summary>Mean milliseconds a run, 0 before the first.</summary>
    public double MeanMilliseconds => Runs == 0 ? 0 : Total.TotalMilliseconds / Runs;

    internal static StageTime FromTicks(long runs, long total, long inside) =>
        new(runs, Stopwatch.GetElapsedTime(0, total), Stopwatch.GetElapsedTime(0, inside));
}
