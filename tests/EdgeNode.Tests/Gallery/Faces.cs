using EdgeNode.Faces;
using EdgeNode.Gallery;

namespace EdgeNode.Tests.Gallery;

/// <summary>Made-up embeddings whose cosines are known: person N lies on axis N, and a face is mixed from axes.</summary>
internal static class Faces
{
    internal const string Pack = "test-pack";
    private const int Length = 512;

    /// <summary>A unit vector with these cosines to the axes, the rest on one nobody else uses.</summary>
    internal static float[] Face(params (int Axis, float Cosine)[] parts)
    {
        float[] face = new float[Length];
        float rest = 1;
        foreach ((int axis, float cosine) in parts)
        {
            face[axis] = cosine;
            rest -= cosine * cosine;
        }

        face[Length - 1] = MathF.Sqrt(MathF.Max(rest, 0));
        return face;
    }

    internal static Identity Person(string name, params float[][] faces) =>
        Identity.Create(name, [.. faces.Select(f => new FaceReference(Pack, f))], TimeProvider.System);

    internal static FaceTrack Track(int id, double seconds = 0) => new()
    {
        Id = id,
        StartedAt = At(seconds),
        StartedPts = Pts(seconds),
        SeenAt = At(seconds),
        SeenPts = Pts(seconds),
        Box = new BoundingBox(0.41f, 0.22f, 0.08f, 0.15f),
        DetectionScore = 0.93f,
        Frames = 1,
    };

    internal static FaceTrack WithShots(this FaceTrack track, params float[][] shots)
    {
        track.Shots.Clear();
        track.Shots.AddRange(shots);
        track.ShotsVersion++;
        track.BestShotAt = track.SeenAt;
        return track;
    }

    internal static FaceTrack SeenAtSecond(this FaceTrack track, double seconds)
    {
        track.SeenAt = At(seconds);
        track.SeenPts = Pts(seconds);
        track.Frames++;
        return track;
    }

    internal static DateTime At(double seconds) => new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc).AddSeconds(seconds);

    private static long Pts(double seconds) => (long)(seconds * 90_000);
}
