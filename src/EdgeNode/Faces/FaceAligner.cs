using System.Numerics;
using EdgeNode.Decoding;

namespace EdgeNode.Faces;

/// <summary>
/// Cuts a face out of a picture so that its five points lie where ArcFace was trained with them (Deng et al. 2019; 112×112), straight
/// from the planes into the embedding's input. Bilinear; a face more than twice the target's size is averaged over several samples a
/// pixel. Positions are fixed point, so that every processor takes the same samples. Outside the picture is black.
/// </summary>
internal sealed class FaceAligner(int size, float mean, float scale)
{
    private const int TrainedSize = 112;
    private const int MostSamples = 8;
    private const int FractionBits = 24;
    private const long One = 1L << FractionBits;
    private const double SmallestScale = 1.0 / 128;
    private const double LargestScale = 32;

    private static readonly Vector2[] TrainedPoints =
        [new(38.2946f, 51.6963f), new(73.5318f, 51.5014f), new(56.0252f, 71.7366f), new(41.5493f, 92.3655f), new(70.7299f, 92.2041f)];

    private readonly Vector2[] _target = Array.ConvertAll(TrainedPoints, p => p * ((float)size / TrainedSize));
    private readonly Vector2[] _source = new Vector2[TrainedPoints.Length];
    private readonly byte[] _luma = new byte[size * size];

    /// <summary>Luma of the face aligned last, 0–255, row by row.</summary>
    public ReadOnlySpan<byte> Luma => _luma;

    /// <summary>Fills <paramref name="tensor"/> (R, G, B planes) with the aligned face; false when the points do not span a face.</summary>
    public bool Align(in Yuv420View picture, in FivePoints points, Span<float> tensor)
    {
        _source[0] = points.LeftEye;
        _source[1] = points.RightEye;
        _source[2] = points.Nose;
        _source[3] = points.LeftMouth;
        _source[4] = points.RightMouth;
        SimilarityTransform forward = SimilarityTransform.Fit(_source, _target);
        // Beyond these the points span no face; within them the fixed point does not overflow.
        if (!(forward.Scale is > SmallestScale and < LargestScale))
            return false;
        SimilarityTransform back = forward.Inverse();
        int samples = Math.Clamp((int)Math.Ceiling(back.Scale / 2), 1, MostSamples);
        Warp(picture, back, samples, tensor);
        return true;
    }

    private void Warp(in Yuv420View picture, in SimilarityTransform back, int samples, Span<float> tensor)
    {
        YuvToRgb toRgb = new(picture.FullRange, picture.Matrix, mean, scale);
        PlaneSampler lumaPlane = new(picture.Y, picture.LumaStride, 1, picture.Width, picture.Height, picture.FullRange ? 0 : 16);
        PlaneSampler cbPlane = new(picture.Cb, picture.ChromaStride, picture.ChromaStep, (picture.Width + 1) / 2, (picture.Height + 1) / 2, 128);
        PlaneSampler crPlane = new(picture.Cr, picture.ChromaStride, picture.ChromaStep, (picture.Width + 1) / 2, (picture.Height + 1) / 2, 128);
        int plane = size * size;
        // Chroma is half as fine as luma, so half as many samples make its average.
        int chromaSamples = (samples + 1) / 2;
        float share = 1f / (samples * samples * PlaneSampler.ValueOne);
        float chromaShare = 1f / (chromaSamples * chromaSamples * PlaneSampler.ValueOne);
        float lumaBlack = picture.FullRange ? 0 : 16;
        float lumaGain = picture.FullRange ? 1 : 255f / 219;
        long a = Fixed(back.A), b = Fixed(back.B), originX = Fixed(back.X), originY = Fixed(back.Y);
        for (int v = 0, at = 0; v < size; v++)
        {
            for (int u = 0; u < size; u++, at++)
            {
                long x = originX + a * u - b * v;
                long y = originY + b * u + a * v;
                float luma = lumaPlane.Sum(x, y, a, b, samples) * share;
                // A chroma sample lies in the middle of two by two luma samples.
                long chromaX = x / 2 - One / 4, chromaY = y / 2 - One / 4;
                float cb = cbPlane.Sum(chromaX, chromaY, a / 2, b / 2, chromaSamples) * chromaShare;
                float cr = crPlane.Sum(chromaX, chromaY, a / 2, b / 2, chromaSamples) * chromaShare;
                toRgb.Convert(luma, cb, cr, out tensor[at], out tensor[plane + at], out tensor[2 * plane + at]);
                _luma[at] = (byte)Math.Clamp((luma - lumaBlack) * lumaGain + 0.5f, 0, 255);
            }
        }
    }

    private static long Fixed(double value) => (long)Math.Round(value * One);

    /// <summary>Reads one plane between its samples.</summary>
    private readonly ref struct PlaneSampler(ReadOnlySpan<byte> plane, int stride, int step, int width, int height, int outside)
    {
        /// <summary>What <see cref="Sum"/> counts a value of 1 as, for each sample.</summary>
        public const int ValueOne = 1 << 12;

        private readonly ReadOnlySpan<byte> _plane = plane;

        /// <summary>Sums <paramref name="samples"/> × <paramref name="samples"/> values spread over the target pixel around (x, y), whose sides are (a, b) and (−b, a).</summary>
        public int Sum(long x, long y, long a, long b, int samples)
        {
            if (samples == 1)
                return At(x, y);
            long stepX = a / samples, stepY = b / samples;
            // From the pixel's middle to its first sample, along both sides.
            x -= (samples - 1) * (stepX - stepY) / 2;
            y -= (samples - 1) * (stepX + stepY) / 2;
            int sum = 0;
            for (int j = 0; j < samples; j++)
            {
                for (int i = 0; i < samples; i++)
                    sum += At(x + i * stepX - j * stepY, y + i * stepY + j * stepX);
            }
            return sum;
        }

        private int At(long fx, long fy)
        {
            int x = (int)(fx >> FractionBits), y = (int)(fy >> FractionBits);
            int right = (int)(fx >> (FractionBits - 6)) & 63, below = (int)(fy >> (FractionBits - 6)) & 63;
            int left = 64 - right, above = 64 - below;
            int a, b, c, d;
            if ((uint)x < (uint)(width - 1) && (uint)y < (uint)(height - 1))
            {
                int at = y * stride + x * step;
                a = _plane[at];
                b = _plane[at + step];
                c = _plane[at + stride];
                d = _plane[at + stride + step];
            }
            else
            {
                a = Sample(x, y);
                b = Sample(x + 1, y);
                c = Sample(x, y + 1);
                d = Sample(x + 1, y + 1);
            }
            return (a * left + b * right) * above + (c * left + d * right) * below;
        }

        private int Sample(int x, int y) => (uint)x < (uint)width && (uint)y < (uint)height ? _plane[y * stride + x * step] : outside;
    }
}
