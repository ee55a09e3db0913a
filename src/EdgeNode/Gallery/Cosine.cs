using System.Numerics;

namespace EdgeNode.Gallery;

/// <summary>Dot products of embeddings: of unit vectors, their cosine similarity, −1 to 1.</summary>
public static class Cosine
{
    /// <summary>Σ a·b over vectors of equal length; does not allocate.</summary>
    public static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(b.Length, a.Length);
        int width = Vector<float>.Count;
        int i = 0;
        // Two sums, so that an addition need not wait for the one before it.
        Vector<float> even = Vector<float>.Zero, odd = Vector<float>.Zero;
        for (; i <= a.Length - 2 * width; i += 2 * width)
        {
            even += new Vector<float>(a.Slice(i, width)) * new Vector<float>(b.Slice(i, width));
            odd += new Vector<float>(a.Slice(i + width, width)) * new Vector<float>(b.Slice(i + width, width));
        }

        float sum = Vector.Sum(even + odd);
        for (; i < a.Length; i++)
            sum += a[i] * b[i];
        return sum;
    }

    /// <summary>Scales a vector to unit length in place; false leaves one alone that has no direction (zero, or not finite).</summary>
    public static bool Normalize(Span<float> vector)
    {
        float square = Dot(vector, vector);
        if (!(square > 1e-12f) || !float.IsFinite(square))
            return false;
        float scale = 1 / MathF.Sqrt(square);
        for (int i = 0; i < vector.Length; i++)
            vector[i] *= scale;
        return true;
    }
}
