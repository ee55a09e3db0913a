namespace EdgeNode.Native.FFmpeg;

/// <summary>Pixel formats that the node reads. FFmpeg's numbers for them are its own affair: they are told by name.</summary>
public enum PixelFormat
{
    /// <summary>Any other.</summary>
    Other,

    /// <summary>Planar YCbCr 4:2:0, 8 bits.</summary>
    Yuv420P,

    /// <summary>The same with luma 0–255 (yuvj420p).</summary>
    Yuvj420P,

    /// <summary>Planar luma, CbCr interleaved, 4:2:0, 8 bits.</summary>
    Nv12,

    /// <summary>Planar YCbCr 4:2:2, 8 bits.</summary>
    Yuv422P,

    /// <summary>The same with luma 0–255 (yuvj422p).</summary>
    Yuvj422P,

    /// <summary>Planar YCbCr 4:2:0, 10 bits in 16, little-endian.</summary>
    Yuv420P10LE,

    /// <summary>Planar YCbCr 4:2:2, 10 bits in 16, little-endian.</summary>
    Yuv422P10LE,

    /// <summary>Planar YCbCr 4:4:0 (chroma halved downwards only), 8 bits.</summary>
    Yuv440P,

    /// <summary>The same with luma 0–255 (yuvj440p).</summary>
    Yuvj440P,

    /// <summary>Planar YCbCr 4:4:4, 8 bits.</summary>
    Yuv444P,

    /// <summary>The same with luma 0–255 (yuvj444p).</summary>
    Yuvj444P,

    /// <summary>Luma only, 8 bits.</summary>
    Gray8,

    /// <summary>Luma only, 16 bits, big-endian.</summary>
    Gray16BE,

    /// <summary>Luma and alpha, 8 bits each.</summary>
    GrayAlpha8,

    /// <summary>Luma and alpha, 16 bits each, big-endian.</summary>
    GrayAlpha16BE,

    /// <summary>One bit a pixel, 0 is black, most significant bit first.</summary>
    MonoBlack,

    /// <summary>An index into 256 colours.</summary>
    Palette8,

    /// <summary>R, G, B, 8 bits each.</summary>
    Rgb24,

    /// <summary>R, G, B, A, 8 bits each.</summary>
    Rgba,

    /// <summary>R, G, B, 16 bits each, big-endian.</summary>
    Rgb48BE,

    /// <summary>R, G, B, A, 16 bits each, big-endian.</summary>
    Rgba64BE,

    /// <summary>Planes G, B, R, 8 bits each.</summary>
    Gbrp,
}

/// <summary>FFmpeg's names of the pixel formats (av_get_pix_fmt_name).</summary>
internal static class PixelFormats
{
    internal static PixelFormat Parse(string name) => name switch
    {
        "yuv420p" => PixelFormat.Yuv420P,
        "yuvj420p" => PixelFormat.Yuvj420P,
        "nv12" => PixelFormat.Nv12,
        "yuv422p" => PixelFormat.Yuv422P,
        "yuvj422p" => PixelFormat.Yuvj422P,
        "yuv420p10le" => PixelFormat.Yuv420P10LE,
        "yuv422p10le" => PixelFormat.Yuv422P10LE,
        "yuv440p" => PixelFormat.Yuv440P,
        "yuvj440p" => PixelFormat.Yuvj440P,
        "yuv444p" => PixelFormat.Yuv444P,
        "yuvj444p" => PixelFormat.Yuvj444P,
        "gray" => PixelFormat.Gray8,
        "gray16be" => PixelFormat.Gray16BE,
        "ya8" => PixelFormat.GrayAlpha8,
        "ya16be" => PixelFormat.GrayAlpha16BE,
        "monob" => PixelFormat.MonoBlack,
        "pal8" => PixelFormat.Palette8,
        "rgb24" => PixelFormat.Rgb24,
        "rgba" => PixelFormat.Rgba,
        "rgb48be" => PixelFormat.Rgb48BE,
        "rgba64be" => PixelFormat.Rgba64BE,
        "gbrp" => PixelFormat.Gbrp,
        _ => PixelFormat.Other,
    };
}
