namespace EdgeNode.Faces;

/// <summary>A rectangle in fractions of the picture: left, top, width, height (contract §4).</summary>
public readonly record struct BoundingBox(float X, float Y, float Width, float Height)
{
    /// <summary>Area as a fraction of the picture's.</summary>
    public float Area => Width * Height;

    /// <summary>Intersection over union with another box, 0 to 1.</summary>
    public float IntersectionOverUnion(in BoundingBox other)
    {
        float width = MathF.Min(X + Width, other.X + other.Width) - MathF.Max(X, other.X);
        float height = MathF.Min(Y + Height, other.Y + other.Height) - MathF.Max(Y, other.Y);
        if (width <= 0 || height <= 0)
            return 0;
        float intersection = width * height;
        return intersection / (Area + other.Area - intersection);
    }
}
