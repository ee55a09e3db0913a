using System.Text.Json;
using EdgeNode.Gallery;

namespace EdgeNode.Tests.Gallery;

public class VerificationTests
{
    private static readonly VerificationPair[] Pairs = [new(0.9f, true), new(0.5f, true), new(0.30f, true), new(0.35f, false), new(0.1f, false), new(-0.2f, false)];

    [Fact]
    public void The_json_is_that_of_the_contract()
    {
        VerificationReport report = Verification.Evaluate(Pairs, 0.36f, ["blank.jpg"]);
        Assert.Equal(
            """{"pairs":6,"accuracy":0.8333,"threshold":0.36,"best_accuracy":0.8333,"best_threshold":0.2,"lowest_same":0.3,"highest_different":0.35,"no_face":["blank.jpg"]}""",
            JsonSerializer.Serialize(report, VerificationJson.Default.VerificationReport));
    }

    [Fact]
    public void Where_a_threshold_parts_all_pairs_it_lies_in_the_middle()
    {
        VerificationReport report = Verification.Evaluate([new(0.8f, true), new(0.6f, true), new(0.2f, false)], 0.7f, []);
        Assert.Equal(1, report.BestAccuracy);
        Assert.Equal(0.4, report.BestThreshold);
        Assert.Equal(0.6667, report.Accuracy);
    }

    [Fact]
    public void The_roc_curve_goes_from_accepting_none_to_accepting_all()
    {
        IReadOnlyList<RocPoint> roc = Verification.Evaluate(Pairs, 0.36f, []).Roc;
        Assert.Equal((0, 0), (roc[0].TruePositiveRate, roc[0].FalsePositiveRate));
        Assert.Equal((1, 1), (roc[^1].TruePositiveRate, roc[^1].FalsePositiveRate));
        Assert.Equal(roc.OrderByDescending(p => p.Threshold), roc);
        Assert.Equal(new RocPoint(0.425, 0.6667, 0), roc[2]);
    }

    [Fact]
    public void Equal_similarities_are_judged_together()
    {
        VerificationReport report = Verification.Evaluate([new(0.5f, true), new(0.5f, false)], 0.5f, []);
        Assert.Equal(2, report.Roc.Count);
        Assert.Equal(0.5, report.BestAccuracy);
    }

    [Fact]
    public void Without_pairs_there_are_no_numbers()
    {
        VerificationReport report = Verification.Evaluate([], 0.36f, ["a.jpg"]);
        Assert.Null(report.Accuracy);
        Assert.Null(report.BestThreshold);
        Assert.Null(report.LowestSame);
        Assert.Null(report.HighestDifferent);
    }
}
