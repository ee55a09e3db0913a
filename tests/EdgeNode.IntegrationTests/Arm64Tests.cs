using System.Text.Json.Nodes;

namespace EdgeNode.IntegrationTests;

/// <summary>The arm64 binary, under QEMU's user emulation with Debian's arm64 libraries, sees what the x64 binary sees.</summary>
public sealed class Arm64Tests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("edgenode-arm64").FullName;

    [SkippableTheory]
    [InlineData("demo.mp4")]
    [InlineData("visitor.mp4")]
    public async Task Both_architectures_report_the_same_events(string film)
    {
        string? run = Environment.GetEnvironmentVariable("EDGENODE_RUN_ARM64");
        Skip.If(run is null, "There is no arm64 binary: 'make build-arm64' makes it.");
        string clip = Path.Combine(_folder, film);
        Assert.Equal(0, (await RunningProcess.RunAsync("ffmpeg", "-v", "error", "-i", Path.Combine(Given.Films, film), "-t", "11", "-c", "copy", clip)).ExitCode);
        // Emulation is some hundred times slower than the board: few pictures, but long enough for an event to be updated.
        string[] command = ["analyze", clip, "--gallery", Given.Gallery, "--fps", "4", "--json"];
        JsonNode[] x64 = Parse(await RunningProcess.RunAsync(Given.Binary, command));
        JsonNode[] arm64 = Parse(await RunningProcess.RunAsync(run!, command));

        Assert.Equal(x64.Length, arm64.Length);
        foreach (string count in (string[])["frames", "frames_analyzed", "faces", "tracks", "events"])
            Assert.Equal((count, (int)x64[^1]["summary"]![count]!), (count, (int)arm64[^1]["summary"]![count]!));
        Assert.True(x64.Length > 2, "The clip shows nobody.");
        foreach ((JsonNode here, JsonNode there) in x64[..^1].Zip(arm64))
        {
            Assert.Equal(((string?)here["phase"], (string?)here["identity"]!["status"], (string?)here["identity"]!["name"]),
                ((string?)there["phase"], (string?)there["identity"]!["status"], (string?)there["identity"]!["name"]));
            Assert.True(IntersectionOverUnion(here["box"]!, there["box"]!) >= 0.99, $"{here["box"]} and {there["box"]}");
            Assert.Equal((double?)here["identity"]!["similarity"] ?? 0, (double?)there["identity"]!["similarity"] ?? 0, 0.01);
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static JsonNode[] Parse((int ExitCode, string Output, string Errors) result)
    {
        Assert.True(result.ExitCode == 0, result.Output);
        return [.. result.Output.Split('\n').Where(l => l.StartsWith('{')).Select(l => JsonNode.Parse(l)!)];
    }

    private static double IntersectionOverUnion(JsonNode a, JsonNode b)
    {
        double ax = (double)a["x"]!, ay = (double)a["y"]!, aw = (double)a["w"]!, ah = (double)a["h"]!;
        double bx = (double)b["x"]!, by = (double)b["y"]!, bw = (double)b["w"]!, bh = (double)b["h"]!;
        double width = Math.Min(ax + aw, bx + bw) - Math.Max(ax, bx), height = Math.Min(ay + ah, by + bh) - Math.Max(ay, by);
        double intersection = Math.Max(0, width) * Math.Max(0, height);
        return intersection / (aw * ah + bw * bh - intersection);
    }
}
