using EdgeNode.Native.FFmpeg;

namespace EdgeNode.Decoding;

/// <summary>
/// A decoded picture as a JPEG file that any browser shows right: full range, BT.601 (JFIF), halved, thirded … where it is larger
/// than wanted.
/// </summary>
public static class JpegPicture
{
    // Steps of libavcodec's quantizer: from "nobody sees it" to "better than no picture".
    private static readonly int[] Quantizers = [4, 8, 16, 31];

    /// <summary>Encodes a picture, its longer side at most <paramref name="sideAtMost"/> pixels, in <paramref name="bytesAtMost"/> bytes where that is possible.</summary>
    /// <exception cref="DecodeException">FFmpeg cannot encode it.</exception>
    public static byte[] Encode(in Yuv420View picture, int sideAtMost, int bytesAtMost)
    {
        int step = (Math.Max(picture.Width, picture.Height) + sideAtMost - 1) / sideAtMost;
        int width = Math.Max(1, picture.Width / step);
        int height = Math.Max(1, picture.Height / step);
        byte[] pixels = Convert(picture, step, width, height);
        try
        {
            byte[] jpeg = [];
            foreach (int quantizer in Quantizers)
            {
                jpeg = JpegEncoder.Encode(pixels, width, height, quantizer);
                if (jpeg.Length <= bytesAtMost)
                    break;
            }

            return jpeg;
        }
        catch (FFmpegException fault)
        {
            throw new DecodeException(fault.Message);
        }
    }

    // Between the two matrices (ITU-R BT.709 §3, BT.601 §3.5) both luma and chroma change: a linear map of Y, Cb, Cr.
    private static byte[] Convert(in Yuv420View picture, int step, int width, int height)
    {
        int chromaWidth = (width + 1) / 2;
        int chromaHeight = (height + 1) / 2;
        int sourceChromaWidth = (picture.Width + 1) / 2;
        int sourceChromaHeight = (picture.Height + 1) / 2;
        byte[] pixels = new byte[(width * height) + (2 * chromaWidth * chromaHeight)];
        Span<byte> cbOut = pixels.AsSpan(width * height, chromaWidth * chromaHeight);
        Span<byte> crOut = pixels.AsSpan((width * height) + (chromaWidth * chromaHeight));
        bool is709 = picture.Matrix == ColorMatrix.Bt709;
        float lumaScale = picture.FullRange ? 1 : 255f / 219;
        float lumaOffset = picture.FullRange ? 0 : -16;
        float chromaScale = picture.FullRange ? 1 : 255f / 224;
        for (int cy = 0; cy < chromaHeight; cy++)
        {
            for (int cx = 0; cx < chromaWidth; cx++)
            {
                float cb = chromaScale * (Mean(picture.Cb, picture.ChromaStride, picture.ChromaStep, cx * step, cy * step, step, sourceChromaWidth, sourceChromaHeight) - 128);
                float cr = chromaScale * (Mean(picture.Cr, picture.ChromaStride, picture.ChromaStep, cx * step, cy * step, step, sourceChromaWidth, sourceChromaHeight) - 128);
                float toLuma = 0;
                if (is709)
                {
                    toLuma = (0.101579f * cb) + (0.196076f * cr);
                    (cb, cr) = ((0.989854f * cb) - (0.110653f * cr), (0.983398f * cr) - (0.072453f * cb));
                }

                cbOut[(cy * chromaWidth) + cx] = ToByte(cb + 128);
                crOut[(cy * chromaWidth) + cx] = ToByte(cr + 128);
                for (int y = 2 * cy; y < Math.Min(2 * cy + 2, height); y++)
                {
                    for (int x = 2 * cx; x < Math.Min(2 * cx + 2, width); x++)
                        pixels[(y * width) + x] = ToByte((lumaScale * (Mean(picture.Y, picture.LumaStride, 1, x * step, y * step, step, picture.Width, picture.Height) + lumaOffset)) + toLuma);
                }
            }
        }

        return pixels;
    }

    private static float Mean(ReadOnlySpan<byte> plane, int stride, int sampleStep, int x, int y, int side, int width, int height)
    {
        if (side == 1)
            return plane[(y * stride) + (x * sampleStep)];
        int sum = 0;
        for (int dy = 0; dy < side; dy++)
        {
            int row = Math.Min(y + dy, height - 1) * stride;
            for (int dx = 0; dx < side; dx++)
                sum += plane[row + (Math.Min(x + dx, width - 1) * sampleStep)];
        }

        return (float)sum / (side * side);
    }

    private static byte ToByte(float value) => (byte)Math.Clamp(value + 0.5f, 0, 255);
}
