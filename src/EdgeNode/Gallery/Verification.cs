using System.Text.Json.Serialization;

namespace EdgeNode.Gallery;

/// <summary>Similarity of two photos, and whether they show the same person.</summary>
public readonly record struct VerificationPair(float Similarity, bool Same);

/// <summary>One point of the ROC curve: at this threshold, the shares of same and of different pairs that are accepted.</summary>
public readonly record struct RocPoint(double Threshold, double TruePositiveRate, double FalsePositiveRate);

/// <summary>What <c>edgenode verify --json</c> prints (contract §1).</summary>
public sealed record VerificationReport
{
    /// <summary>Pairs that were compared.</summary>
    public required int Pairs { get; init; }

    /// <summary>Share of them that <see cref="Threshold"/> judges rightly, 0 to 1; null without pairs.</summary>
    public required double? Accuracy { get; init; }

    /// <summary>The configured threshold.</summary>
    public required double Threshold { get; init; }

    /// <summary>Share that <see cref="BestThreshold"/> judges rightly.</summary>
    public required double? BestAccuracy { get; init; }

    /// <summary>The threshold that judges most pairs rightly: the middle of the widest range of such.</summary>
    public required double? BestThreshold { get; init; }

    /// <summary>The least similarity of two photos of one person; null without such pairs.</summary>
    public required double? LowestSame { get; init; }

    /// <summary>The greatest similarity of photos of two people; null without such pairs.</summary>
    public required double? HighestDifferent { get; init; }

    /// <summary>Images in which no face was found; their pairs are not among <see cref="Pairs"/>.</summary>
    public required IReadOnlyList<string> NoFace { get; init; }

    /// <summary>The ROC curve from the strictest threshold to the laxest; not part of the JSON.</summary>
    [JsonIgnore]
    public IReadOnlyList<RocPoint> Roc { get; init; } = [];
}

/// <summary>Statistics of face verification over pairs. A pair is accepted when its similarity is at least the threshold.</summary>
public static class Verification
{
    private const int Digits = 4;

    /// <summary>Judges the pairs. Similarities are rounded to four digits in the report.</summary>
    public static VerificationReport Evaluate(IReadOnlyList<VerificationPair> pairs, float threshold, IReadOnlyList<string> noFace)
    {
        VerificationPair[] sorted = [.. pairs.OrderByDescending(p => p.Similarity)];
        int same = sorted.Count(p => p.Same);
        int different = sorted.Length - same;

        // Between two neighbouring similarities every threshold judges alike, so one a step is tried: above all, then between each two.
        var roc = new List<RocPoint>();
        int bestRight = -1;
        double bestThreshold = 0, bestWidth = 0;
        int accepted = 0, acceptedSame = 0;
        while (true)
        {
            double above = accepted == 0 ? 1 : sorted[accepted - 1].Similarity;
            double below = accepted == sorted.Length ? -1 : sorted[accepted].Similarity;
            double middle = (Math.Max(above, below) + below) / 2;
            int right = acceptedSame + different - (accepted - acceptedSame);
            if (right > bestRight || (right == bestRight && above - below > bestWidth))
                (bestRight, bestThreshold, bestWidth) = (right, middle, above - below);
            roc.Add(new RocPoint(Round(middle), Share(acceptedSame, same) ?? 0, Share(accepted - acceptedSame, different) ?? 0));
            if (accepted == sorted.Length)
                break;
            float step = sorted[accepted].Similarity;
            while (accepted < sorted.Length && sorted[accepted].Similarity.Equals(step))
                acceptedSame += sorted[accepted++].Same ? 1 : 0;
        }

        return new VerificationReport
        {
            Pairs = sorted.Length,
            Accuracy = Share(sorted.Count(p => p.Similarity >= threshold == p.Same), sorted.Length),
            Threshold = Round(threshold),
            BestAccuracy = Share(bestRight, sorted.Length),
            BestThreshold = sorted.Length == 0 ? null : Round(bestThreshold),
            LowestSame = same == 0 ? null : Round(sorted.Where(p => p.Same).Min(p => p.Similarity)),
            HighestDifferent = different == 0 ? null : Round(sorted.Where(p => !p.Same).Max(p => p.Similarity)),
            NoFace = noFace,
            Roc = roc,
        };
    }

    private static double? Share(int part, int whole) => whole == 0 ? null : Math.Round((double)part / whole, Digits);

    private static double Round(double value) => Math.Round(value, Digits);
}

/// <summary>JSON of <see cref="VerificationReport"/> without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(VerificationReport))]
public sealed partial class VerificationJson : JsonSerializerContext;
