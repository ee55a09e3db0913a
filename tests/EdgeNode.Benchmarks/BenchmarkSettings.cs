using System.Globalization;

namespace EdgeNode.Benchmarks;

/// <summary>
/// What to measure, and where the things lie that are measured. CPU time is counted over the window, after a warm-up,
/// once for each number of cameras.
/// </summary>
internal sealed record BenchmarkSettings(TimeSpan Window, IReadOnlyList<int> Cameras, bool Packaging, bool Ingest, bool Analyze)
{
    /// <summary>The published binary.</summary>
    public string Binary { get; } = FromEnvironment("EDGENODE_BINARY");

    /// <summary>1080p30 H.264, 4 Mbit/s, GOP 2 s: what the cameras send.</summary>
    public string Clip { get; } = FromEnvironment("EDGENODE_BENCH_CLIP");

    /// <summary>The film that is analysed.</summary>
    public string Film { get; } = FromEnvironment("EDGENODE_BENCH_FILM");

    public string Gallery { get; } = FromEnvironment("EDGENODE_GALLERY");

    public string Models { get; } = FromEnvironment("EDGENODE_MODELS");

    /// <summary>The script that serves a clip as so many RTSP cameras.</summary>
    public string RtspServer { get; } = FromEnvironment("EDGENODE_RTSP_SERVER");

    /// <summary>The home-made OpenCV stack.</summary>
    public string OpenCvStack { get; } = FromEnvironment("EDGENODE_OPENCV_STACK");

    public static BenchmarkSettings Parse(string[] args)
    {
        BenchmarkSettings settings = new(TimeSpan.FromSeconds(30), [1, 4, 16], Packaging: true, Ingest: true, Analyze: true);
        for (int i = 0; i < args.Length; i += 2)
        {
            string value = i + 1 < args.Length ? args[i + 1] : throw new BenchmarkException($"{args[i]} needs a value.");
            settings = args[i] switch
            {
                "--seconds" => settings with { Window = TimeSpan.FromSeconds(Number(value)) },
                "--cameras" => settings with { Cameras = [.. value.Split(',').Select(Number)] },
                "--only" when value is "packaging" or "ingest" or "analyze" =>
                    settings with { Packaging = value == "packaging", Ingest = value == "ingest", Analyze = value == "analyze" },
                _ => throw new BenchmarkException($"'{args[i]} {value}' is not known; there are --seconds N, --cameras N,N,… and --only packaging|ingest|analyze."),
            };
        }

        return settings;
    }

    private static int Number(string text)
        => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0
            ? number
            : throw new BenchmarkException($"'{text}' is no positive number.");

    private static string FromEnvironment(string name)
        => Environment.GetEnvironmentVariable(name) ?? throw new BenchmarkException($"{name} is not set: start the benchmarks with 'make bench'.");
}
