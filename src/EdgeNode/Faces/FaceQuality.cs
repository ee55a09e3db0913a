namespace EdgeNode.Faces;

/// <summary>
/// How well a shot shows a face, 0 to 1: the geometric mean of four marks of 0 to 1, so that one bad mark spoils the shot.
/// <list type="bullet">
/// <item>size: the box's mean side in pixels / 112, which is what the embedding sees; 0 below the least size.</item>
/// <item>sharpness: v / (v + 60), v the variance of the 4-neighbour Laplacian over the middle of the aligned luma.</item>
/// <item>pose: (1 − |yaw| / 0.6) × (1 − |pitch| / 0.6) by <see cref="FivePoints.Yaw"/> and <see cref="FivePoints.Pitch"/>.</item>
/// <item>detection: the detector's score.</item>
/// </list>
/// </summary>
internal static class FaceQuality
{
    private const float EmbeddingSide = 112;
    private const float HalfSharp = 60;
    private const float FurthestTurn = 0.6f;

    /// <summary>Mark for size: <paramref name="width"/> and <paramref name="height"/> of the box in pixels.</summary>
    public static float Size(float width, float height, int leastPixels) =>
        MathF.Min(width, height) < leastPixels ? 0 : MathF.Min(MathF.Sqrt(width * height) / EmbeddingSide, 1);

    /// <summary>Mark for pose; 0 also when the points cannot be a face in <paramref name="width"/> × <paramref name="height"/> pixels.</summary>
    public static float Pose(in FivePoints points, float width, float height)
    {
        float eyes = (points.RightEye - points.LeftEye).Length();
        float down = ((points.LeftMouth + points.RightMouth) * 0.5f - (points.LeftEye + points.RightEye) * 0.5f).Length();
        if (!(eyes > 0.12f * width && down > 0.12f * height))
            return 0;
        float yaw = MathF.Max(0, 1 - MathF.Abs(points.Yaw) / FurthestTurn);
        float pitch = MathF.Max(0, 1 - MathF.Abs(points.Pitch) / FurthestTurn);
        return yaw * pitch;
    }

    /// <summary>Mark for sharpness of an aligned face, <paramref name="side"/> × <paramref name="side"/> luma samples.</summary>
    public static float Sharpness(ReadOnlySpan<byte> luma, int side)
    {
        float variance = LaplacianVariance(luma, side);
        return variance / (variance + HalfSharp);
    }

    /// <summary>Variance of the 4-neighbour Laplacian over the middle of the face: eyes to mouth, without hair and background.</summary>
    public static float LaplacianVariance(ReadOnlySpan<byte> luma, int side)
    {
        int margin = side / 5;
        long sum = 0, squares = 0;
        int count = 0;
        for (int y = margin; y < side - margin; y++)
        {
            for (int x = margin; x < side - margin; x++)
            {
                int at = y * side + x;
                int value = 4 * luma[at] - luma[at - 1] - luma[at + 1] - luma[at - side] - luma[at + side];
                sum += value;
                squares += value * value;
                count++;
            }
        }
        double mean = (double)sum / count;
        return (float)((double)squares / count - mean * mean);
    }

    /// <summary>The four marks together; a mark not known yet counts as 1, which gives the most that the shot can reach.</summary>
    public static float Combine(float size, float detection, float pose = 1, float sharpness = 1) =>
        MathF.Sqrt(MathF.Sqrt(size * detection * pose * sharpness));
}
