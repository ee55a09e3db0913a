using System.Globalization;
using System.Text.Json;

namespace EdgeNode.Benchmarks;

/// <summary>The faces of one film: by 'edgenode analyze', and by a home-made OpenCV stack with the same models.</summary>
internal static class AnalyzeBenchmark
{
    private const double CpuGoal = 0.2;

    public static async Task RunAsync(BenchmarkSettings settings)
    {
        (string output, TimeSpan ours) = await MeasuredProcess.RunAsync(settings.Binary, "analyze", settings.Film, "--gallery", settings.Gallery, "--json");
        JsonElement summary = LastLine(output, "edgenode analyze").GetProperty("summary");
        (string answer, TimeSpan theirs) = await MeasuredProcess.RunAsync("/usr/bin/python3", settings.OpenCvStack, settings.Film, settings.Models);
        JsonElement stack = LastLine(answer, "The OpenCV stack");

        double frames = summary.GetProperty("frames_analyzed").GetDouble(), faces = summary.GetProperty("faces").GetDouble();
        JsonElement ms = summary.GetProperty("ms");
        double inference = Number(summary, "runtime_s");

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"""

            Faces in {Path.GetFileName(settings.Film)}: CPU seconds, user and system, from start to end of the process.

            | | CPU s | frames | analysed | faces | CPU ms an analysed frame |
            | --- | ---: | ---: | ---: | ---: | ---: |
            | edgenode analyze | {ours.TotalSeconds:0.00} | {summary.GetProperty("frames")} | {frames} | {faces} | {ours.TotalMilliseconds / frames:0.00} |
            | OpenCV stack, every 3rd frame | {theirs.TotalSeconds:0.00} | {stack.GetProperty("frames")} | {stack.GetProperty("frames_analyzed")} | {stack.GetProperty("faces")} | {theirs.TotalMilliseconds / stack.GetProperty("frames_analyzed").GetDouble():0.00} |

            CPU ratio {Goal.Judge(ours / theirs, CpuGoal)}.
            Inside ONNX Runtime: {inference / ours.TotalSeconds:0 %} of edgenode's CPU time.
            A run takes in ms: decode {Number(ms, "decode"):0.00}, detect {Number(ms, "detect"):0.00}, landmarks {Number(ms, "landmarks"):0.00}, embed {Number(ms, "embed"):0.00}.
            """));
    }

    private static double Number(JsonElement parent, string name)
        => parent.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : 0;

    private static JsonElement LastLine(string output, string speaker)
    {
        string line = output.TrimEnd().Split('\n')[^1];
        try
        {
            return JsonElement.Parse(line);
        }
        catch (JsonException)
        {
            throw new BenchmarkException($"{speaker} ended with a line that is no JSON: {line}");
        }
    }
}
