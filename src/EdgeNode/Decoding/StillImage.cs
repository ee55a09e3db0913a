using EdgeNode.Native.FFmpeg;
using EdgeNode.Native.Memory;

namespace EdgeNode.Decoding;

/// <summary>
/// A JPEG or PNG photo, upright (EXIF orientation is applied), as 8-bit 4:2:0 in memory of its own: BT.601, full range, as JFIF has it.
/// Transparency is left out. Both are decoded by libavcodec.
/// </summary>
public sealed class StillImage
{
    /// <summary>The most pixels that a photo may have.</summary>
    public const long MostPixels = 50_000_000;

    private const int MostBytes = 64 << 20;

    private readonly byte[] _pixels;

    private StillImage(int width, int height)
    {
        Width = width;
        Height = height;
        _pixels = new byte[LumaLength + 2 * ChromaLength];
    }

    /// <summary>Width in pixels.</summary>
    public int Width { get; }

    /// <summary>Height in pixels.</summary>
    public int Height { get; }

    /// <summary>The picture, valid as long as the image is referred to.</summary>
    public Yuv420View View => new()
    {
        Width = Width,
        Height = Height,
        Y = Luma,
        Cb = Cb,
        Cr = Cr,
        LumaStride = Width,
        ChromaStride = ChromaWidth,
        ChromaStep = 1,
        FullRange = true,
        Matrix = ColorMatrix.Bt601,
    };

    private int ChromaWidth => (Width + 1) / 2;

    private int ChromaHeight => (Height + 1) / 2;

    private int LumaLength => Width * Height;

    private int ChromaLength => ChromaWidth * ChromaHeight;

    private Span<byte> Luma => _pixels.AsSpan(0, LumaLength);

    private Span<byte> Cb => _pixels.AsSpan(LumaLength, ChromaLength);

    private Span<byte> Cr => _pixels.AsSpan(LumaLength + ChromaLength, ChromaLength);

    /// <summary>Reads a photo file.</summary>
    /// <exception cref="DecodeException">It is missing, no JPEG or PNG, broken or too large: one sentence that names the file.</exception>
    public static StillImage Read(string path)
    {
        byte[] file;
        try
        {
            if (Directory.Exists(path))
                throw new DecodeException($"{path} is a folder: name a JPEG or PNG photo.");
            if (new FileInfo(path) is { Exists: true, Length: > MostBytes })
                throw new DecodeException($"{path} is too large: a photo has at most {MostBytes >> 20} MB.");
            file = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new DecodeException($"There is no file {path}.");
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new DecodeException($"The file {path} cannot be read: {e.Message}");
        }

        return Decode(file, path);
    }

    /// <summary>Decodes the bytes of a photo file.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="name">What to call it in errors.</param>
    /// <exception cref="DecodeException">It is no JPEG or PNG, broken or too large: one sentence with the name.</exception>
    public static StillImage Decode(ReadOnlySpan<byte> file, string name)
    {
        if (file.IsEmpty)
            throw new DecodeException($"{name} is empty.");
        if (file.Length > MostBytes)
            throw new DecodeException($"{name} is too large: a photo has at most {MostBytes >> 20} MB.");
        if (!StillImageHeader.TryRead(file, out StillImageHeader header))
            throw new DecodeException($"{name} is no JPEG or PNG photo.");
        if ((long)header.Width * header.Height > MostPixels)
            throw new DecodeException($"{name} is too large: {header.Width}×{header.Height}, a photo has at most {MostPixels / 1_000_000} million pixels.");

        PacketMemory memory = PacketMemory.Rent(file.Length);
        try
        {
            file.CopyTo(memory.Span);
            memory.ClearPadding(file.Length);
            using CodecContext codec = CodecContext.OpenDecoder(header.IsPng ? "png" : "mjpeg", default, MostPixels);
            using var packet = new Packet();
            using var frame = new Frame();
            packet.Refer(memory, file.Length, 0, 0);
            int result = codec.Send(packet);
            if (result >= 0)
                result = codec.Send(null);
            if (result >= 0)
                result = codec.Receive(frame);
            if (result < 0)
                throw new DecodeException($"{name} is broken: it cannot be decoded.");
            var image = new StillImage(frame.Width, frame.Height);
            image.Fill(frame, name);
            return header.Orientation == 1 ? image : image.Upright(header.Orientation);
        }
        catch (FFmpegException e)
        {
            throw new DecodeException(e.Message);
        }
        finally
        {
            memory.Release();
        }
    }

    private void Fill(Frame frame, string name)
    {
        switch (frame.Format)
        {
            case PixelFormat.Yuvj420P or PixelFormat.Yuv420P:
                FillPlanar(frame, 2, 2);
                break;
            case PixelFormat.Yuvj422P or PixelFormat.Yuv422P:
                FillPlanar(frame, 2, 1);
                break;
            case PixelFormat.Yuvj440P or PixelFormat.Yuv440P:
                FillPlanar(frame, 1, 2);
                break;
            case PixelFormat.Yuvj444P or PixelFormat.Yuv444P:
                FillPlanar(frame, 1, 1);
                break;
            case PixelFormat.Gray8:
                FillGray(frame, 1, 1);
                break;
            case PixelFormat.GrayAlpha8:
            case PixelFormat.Gray16BE:
                FillGray(frame, 2, 1);
                break;
            case PixelFormat.GrayAlpha16BE:
                FillGray(frame, 4, 1);
                break;
            case PixelFormat.MonoBlack:
                FillGray(frame, 1, 8);
                break;
            case PixelFormat.Palette8:
            case PixelFormat.Rgb24:
            case PixelFormat.Rgba:
            case PixelFormat.Rgb48BE:
            case PixelFormat.Rgba64BE:
            case PixelFormat.Gbrp:
                FillRgb(frame);
                break;
            default:
                throw new DecodeException($"{name} has pixels of a kind that is not read ({frame.FormatName}): save it as an ordinary JPEG.");
        }
    }

    // Chroma that is finer than 4:2:0 is averaged over what falls into one sample.
    private void FillPlanar(Frame frame, int horizontal, int vertical)
    {
        CopyRows(frame.Plane(0, Height, Width), frame.Stride(0), Luma, Width, Height);
        int sourceWidth = (Width + horizontal - 1) / horizontal;
        int sourceHeight = (Height + vertical - 1) / vertical;
        for (int plane = 1; plane <= 2; plane++)
        {
            ReadOnlySpan<byte> source = frame.Plane(plane, sourceHeight, sourceWidth);
            Span<byte> into = plane == 1 ? Cb : Cr;
            int stride = frame.Stride(plane);
            if (horizontal == 2 && vertical == 2)
            {
                CopyRows(source, stride, into, ChromaWidth, ChromaHeight);
                continue;
            }

            int stepX = 2 / horizontal;
            int stepY = 2 / vertical;
            for (int y = 0; y < ChromaHeight; y++)
            {
                ReadOnlySpan<byte> upper = source[(y * stepY * stride)..];
                ReadOnlySpan<byte> lower = source[(Math.Min(y * stepY + stepY - 1, sourceHeight - 1) * stride)..];
                for (int x = 0; x < ChromaWidth; x++)
                {
                    int left = x * stepX;
                    int right = Math.Min(left + stepX - 1, sourceWidth - 1);
                    into[y * ChromaWidth + x] = (byte)((upper[left] + upper[right] + lower[left] + lower[right] + 2) >> 2);
                }
            }
        }

        // PNG has none of these and JPEG is full range, but for a JPEG whose comment says otherwise (CS=ITU601).
        if (!frame.IsFullRange && frame.Format is PixelFormat.Yuv420P or PixelFormat.Yuv422P or PixelFormat.Yuv440P or PixelFormat.Yuv444P)
            WidenRange();
    }

    private void WidenRange()
    {
        foreach (ref byte luma in Luma)
            luma = (byte)Math.Clamp(((luma - 16) * 255 + 109) / 219, 0, 255);
        foreach (ref byte chroma in _pixels.AsSpan(LumaLength))
            chroma = (byte)Math.Clamp(128 + (chroma - 128) * 255 / 224, 0, 255);
    }

    /// <summary>Luma in the first byte of every <paramref name="bytesAPixel"/>, or 8 black and white pixels in a byte.</summary>
    private void FillGray(Frame frame, int bytesAPixel, int pixelsAByte)
    {
        int rowBytes = (Width + pixelsAByte - 1) / pixelsAByte * bytesAPixel;
        ReadOnlySpan<byte> source = frame.Plane(0, Height, rowBytes);
        Span<byte> luma = Luma;
        for (int y = 0; y < Height; y++)
        {
            ReadOnlySpan<byte> row = source.Slice(y * frame.Stride(0), rowBytes);
            for (int x = 0; x < Width; x++)
                luma[y * Width + x] = pixelsAByte == 1 ? row[x * bytesAPixel] : (byte)(((row[x / 8] >> (7 - x % 8)) & 1) * 255);
        }

        _pixels.AsSpan(LumaLength).Fill(128);
    }

    private void FillRgb(Frame frame)
    {
        byte[] rows = new byte[2 * Width * 3];
        Span<byte> upper = rows.AsSpan(0, Width * 3);
        Span<byte> lower = rows.AsSpan(Width * 3);
        Span<byte> luma = Luma;
        Span<byte> cb = Cb;
        Span<byte> cr = Cr;
        for (int y = 0; y < Height; y += 2)
        {
            ReadRgbRow(frame, y, upper);
            ReadRgbRow(frame, Math.Min(y + 1, Height - 1), lower);
            WriteLuma(upper, luma.Slice(y * Width, Width));
            if (y + 1 < Height)
                WriteLuma(lower, luma.Slice((y + 1) * Width, Width));
            for (int x = 0; x < Width; x += 2)
            {
                int left = x * 3;
                int right = Math.Min(x + 1, Width - 1) * 3;
                int r = upper[left] + upper[right] + lower[left] + lower[right];
                int g = upper[left + 1] + upper[right + 1] + lower[left + 1] + lower[right + 1];
                int b = upper[left + 2] + upper[right + 2] + lower[left + 2] + lower[right + 2];
                int at = y / 2 * ChromaWidth + x / 2;

                // JFIF 1.02 §7, in 16.16 fixed point, over the sum of four pixels.
                cb[at] = Fit((-11059 * r - 21709 * g + 32768 * b + (128 << 18) + (1 << 17)) >> 18);
                cr[at] = Fit((32768 * r - 27439 * g - 5329 * b + (128 << 18) + (1 << 17)) >> 18);
            }
        }
    }

    private static void WriteLuma(ReadOnlySpan<byte> rgb, Span<byte> luma)
    {
        for (int x = 0; x < luma.Length; x++)
            luma[x] = (byte)((19595 * rgb[3 * x] + 38470 * rgb[3 * x + 1] + 7471 * rgb[3 * x + 2] + 32768) >> 16);
    }

    private void ReadRgbRow(Frame frame, int y, Span<byte> rgb)
    {
        if (frame.Format == PixelFormat.Gbrp)
        {
            for (int component = 0; component < 3; component++)
            {
                // Planes are G, B, R.
                int plane = (component + 2) % 3;
                ReadOnlySpan<byte> row = frame.Plane(plane, Height, Width).Slice(y * frame.Stride(plane), Width);
                for (int x = 0; x < Width; x++)
                    rgb[3 * x + component] = row[x];
            }

            return;
        }

        (int bytesAPixel, int bytesAComponent) = frame.Format switch
        {
            PixelFormat.Palette8 => (1, 1),
            PixelFormat.Rgb24 => (3, 1),
            PixelFormat.Rgba => (4, 1),
            PixelFormat.Rgb48BE => (6, 2),
            _ => (8, 2),
        };
        ReadOnlySpan<byte> source = frame.Plane(0, Height, Width * bytesAPixel).Slice(y * frame.Stride(0), Width * bytesAPixel);
        ReadOnlySpan<uint> palette = frame.Format == PixelFormat.Palette8 ? frame.Palette : default;
        for (int x = 0; x < Width; x++)
        {
            if (!palette.IsEmpty)
            {
                uint color = palette[source[x]];
                rgb[3 * x] = (byte)(color >> 16);
                rgb[3 * x + 1] = (byte)(color >> 8);
                rgb[3 * x + 2] = (byte)color;
                continue;
            }

            for (int component = 0; component < 3; component++)
                rgb[3 * x + component] = source[x * bytesAPixel + component * bytesAComponent];
        }
    }

    private StillImage Upright(int orientation)
    {
        // 5 to 8 lie on their side.
        var upright = orientation >= 5 ? new StillImage(Height, Width) : new StillImage(Width, Height);
        Turn(Luma, Width, Height, upright.Luma, upright.Width, upright.Height, orientation);
        Turn(Cb, ChromaWidth, ChromaHeight, upright.Cb, upright.ChromaWidth, upright.ChromaHeight, orientation);
        Turn(Cr, ChromaWidth, ChromaHeight, upright.Cr, upright.ChromaWidth, upright.ChromaHeight, orientation);
        return upright;
    }

    // EXIF 2.32 §4.6.4, tag 274: where row 0 and column 0 of the stored picture lie in the upright one.
    private static void Turn(ReadOnlySpan<byte> source, int sourceWidth, int sourceHeight, Span<byte> into, int width, int height, int orientation)
    {
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                (int column, int row) = orientation switch
                {
                    2 => (sourceWidth - 1 - x, y),
                    3 => (sourceWidth - 1 - x, sourceHeight - 1 - y),
                    4 => (x, sourceHeight - 1 - y),
                    5 => (y, x),
                    6 => (y, sourceHeight - 1 - x),
                    7 => (sourceWidth - 1 - y, sourceHeight - 1 - x),
                    _ => (sourceWidth - 1 - y, x),
                };
                into[y * width + x] = source[row * sourceWidth + column];
            }
        }
    }

    private static void CopyRows(ReadOnlySpan<byte> source, int stride, Span<byte> into, int width, int height)
    {
        for (int y = 0; y < height; y++)
            source.Slice(y * stride, width).CopyTo(into[(y * width)..]);
    }

    private static byte Fit(int value) => (byte)Math.Clamp(value, 0, 255);
}
