using EdgeNode.Decoding;

namespace EdgeNode.Faces;

/// <summary>
/// UltraFace (RFB-320 and its sisters): the whole picture squeezed to the input's size, RGB. The model decodes its priors itself;
/// what is left is to choose: score, then greedy non-maximum suppression.
/// </summary>
public sealed class UltraFaceDetector : IFaceDetector
{
    /// <summary>Faces a picture at most.</summary>
    public const int MostFaces = 64;

    private const int MostCandidates = 512;

    /// <summary>Fainter than this is noise; between this and the threshold a face may keep its track (ByteTrack's second pass).</summary>
    private const float FaintScore = 0.35f;

    private readonly OnnxModel _model;
    private readonly PictureScaler _scaler;
    private readonly float _overlap;
    private readonly int _priors;
    private readonly Candidate[] _candidates = new Candidate[MostCandidates];
    private readonly DetectedFace[] _faces = new DetectedFace[MostFaces];
    private readonly BoundingBox[] _kept = new BoundingBox[MostFaces];

    /// <summary>Opens the detector of the pack.</summary>
    /// <exception cref="ModelPackException">The model cannot be used.</exception>
    public UltraFaceDetector(ModelPack pack, ModelDescription description)
    {
        _model = OnnxModel.Open(pack, description);
        try
        {
            int[]? scores = _model.OutputShape("scores");
            int[]? boxes = _model.OutputShape("boxes");
            if (scores is not [1, > 0, 2] || boxes is not [1, > 0, 4] || scores[1] != boxes[1])
                throw _model.WrongShape("outputs scores 1×N×2 and boxes 1×N×4 for family ultraface");
            _model.Bind([1, 3, description.Height, description.Width], "scores", "boxes");
            _priors = scores[1];
        }
        catch
        {
            _model.Dispose();
            throw;
        }
        _scaler = new PictureScaler(description.Width, description.Height, description.Mean, description.Scale);
        _overlap = description.OverlapThreshold ?? 0.4f;
        ScoreThreshold = description.ScoreThreshold ?? 0.65f;
    }

    /// <inheritdoc/>
    public float ScoreThreshold { get; }

    /// <inheritdoc/>
    public StageTime Time => _model.Time;

    /// <inheritdoc/>
    public ReadOnlySpan<DetectedFace> Detect(scoped in Yuv420View picture, scoped in BoundingBox region)
    {
        _model.BeginStage();
        _scaler.Fill(picture, region, _model.Input);
        _model.Run();
        int count = Choose(_model.Output(0)[..(2 * _priors)], _model.Output(1), region);
        _model.EndStage();
        return _faces.AsSpan(0, count);
    }

    /// <inheritdoc/>
    public void Dispose() => _model.Dispose();

    private int Choose(ReadOnlySpan<float> scores, ReadOnlySpan<float> boxes, in BoundingBox region)
    {
        float least = Math.Min(FaintScore, ScoreThreshold);
        int candidates = 0;
        for (int i = 1; i < scores.Length; i += 2)
        {
            if (scores[i] > least)
                candidates = Insert(new Candidate(scores[i], i / 2), candidates);
        }

        int count = 0;
        foreach (Candidate candidate in _candidates.AsSpan(0, candidates))
        {
            ReadOnlySpan<float> corners = boxes.Slice(4 * candidate.Prior, 4);
            BoundingBox box = new(corners[0], corners[1], corners[2] - corners[0], corners[3] - corners[1]);
            if (!(box.Width > 0 && box.Height > 0) || Suppressed(box, count))
                continue;
            BoundingBox whole = new BoundingBox(region.X + box.X * region.Width, region.Y + box.Y * region.Height, box.Width * region.Width, box.Height * region.Height).Clipped();
            if (whole.Width <= 0 || whole.Height <= 0)
                continue;
            _kept[count] = box;
            _faces[count++] = new DetectedFace(whole, candidate.Score);
            if (count == MostFaces)
                break;
        }
        return count;
    }

    private bool Suppressed(in BoundingBox box, int kept)
    {
        for (int i = 0; i < kept; i++)
        {
            if (_kept[i].IntersectionOverUnion(box) > _overlap)
                return true;
        }
        return false;
    }

    /// <summary>
    /// Keeps the candidates sorted, best first, then by prior, so that equal scores give the same order everywhere; the worst falls out when
    /// there are too many. By hand: the framework's sort allocates in ahead-of-time code.
    /// </summary>
    private int Insert(in Candidate candidate, int count)
    {
        if (count == MostCandidates && candidate.Score <= _candidates[^1].Score)
            return count;
        int at = Math.Min(count, MostCandidates - 1);
        for (; at > 0 && _candidates[at - 1].Score < candidate.Score; at--)
            _candidates[at] = _candidates[at - 1];
        _candidates[at] = candidate;
        return Math.Min(count + 1, MostCandidates);
    }

    private readonly record struct Candidate(float Score, int Prior);
}
