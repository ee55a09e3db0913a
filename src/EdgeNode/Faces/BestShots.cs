using EdgeNode.Ingest;

namespace EdgeNode.Faces;

/// <summary>
/// Decides which shots of a track are worth landmarks and an embedding, and keeps the best few. The first one that is good enough is
/// taken at once, so that a name comes quickly; a second soon after, to agree with it; from then on only better ones or,
/// seldom, other ones. Embedding costs five times what detection does: this is what keeps recognition cheap.
/// </summary>
internal sealed class BestShots
{
    /// <summary>Shots kept a track.</summary>
    public const int Most = 5;

    /// <summary>Below this no shot is embedded: the face stays undetermined.</summary>
    public const float LeastQuality = 0.4f;

    private const long BeforeSecond = AccessUnit.TicksPerSecond * 4 / 10;
    private const long BetweenTries = AccessUnit.TicksPerSecond;
    private const long BetweenFirstTries = AccessUnit.TicksPerSecond / 10;
    private const long BetweenOthers = 2 * AccessUnit.TicksPerSecond;
    private const float ClearlyBetter = 0.04f;

    private readonly List<float> _qualities = new(Most);
    private long _triedPts = long.MinValue / 2;
    private long _takenPts = long.MinValue / 2;

    /// <summary>Whether to try a shot at <paramref name="pts"/> that can reach at most <paramref name="reachable"/>.</summary>
    public bool IsWanted(long pts, float reachable, bool unverified)
    {
        if (pts - _triedPts < (_qualities.Count < 2 || unverified ? BetweenFirstTries : BetweenTries))
            return false;
        return reachable >= Needed(pts, unverified);
    }

    /// <summary>The quality from which a shot at <paramref name="pts"/> is worth embedding; above 1 for none.</summary>
    public float Needed(long pts, bool unverified)
    {
        long since = pts - _takenPts;
        return _qualities.Count switch
        {
            0 => LeastQuality,
            _ when unverified => LeastQuality,
            1 => since < BeforeSecond ? 2 : LeastQuality,
            < Most => since < BetweenOthers ? _qualities[0] + ClearlyBetter : MathF.Max(LeastQuality, _qualities[0] - ClearlyBetter),
            _ => MathF.Min(_qualities[0] + ClearlyBetter, _qualities[^1] + 2 * ClearlyBetter),
        };
    }

    /// <summary>Landmarks were run for the track at <paramref name="pts"/>, whatever came of it.</summary>
    public void Tried(long pts) => _triedPts = pts;

    /// <summary>Keeps a shot, best first; the worst goes when there are too many.</summary>
    public void Add(FaceTrack track, float[] embedding, float quality)
    {
        _takenPts = track.SeenPts;
        int at = 0;
        while (at < _qualities.Count && _qualities[at] >= quality)
            at++;
        if (at == Most)
            return;
        if (_qualities.Count == Most)
        {
            _qualities.RemoveAt(Most - 1);
            track.Shots.RemoveAt(Most - 1);
        }
        _qualities.Insert(at, quality);
        track.Shots.Insert(at, embedding);
        track.ShotsVersion++;
        if (at > 0)
            return;
        track.Quality = quality;
        track.BestShotAt = track.SeenAt;
    }
}
