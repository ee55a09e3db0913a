using System.Numerics;

namespace EdgeNode.Faces;

/// <summary>
/// Rotation, uniform scale and shift in the plane: (x, y) ↦ (A·x − B·y + X, B·x + A·y + Y).
/// </summary>
internal readonly record struct SimilarityTransform(double A, double B, double X, double Y)
{
    /// <summary>Target pixels for one source pixel.</summary>
    public double Scale => Math.Sqrt(A * A + B * B);

    /// <summary>
    /// The transform that takes <paramref name="source"/> to <paramref name="target"/> with the least sum of squared errors: Umeyama 1991,
    /// which in the plane and without reflection needs no singular value decomposition, because A and B are linear in the points.
    /// </summary>
    public static SimilarityTransform Fit(ReadOnlySpan<Vector2> source, ReadOnlySpan<Vector2> target)
    {
        double sourceX = 0, sourceY = 0, targetX = 0, targetY = 0;
        for (int i = 0; i < source.Length; i++)
        {
            sourceX += source[i].X;
            sourceY += source[i].Y;
            targetX += target[i].X;
            targetY += target[i].Y;
        }
        sourceX /= source.Length;
        sourceY /= source.Length;
        targetX /= source.Length;
        targetY /= source.Length;

        double dot = 0, cross = 0, spread = 0;
        for (int i = 0; i < source.Length; i++)
        {
            double px = source[i].X - sourceX, py = source[i].Y - sourceY;
            double qx = target[i].X - targetX, qy = target[i].Y - targetY;
            dot += px * qx + py * qy;
            cross += px * qy - py * qx;
            spread += px * px + py * py;
        }
        if (!(spread > 0))
            return default;
        double a = dot / spread, b = cross / spread;
        return new SimilarityTransform(a, b, targetX - (a * sourceX - b * sourceY), targetY - (b * sourceX + a * sourceY));
    }

    /// <summary>The way back; the scale must not be 0.</summary>
    public SimilarityTransform Inverse()
    {
        double square = A * A + B * B;
        double a = A / square, b = -B / square;
        return new SimilarityTransform(a, b, -(a * X - b * Y), -(b * X + a * Y));
    }
}
