namespace EdgeNode.Native.FFmpeg;

/// <summary>Makes JPEG files (JFIF, baseline) by libavcodec's mjpeg encoder. Thread-safe: each call has an encoder of its own.</summary>
public static unsafe class JpegEncoder
{
    private const int SearchChildren = 1;
    private const string PixelFormatName = "yuvj420p";

    /// <summary>Encodes one picture.</summary>
    /// <param name="pixels">Luma, Cb, Cr, one after another without gaps: 8 bits, 4:2:0 (chroma sides rounded up), full range, BT.601.</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="quantizer">2 (best) to 31 (smallest).</param>
    /// <exception cref="FFmpegException">FFmpeg is missing, was built without the encoder, or refuses the picture.</exception>
    public static byte[] Encode(ReadOnlySpan<byte> pixels, int width, int height, int quantizer)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfNotEqual(pixels.Length, checked((width * height) + (2 * ((width + 1) / 2) * ((height + 1) / 2))));
        FFmpegLayout layout = FFmpegLibrary.Layout;
        byte* codec = LibAv.avcodec_find_encoder_by_name("mjpeg");
        int format = LibAv.av_get_pix_fmt(PixelFormatName);
        if (codec == null || format < 0)
            throw new FFmpegException("This FFmpeg was built without the encoder mjpeg.");
        using var frame = new Frame();
        using var packet = new Packet();
        byte* context = LibAv.avcodec_alloc_context3(codec);
        if (context == null)
            throw new OutOfMemoryException();
        try
        {
            Open(layout, codec, context, width, height, format, quantizer);
            Fill(layout, frame, pixels, width, height, format);
            Require(LibAv.avcodec_send_frame(context, frame.Pointer));
            Require(LibAv.avcodec_receive_packet(context, packet.Pointer));
            return packet.Data.ToArray();
        }
        finally
        {
            LibAv.avcodec_free_context(&context);
        }
    }

    private static void Open(FFmpegLayout layout, byte* codec, byte* context, int width, int height, int format, int quantizer)
    {
        byte* parameters = LibAv.avcodec_parameters_alloc();
        if (parameters == null)
            throw new OutOfMemoryException();
        try
        {
            *(int*)(parameters + layout.ParametersType) = *(int*)(codec + layout.CodecType);
            *(int*)(parameters + layout.ParametersCodec) = *(int*)(codec + layout.CodecId);
            *(int*)(parameters + layout.ParametersFormat) = format;
            *(int*)(parameters + layout.ParametersWidth) = width;
            *(int*)(parameters + layout.ParametersHeight) = height;
            Require(LibAv.avcodec_parameters_to_context(context, parameters));
        }
        finally
        {
            LibAv.avcodec_parameters_free(&parameters);
        }

        // Any will do for one picture, but there must be one.
        *(int*)(context + layout.ContextTimeBase) = 1;
        *(int*)(context + layout.ContextTimeBase + sizeof(int)) = 25;
        SetOption(context, "threads\0"u8, 1);
        SetOption(context, "qmin\0"u8, quantizer);
        SetOption(context, "qmax\0"u8, quantizer);
        Require(LibAv.avcodec_open2(context, codec, null));
    }

    private static void Fill(FFmpegLayout layout, Frame frame, ReadOnlySpan<byte> pixels, int width, int height, int format)
    {
        *(int*)(frame.Pointer + layout.FrameWidth) = width;
        *(int*)(frame.Pointer + layout.FrameHeight) = height;
        *(int*)(frame.Pointer + layout.FrameFormat) = format;
        *(long*)(frame.Pointer + layout.FramePts) = 0;
        Require(LibAv.av_frame_get_buffer(frame.Pointer, 0));
        int at = 0;
        for (int plane = 0; plane < 3; plane++)
        {
            int columns = plane == 0 ? width : (width + 1) / 2;
            int rows = plane == 0 ? height : (height + 1) / 2;
            byte* into = *(byte**)(frame.Pointer + layout.FrameData + (plane * sizeof(byte*)));
            for (int row = 0; row < rows; row++, at += columns)
                pixels.Slice(at, columns).CopyTo(new Span<byte>(into + ((nint)row * frame.Stride(plane)), columns));
        }
    }

    private static void SetOption(byte* context, ReadOnlySpan<byte> name, long value)
    {
        fixed (byte* at = name)
            Require(LibAv.av_opt_set_int(context, at, value, SearchChildren));
    }

    private static void Require(int result)
    {
        if (result < 0)
            throw FFmpegError.Exception("The picture could not be encoded as JPEG", result);
    }
}
