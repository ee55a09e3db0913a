namespace EdgeNode.Faces;

/// <summary>A rectangle in fractions of the picture: left, top, width, height (contract §4).</summary>
public readonly record struct BoundingBox(float X, float Y, float Width, float Height)
{
    /// <summary>Area as a fraction of the picture's.</summary>
    public float Area => Width * Height;

    /// <summary>The whole picture.</summary>
    public static BoundingBox Whole => new(0, 0, 1, 1);

    /// <summary>The part inside the picture.</summary>
    public BoundingBox Clipped()
    {
        float left = Math.Clamp(X, 0, 1);
        float top = Math.Clamp(Y, 0, 1);
        return new BoundingBox(left, top, Math.Clamp(X + Width, 0, 1) - left, Math.Clamp(Y + Height, 0, 1) - top);
    }

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
