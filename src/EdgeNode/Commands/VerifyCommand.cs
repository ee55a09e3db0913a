using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using EdgeNode.Configuration;
using EdgeNode.Decoding;
using EdgeNode.Faces;
using EdgeNode.Gallery;

namespace EdgeNode.Commands;

/// <summary><c>edgenode verify</c>: how well same and different persons are told apart over pairs of photos.</summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        var pairs = new Option<string>("--pairs") { Description = "CSV file: file1,file2,same with same 0 or 1.", Required = true, HelpName = "FILE.csv" };
        var images = new Option<string>("--images") { Description = "Folder of the photos.", Required = true, HelpName = "FOLDER" };
        Option<bool> json = CommonOptions.Json();
        Option<string?> config = CommonOptions.Config();
        var command = new Command("verify", "Measure face verification over pairs of photos.") { pairs, images, json, config };
        command.SetAction(parsed => Run(CommonOptions.ReadOrDefaults(parsed.GetValue(config)), parsed.GetRequiredValue(pairs), parsed.GetRequiredValue(images), parsed.GetValue(json)));
        return command;
    }

    private static int Run(NodeConfiguration configuration, string file, string folder, bool json)
    {
        List<(string First, string Second, bool Same)> rows = ReadPairs(file, folder);
        using FaceModels models = FaceModels.Load(CommonOptions.ModelFolder(configuration));
        var embeddings = new Dictionary<string, float[]?>(StringComparer.Ordinal);
        foreach (string name in rows.SelectMany(r => new[] { r.First, r.Second }).Distinct(StringComparer.Ordinal))
            embeddings[name] = Embed(models, Path.Combine(folder, name));
        var judged = new List<VerificationPair>();
        foreach ((string first, string second, bool same) in rows)
        {
            if (embeddings[first] is { } a && embeddings[second] is { } b)
                judged.Add(new VerificationPair(Cosine.Dot(a, b), same));
        }

        string[] faceless = [.. embeddings.Where(e => e.Value is null).Select(e => e.Key).Order(StringComparer.Ordinal)];
        VerificationReport report = Verification.Evaluate(judged, configuration.Faces.Threshold ?? models.Pack.SimilarityThreshold, faceless);
        Console.WriteLine(json ? JsonSerializer.Serialize(report, VerificationJson.Default.VerificationReport) : Describe(report));
        return 0;
    }

    // The largest face is the photo's person: pairs are of portraits.
    private static float[]? Embed(FaceModels models, string path)
    {
        try
        {
            StillImage photo = StillImage.Read(path);
            return models.AnalyzeStill(photo.View).Where(f => f.Embedding is not null).MaxBy(f => f.Box.Area)?.Embedding;
        }
        catch (DecodeException fault)
        {
            throw new CommandFailure(CommandFailure.AtRunTime, fault.Message);
        }
    }

    private static List<(string First, string Second, bool Same)> ReadPairs(string file, string folder)
    {
        var rows = new List<(string, string, bool)>();
        string[] lines = File.ReadAllLines(file);
        for (int i = 0; i < lines.Length; i++)
        {
            if (lines[i].Length == 0 || (i == 0 && lines[i] == "file1,file2,same"))
                continue;
            string[] cells = lines[i].Split(',');
            if (cells.Length != 3 || cells[2].Trim() is not ("0" or "1"))
                throw new CommandFailure(CommandFailure.WrongUsage, $"{file}, line {i + 1}: this must be file1,file2,same with same 0 or 1.");
            foreach (string name in cells[..2])
            {
                if (!File.Exists(Path.Combine(folder, name.Trim())))
                    throw new CommandFailure(CommandFailure.WrongUsage, $"{file}, line {i + 1}: there is no '{name.Trim()}' in {folder}.");
            }

            rows.Add((cells[0].Trim(), cells[1].Trim(), cells[2].Trim() == "1"));
        }

        return rows.Count > 0 ? rows : throw new CommandFailure(CommandFailure.WrongUsage, $"{file} holds no pairs: write lines of file1,file2,same.");
    }

    private static string Describe(VerificationReport report) => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        {report.Pairs} pairs; accuracy {report.Accuracy:0.000} at threshold {report.Threshold:0.000}, at best {report.BestAccuracy:0.000} at {report.BestThreshold:0.000}
        lowest similarity of the same person {report.LowestSame:0.000}, highest of two persons {report.HighestDifferent:0.000}
        photos without a face: {(report.NoFace.Count == 0 ? "none" : string.Join(", ", report.NoFace))}
        """);
}
