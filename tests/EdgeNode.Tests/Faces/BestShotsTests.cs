using EdgeNode.Faces;

namespace EdgeNode.Tests.Faces;

public sealed class BestShotsTests
{
    private readonly BestShots _shots = new();
    private readonly FaceTrack _track = new() { Id = 1, StartedAt = DateTime.UnixEpoch, StartedPts = 0 };

    [Fact]
    public void First_shot_is_wanted_at_once_if_it_can_be_good_enough()
    {
        Assert.True(_shots.IsWanted(0, BestShots.LeastQuality, false));
        Assert.False(_shots.IsWanted(0, BestShots.LeastQuality - 0.01f, false));
    }

    [Fact]
    public void Second_shot_comes_soon_but_not_at_once()
    {
        Take(0, 0.8f);

        Assert.False(_shots.IsWanted(18_000, 1, false));
        Assert.True(_shots.IsWanted(36_000, BestShots.LeastQuality, false));
    }

    [Fact]
    public void Later_shots_must_be_clearly_better_unless_it_is_long_since()
    {
        Take(0, 0.8f);
        Take(36_000, 0.8f);

        Assert.False(_shots.IsWanted(108_000, 0.82f, false));
        Assert.True(_shots.IsWanted(108_000, 0.9f, false));
        Assert.True(_shots.IsWanted(36_000 + 180_000, 0.78f, false));
    }

    [Fact]
    public void At_most_five_are_kept_best_first()
    {
        float[] qualities = [0.5f, 0.7f, 0.6f, 0.8f, 0.55f, 0.9f];
        for (int i = 0; i < qualities.Length; i++)
            Take(i * 90_000, qualities[i]);

        Assert.Equal([0.9f, 0.8f, 0.7f, 0.6f, 0.55f], _track.Shots.Select(s => s[0]));
        Assert.Equal(0.9f, _track.Quality);
        Assert.Equal(DateTime.UnixEpoch.AddSeconds(5), _track.BestShotAt);
        Assert.Equal(6, _track.ShotsVersion);
    }

    [Fact]
    public void A_long_track_of_even_quality_costs_few_shots()
    {
        int taken = 0;
        for (long pts = 0; pts < 600 * 90_000L; pts += 9000)
        {
            if (!_shots.IsWanted(pts, 0.8f, false))
                continue;
            _shots.Tried(pts);
            Take(pts, 0.8f);
            taken++;
        }

        Assert.Equal(BestShots.Most, taken);
    }

    private void Take(long pts, float quality)
    {
        _track.SeenPts = pts;
        _track.SeenAt = DateTime.UnixEpoch.AddTicks(pts * 1000 / 9);
        _shots.Add(_track, [quality], quality);
    }
}
