using System.Numerics;
using EdgeNode.Decoding;

namespace EdgeNode.Faces;

/// <summary>
/// 68 facial points (iBUG 300-W numbering, counted from 0) of a face box, joined to the five that alignment needs. The box goes in
/// as grey, straight from the luma. Not for two threads at a time.
/// </summary>
public sealed class LandmarkModel : IDisposable
{
    private const int Points = 68;
    private const int SmallestBox = 8;

    // Lids without corners; the nose's tip; outer and inner corners of the mouth.
    private static readonly int[] s_leftEye = [37, 38, 40, 41];
    private static readonly int[] s_rightEye = [43, 44, 46, 47];
    private static readonly int[] s_nose = [30];
    private static readonly int[] s_leftMouth = [48, 60];
    private static readonly int[] s_rightMouth = [54, 64];

    private readonly OnnxModel _model;
    private readonly int _width;
    private readonly int _height;
    private readonly ResampleAxis _x = new();
    private readonly ResampleAxis _y = new();
    private readonly byte[] _target;
    private readonly float[] _fullRange = new float[256];
    private readonly float[] _videoRange = new float[256];
    private int[] _row = [];
    private byte[] _blended = [];

    /// <summary>Opens the landmark model of the pack.</summary>
    /// <exception cref="ModelPackException">The model cannot be used.</exception>
    public LandmarkModel(ModelPack pack, ModelDescription description)
    {
        _model = OnnxModel.Open(pack, description);
        try
        {
            int elements = 1;
            foreach (int d in _model.OutputShape(null) ?? [0])
                elements *= d;
            if (elements != 2 * Points)
                throw _model.WrongShape($"one output of {2 * Points} floats for family points68");
            _model.Bind([1, 1, description.Height, description.Width], (string?)null);
        }
        catch
        {
            _model.Dispose();
            throw;
        }
        _width = description.Width;
        _height = description.Height;
        _target = new byte[_width];
        for (int i = 0; i < 256; i++)
        {
            _fullRange[i] = (i - description.Mean) / description.Scale;
            _videoRange[i] = (Math.Clamp((i - 16) * (255f / 219), 0, 255) - description.Mean) / description.Scale;
        }
    }

    /// <summary>What the stage has cost so far.</summary>
    public StageTime Time => _model.Time;

    /// <summary>The points of the face in <paramref name="box"/>; false when the box is under 8 pixels.</summary>
    public bool TryLocate(in Yuv420View picture, in BoundingBox box, out FivePoints points)
    {
        // Whole pixels, cut off as the reference stack does: the model was fed such crops.
        int left = (int)Math.Max(box.X * picture.Width, 0);
        int top = (int)Math.Max(box.Y * picture.Height, 0);
        int right = (int)Math.Min((box.X + box.Width) * picture.Width, picture.Width);
        int bottom = (int)Math.Min((box.Y + box.Height) * picture.Height, picture.Height);
        if (right - left < SmallestBox || bottom - top < SmallestBox)
        {
            points = default;
            return false;
        }

        _model.BeginStage();
        FillInput(picture, left, top, right - left, bottom - top);
        _model.Run();
        ReadOnlySpan<float> output = _model.Output(0);
        Vector2 scale = new(right - left, bottom - top);
        Vector2 origin = new(left, top);
        points = new FivePoints(
            Mean(output, s_leftEye) * scale + origin,
            Mean(output, s_rightEye) * scale + origin,
            Mean(output, s_nose) * scale + origin,
            Mean(output, s_leftMouth) * scale + origin,
            Mean(output, s_rightMouth) * scale + origin);
        _model.EndStage();
        return true;
    }

    /// <summary>Starts the stage's clock for work that belongs to it: alignment.</summary>
    internal void BeginStage() => _model.BeginStage();

    /// <summary>Stops that clock.</summary>
    internal void EndStage() => _model.EndStage();

    /// <inheritdoc/>
    public void Dispose() => _model.Dispose();

    private static Vector2 Mean(ReadOnlySpan<float> output, int[] points)
    {
        Vector2 sum = Vector2.Zero;
        foreach (int point in points)
            sum += new Vector2(output[2 * point], output[2 * point + 1]);
        return sum / points.Length;
    }

    private void FillInput(in Yuv420View picture, int left, int top, int width, int height)
    {
        _x.Configure(width, 0, (double)width / _width, _width);
        _y.Configure(height, 0, (double)height / _height, _height);
        if (_row.Length < width)
        {
            _row = new int[width];
            _blended = new byte[width];
        }
        Span<float> input = _model.Input;
        float[] levels = picture.FullRange ? _fullRange : _videoRange;
        Span<int> sums = _row.AsSpan(0, width);
        Span<byte> blended = _blended.AsSpan(0, width);
        for (int row = 0; row < _height; row++)
        {
            sums.Fill(ResampleAxis.One / 2);
            for (int k = 0; k < _y.Taps; k++)
            {
                int weight = _y.Weights[row * _y.Taps + k];
                if (weight == 0)
                    continue;
                ReadOnlySpan<byte> source = picture.Y.Slice((top + _y.First[row] + k) * picture.LumaStride + left, width);
                for (int x = 0; x < sums.Length; x++)
                    sums[x] += source[x] * weight;
            }
            for (int x = 0; x < sums.Length; x++)
                blended[x] = (byte)(sums[x] >> 8);
            _x.Apply(blended, 1, _target, 1);
            for (int x = 0; x < _width; x++)
                input[row * _width + x] = levels[_target[x]];
        }
    }
}
