using EdgeNode.Decoding;
using Microsoft.ML.OnnxRuntime;

namespace EdgeNode.Faces;

/// <summary>A face in a photo.</summary>
/// <param name="Box">Where, in fractions of the photo.</param>
/// <param name="DetectionScore">The detector's score, 0 to 1.</param>
/// <param name="Quality">How well it can be recognised, 0 to 1.</param>
/// <param name="Points">Eyes, nose and mouth, in pixels.</param>
/// <param name="Embedding">Of length 1; null when the face is too small or turned away too far to be told.</param>
public sealed record StillFace(BoundingBox Box, float DetectionScore, float Quality, FivePoints Points, float[]? Embedding);

/// <summary>
/// The models of one pack, opened once for the whole process and shared by all cameras: memory of re-created sessions never comes back
/// (field notes §9). <see cref="Gate"/> lets one camera at a time use them; whoever holds it may call everything here.
/// </summary>
public sealed class FaceModels : IDisposable
{
    private readonly IFaceDetector _detector;
    private readonly LandmarkModel _landmarks;
    private readonly FaceEmbedder _embedder;
    private readonly FaceAligner _aligner;
    private readonly int _alignedSide;

    private FaceModels(ModelPack pack, IFaceDetector detector, LandmarkModel landmarks, FaceEmbedder embedder, ModelDescription embedding)
    {
        Pack = pack;
        _detector = detector;
        _landmarks = landmarks;
        _embedder = embedder;
        _alignedSide = embedding.Width;
        _aligner = new FaceAligner(embedding.Width, embedding.Mean, embedding.Scale);
    }

    /// <summary>The pack that the models came from.</summary>
    public ModelPack Pack { get; }

    /// <summary>Held around every use of the models.</summary>
    public Lock Gate { get; } = new();

    /// <summary>Values in an embedding.</summary>
    public int EmbeddingLength => _embedder.Length;

    /// <summary>The detection score from which a face counts.</summary>
    public float ScoreThreshold => _detector.ScoreThreshold;

    /// <summary>What detection has cost since the models were opened.</summary>
    public StageTime DetectTime => _detector.Time;

    /// <summary>What landmarks and alignment have cost.</summary>
    public StageTime LandmarksTime => _landmarks.Time;

    /// <summary>What embedding has cost.</summary>
    public StageTime EmbedTime => _embedder.Time;

    /// <summary>Time spent inside ONNX Runtime, all models together.</summary>
    public TimeSpan InsideRuntime => DetectTime.InsideRuntime + LandmarksTime.InsideRuntime + EmbedTime.InsideRuntime;

    /// <summary>The version of ONNX Runtime in use.</summary>
    public static string RuntimeVersion => OrtEnv.Instance().GetVersionString();

    /// <summary>Opens the pack in <paramref name="folder"/>.</summary>
    /// <exception cref="ModelPackException">One sentence: which file is wrong, and what to do.</exception>
    public static FaceModels Load(string folder)
    {
        ModelPack pack = ModelPack.Load(folder);
        ModelDescription embedding = RequireFamily(pack, ModelRole.Embedding, ModelFamily.Arcface);
        ModelDescription points = RequireFamily(pack, ModelRole.Landmarks, ModelFamily.Points68);
        ModelDescription detection = RequireFamily(pack, ModelRole.Detector, ModelFamily.Ultraface);
        IFaceDetector? detector = null;
        LandmarkModel? landmarks = null;
        try
        {
            detector = new UltraFaceDetector(pack, detection);
            landmarks = new LandmarkModel(pack, points);
            return new FaceModels(pack, detector, landmarks, new FaceEmbedder(pack, embedding), embedding);
        }
        catch
        {
            detector?.Dispose();
            landmarks?.Dispose();
            throw;
        }
    }

    /// <summary>
    /// All faces of a photo, largest first, with their embeddings. Looks harder than live video does: when the whole photo shows no face, it
    /// is tried with a margin (a face that fills the photo), then in its true proportions, then in four overlapping tiles (small faces).
    /// Takes <see cref="Gate"/> itself.
    /// </summary>
    public IReadOnlyList<StillFace> AnalyzeStill(in Yuv420View picture)
    {
        lock (Gate)
        {
            List<DetectedFace> faces = [];
            Look(picture, BoundingBox.Whole, faces);
            if (faces.Count == 0)
                Look(picture, new BoundingBox(-0.5f, -0.5f, 2, 2), faces);
            if (faces.Count == 0)
                Look(picture, TrueProportions(picture), faces);
            if (faces.Count == 0)
            {
                Look(picture, new BoundingBox(0, 0, 0.6f, 0.6f), faces);
                Look(picture, new BoundingBox(0.4f, 0, 0.6f, 0.6f), faces);
                Look(picture, new BoundingBox(0, 0.4f, 0.6f, 0.6f), faces);
                Look(picture, new BoundingBox(0.4f, 0.4f, 0.6f, 0.6f), faces);
            }

            List<StillFace> described = [];
            foreach (DetectedFace face in faces)
            {
                float pixelWidth = face.Box.Width * picture.Width, pixelHeight = face.Box.Height * picture.Height;
                float size = FaceQuality.Size(pixelWidth, pixelHeight, 1);
                float quality = 0;
                float[]? embedding = null;
                if (TryLocate(picture, face.Box, out FivePoints points) && TryAlign(picture, points, out float sharpness))
                {
                    quality = FaceQuality.Combine(size, face.Score, FaceQuality.Pose(points, pixelWidth, pixelHeight), sharpness);
                    embedding = Embed();
                }
                described.Add(new StillFace(face.Box, face.Score, quality, points, embedding));
            }
            described.Sort(static (a, b) => b.Box.Area.CompareTo(a.Box.Area));
            return described;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _detector.Dispose();
        _landmarks.Dispose();
        _embedder.Dispose();
    }

    /// <summary>Faces of the whole picture, faint ones too; valid until the next call.</summary>
    internal ReadOnlySpan<DetectedFace> Detect(scoped in Yuv420View picture) => _detector.Detect(picture, BoundingBox.Whole);

    /// <summary>The five points of a face.</summary>
    internal bool TryLocate(in Yuv420View picture, in BoundingBox box, out FivePoints points) => _landmarks.TryLocate(picture, box, out points);

    /// <summary>Aligns a face for <see cref="Embed"/> and says how sharp it is.</summary>
    internal bool TryAlign(in Yuv420View picture, in FivePoints points, out float sharpness)
    {
        _landmarks.BeginStage();
        bool aligned = _aligner.Align(picture, points, _embedder.Input);
        sharpness = aligned ? FaceQuality.Sharpness(_aligner.Luma, _alignedSide) : 0;
        _landmarks.EndStage();
        return aligned;
    }

    /// <summary>The embedding of the face aligned last.</summary>
    internal float[]? Embed() => _embedder.Embed();

    private static ModelDescription RequireFamily(ModelPack pack, ModelRole role, ModelFamily family)
    {
        ModelDescription model = pack.Require(role);
        if (model.Family != family)
        {
            string wanted = family.ToString().ToLowerInvariant();
            throw new ModelPackException($"{Path.Combine(pack.Folder, ModelPack.FileName)}: the family of {model.File} does not serve its role; use a model of family {wanted}.");
        }
        return model;
    }

    /// <summary>The region around the picture that has the detector's 4:3, so that the face is not squeezed.</summary>
    private static BoundingBox TrueProportions(in Yuv420View picture)
    {
        float aspect = (float)picture.Width / picture.Height;
        const float wanted = 4f / 3;
        if (aspect < wanted)
        {
            float width = wanted / aspect;
            return new BoundingBox((1 - width) / 2, 0, width, 1);
        }
        float height = aspect / wanted;
        return new BoundingBox(0, (1 - height) / 2, 1, height);
    }

    private void Look(in Yuv420View picture, in BoundingBox region, List<DetectedFace> faces)
    {
        foreach (DetectedFace face in _detector.Detect(picture, region))
        {
            if (face.Score < _detector.ScoreThreshold)
                continue;
            bool known = false;
            for (int i = 0; i < faces.Count && !known; i++)
            {
                known = faces[i].Box.IntersectionOverUnion(face.Box) > 0.4f;
                if (known && face.Score > faces[i].Score)
                    faces[i] = face;
            }
            if (!known)
                faces.Add(face);
        }
    }
}
