namespace EdgeNode.Gallery;

/// <summary>How sure the node must be before it says a name. Cosines of the model pack in use.</summary>
public sealed record FaceRecognitionOptions
{
    /// <summary>Similarity from which a face may be that identity.</summary>
    public float Threshold { get; init; } = 0.36f;

    /// <summary>By how much the identity must be ahead of the second.</summary>
    public float Margin { get; init; } = 0.05f;

    /// <summary>Above the threshold by this much, one shot alone may name; below it by as much, one alone is a stranger's.</summary>
    public float ClearBy { get; init; } = 0.1f;

    /// <summary>By how much another identity must be more similar than the one that a track bears already.</summary>
    public float YieldBy { get; init; } = 0.05f;
}
