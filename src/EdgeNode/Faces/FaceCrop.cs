using EdgeNode.Decoding;

namespace EdgeNode.Faces;

/// <summary>A face cut from its picture, with enough around it that people recognise it and another detector finds it, as a JPEG file.</summary>
public static class FaceCrop
{
    /// <summary>Bytes of a crop at most.</summary>
    public const int BytesAtMost = 64 << 10;

    private const int SideAtMost = 480;

    // Of the face's longer side, on each side of it.
    private const float Margin = 0.5f;

    /// <summary>Encodes the face at <paramref name="box"/> (fractions of the picture).</summary>
    /// <exception cref="DecodeException">FFmpeg cannot encode it, or not in <see cref="BytesAtMost"/>.</exception>
    public static byte[] Encode(in Yuv420View picture, in BoundingBox box)
    {
        float width = box.Width * picture.Width, height = box.Height * picture.Height;
        float half = MathF.Max(width, height) * (0.5f + Margin);
        (int left, int right) = Range((box.X + box.Width / 2) * picture.Width, half, picture.Width);
        (int top, int bottom) = Range((box.Y + box.Height / 2) * picture.Height, half, picture.Height);
        int chroma = top / 2 * picture.ChromaStride + left / 2 * picture.ChromaStep;
        byte[] jpeg = JpegPicture.Encode(
            new Yuv420View
            {
                Width = right - left,
                Height = bottom - top,
                Y = picture.Y[(top * picture.LumaStride + left)..],
                Cb = picture.Cb[chroma..],
                Cr = picture.Cr[chroma..],
                LumaStride = picture.LumaStride,
                ChromaStride = picture.ChromaStride,
                ChromaStep = picture.ChromaStep,
                FullRange = picture.FullRange,
                Matrix = picture.Matrix,
            },
            SideAtMost,
            BytesAtMost);
        return jpeg.Length <= BytesAtMost ? jpeg : throw new DecodeException("The face's picture does not fit its bound.");
    }

    // Begins at an even sample, where chroma does; at least two samples within the picture.
    private static (int From, int To) Range(float middle, float half, int length)
    {
        int from = (int)Math.Clamp(middle - half, 0, Math.Max(0, length - 2)) & ~1;
        return (from, (int)Math.Clamp(MathF.Round(middle + half), Math.Min(from + 2, length), length));
    }
}
