using EdgeNode.Decoding;

namespace EdgeNode.Faces;

/// <summary>A face found in one picture.</summary>
/// <param name="Box">Where, clipped to the picture.</param>
/// <param name="Score">How sure the detector is, 0 to 1.</param>
public readonly record struct DetectedFace(BoundingBox Box, float Score);

/// <summary>Finds faces; one class a model family. Not for two threads at a time.</summary>
public interface IFaceDetector : IDisposable
{
    /// <summary>The score from which a face counts; fainter ones only keep a track alive.</summary>
    float ScoreThreshold { get; }

    /// <summary>What detection has cost so far.</summary>
    StageTime Time { get; }

    /// <summary>
    /// Faces in <paramref name="region"/> of the picture (fractions; it may reach beyond the picture, which makes a large face
    /// smaller), best first, among them faint ones below <see cref="ScoreThreshold"/>. Valid until the next call; allocates nothing.
    /// </summary>
    ReadOnlySpan<DetectedFace> Detect(scoped in Yuv420View picture, scoped in BoundingBox region);
}
