using System.Runtime.Intrinsics;
using EdgeNode.Decoding;

namespace EdgeNode.Faces;

/// <summary>
/// Fills a detector's input (3 planes R, G, B of floats, (x − mean) / scale) straight from a decoded picture in one pass: each
/// target row is resampled from the luma, every second one from the chroma too, which is as fine as 4:2:0 has it. Integer
/// and unfused float arithmetic, so that x64 and arm64 agree. Allocates only when the picture's size changes.
/// </summary>
internal sealed class PictureScaler(int width, int height, float mean, float scale)
{
    private readonly ResampleAxis _lumaX = new();
    private readonly ResampleAxis _lumaY = new();
    private readonly ResampleAxis _chromaX = new();
    private readonly ResampleAxis _chromaY = new();
    private readonly byte[] _y = new byte[width];
    private readonly byte[] _cb = new byte[width];
    private readonly byte[] _cr = new byte[width];
    private byte[] _row = [];

    /// <summary>
    /// Scales <paramref name="region"/> of the picture to the tensor's size; what of the region lies outside the picture becomes mid-grey.
    /// </summary>
    public void Fill(in Yuv420View picture, in BoundingBox region, Span<float> tensor)
    {
        int plane = width * height;
        double ratioX = (double)region.Width * picture.Width / width;
        double ratioY = (double)region.Height * picture.Height / height;
        double startX = (double)region.X * picture.Width;
        double startY = (double)region.Y * picture.Height;
        (int left, int right) = Covered(startX, ratioX, picture.Width, width);
        (int top, int bottom) = Covered(startY, ratioY, picture.Height, height);
        if (left > 0 || top > 0 || right < width || bottom < height)
            tensor.Clear();

        int chromaWidth = (picture.Width + 1) / 2;
        int chromaHeight = (picture.Height + 1) / 2;
        int columns = right - left;
        int rows = bottom - top;
        startX += left * ratioX;
        startY += top * ratioY;
        _lumaX.Configure(picture.Width, startX, ratioX, columns);
        _lumaY.Configure(picture.Height, startY, ratioY, rows);
        _chromaX.Configure(chromaWidth, startX / 2, ratioX, (columns + 1) / 2);
        _chromaY.Configure(chromaHeight, startY / 2, ratioY, (rows + 1) / 2);
        int widest = Math.Max(picture.Width, chromaWidth * picture.ChromaStep);
        if (_row.Length < widest)
            _row = new byte[widest];

        YuvToRgb toRgb = new(picture.FullRange, picture.Matrix, mean, scale);
        Span<byte> luma = _y.AsSpan(0, columns);
        Span<byte> cb = _cb.AsSpan(0, columns);
        Span<byte> cr = _cr.AsSpan(0, columns);
        int chromaBytes = (chromaWidth - 1) * picture.ChromaStep + 1;
        for (int row = 0; row < rows; row++)
        {
            if (row % 2 == 0)
            {
                _chromaX.Apply(BlendRows(picture.Cb, picture.ChromaStride, chromaBytes, _chromaY, row / 2), picture.ChromaStep, cb, 2);
                _chromaX.Apply(BlendRows(picture.Cr, picture.ChromaStride, chromaBytes, _chromaY, row / 2), picture.ChromaStep, cr, 2);
            }
            _lumaX.Apply(BlendRows(picture.Y, picture.LumaStride, picture.Width, _lumaY, row), 1, luma, 1);
            int at = (top + row) * width + left;
            toRgb.Convert(luma, cb, cr, tensor.Slice(at, columns), tensor.Slice(plane + at, columns), tensor.Slice(2 * plane + at, columns));
        }
    }

    private static (int From, int To) Covered(double start, double ratio, int sourceLength, int count)
    {
        int from = Math.Clamp((int)Math.Round(-start / ratio), 0, count - 1);
        int to = Math.Clamp((int)Math.Round((sourceLength - start) / ratio), from + 1, count);
        return (from, to);
    }

    /// <summary>The weighted sum of the source rows that make target row <paramref name="index"/>.</summary>
    private ReadOnlySpan<byte> BlendRows(ReadOnlySpan<byte> plane, int stride, int length, ResampleAxis axis, int index)
    {
        ReadOnlySpan<ushort> weights = axis.Weights.Slice(index * axis.Taps, axis.Taps);
        plane = plane[(axis.First[index] * stride)..];
        for (int k = 0; k < weights.Length; k++)
        {
            if (weights[k] == ResampleAxis.One)
                return plane.Slice(k * stride, length);
        }

        Span<byte> target = _row.AsSpan(0, length);
        Vector128<ushort> half = Vector128.Create((ushort)(ResampleAxis.One / 2));
        int x = 0;
        // 255 × 256 + 128 fits 16 bits: the sum never overflows, since weights sum to 256.
        for (; x <= length - Vector128<byte>.Count; x += Vector128<byte>.Count)
        {
            Vector128<ushort> low = half;
            Vector128<ushort> high = half;
            for (int k = 0; k < weights.Length; k++)
            {
                (Vector128<ushort> sourceLow, Vector128<ushort> sourceHigh) = Vector128.Widen(Vector128.Create(plane[(k * stride + x)..]));
                Vector128<ushort> weight = Vector128.Create(weights[k]);
                low += sourceLow * weight;
                high += sourceHigh * weight;
            }
            Vector128.Narrow(low >>> 8, high >>> 8).CopyTo(target[x..]);
        }
        for (; x < length; x++)
        {
            int sum = ResampleAxis.One / 2;
            for (int k = 0; k < weights.Length; k++)
                sum += plane[k * stride + x] * weights[k];
            target[x] = (byte)(sum >> 8);
        }
        return target;
    }
}
