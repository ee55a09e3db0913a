using System.Runtime.InteropServices;

namespace EdgeNode.Native.FFmpeg;

/// <summary>An AVFrame: one decoded picture, in memory that the codec owns. Reused; one thread at a time.</summary>
public sealed unsafe class Frame : SafeHandle
{
    private const int FlagCorrupt = 1;
    private const int RangeFull = 2;

    private readonly FFmpegLayout _layout;
    private int _knownNumber = -1;
    private PixelFormat _knownFormat;

    /// <summary>An empty frame.</summary>
    /// <exception cref="FFmpegException">FFmpeg is missing.</exception>
    public Frame()
        : base(0, ownsHandle: true)
    {
        _layout = FFmpegLibrary.Layout;
        SetHandle((nint)LibAv.av_frame_alloc());
        if (IsInvalid)
            throw new OutOfMemoryException();
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>Width in pixels.</summary>
    public int Width => *(int*)(Pointer + _layout.FrameWidth);

    /// <summary>Height in pixels.</summary>
    public int Height => *(int*)(Pointer + _layout.FrameHeight);

    /// <summary>How the pixels lie.</summary>
    public PixelFormat Format
    {
        get
        {
            int number = *(int*)(Pointer + _layout.FrameFormat);
            if (number != _knownNumber)
            {
                _knownFormat = PixelFormats.Parse(FormatName);
                _knownNumber = number;
            }

            return _knownFormat;
        }
    }

    /// <summary>FFmpeg's name of the pixel format, such as <c>yuv420p10le</c>.</summary>
    public string FormatName => Marshal.PtrToStringUTF8((nint)LibAv.av_get_pix_fmt_name(*(int*)(Pointer + _layout.FrameFormat))) ?? "unknown";

    /// <summary>Presentation time as the packet carried it, else the decoder's best guess, or <see cref="Packet.NoTimestamp"/>.</summary>
    public long Pts
    {
        get
        {
            long pts = *(long*)(Pointer + _layout.FramePts);
            return pts != Packet.NoTimestamp ? pts : *(long*)(Pointer + _layout.FrameBestTimestamp);
        }
    }

    /// <summary>The decoder met errors in this picture and concealed them.</summary>
    public bool IsDamaged => (*(int*)(Pointer + _layout.FrameFlags) & FlagCorrupt) != 0 || *(int*)(Pointer + _layout.FrameErrors) != 0;

    /// <summary>Luma is 0–255 by the stream's own word (AVCOL_RANGE_JPEG).</summary>
    public bool IsFullRange => *(int*)(Pointer + _layout.FrameColorRange) == RangeFull;

    /// <summary>Matrix coefficients as ITU-T H.273 §8.3 numbers them: 1 BT.709, 5 and 6 BT.601, 2 not said.</summary>
    public int MatrixCoefficients => *(int*)(Pointer + _layout.FrameColorSpace);

    internal byte* Pointer => (byte*)handle;

    /// <summary>Bytes from one row of a plane to the next.</summary>
    public int Stride(int plane) => *(int*)(Pointer + _layout.FrameLineSize + plane * sizeof(int));

    /// <summary>A plane of <paramref name="rows"/> rows of <paramref name="rowBytes"/> bytes, <see cref="Stride"/> apart. Valid until the frame is filled anew.</summary>
    /// <exception cref="InvalidOperationException">The frame has no such plane, or its rows are shorter or lie bottom up.</exception>
    public ReadOnlySpan<byte> Plane(int plane, int rows, int rowBytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)plane, 7u);
        byte* data = *(byte**)(Pointer + _layout.FrameData + plane * sizeof(byte*));
        int stride = Stride(plane);
        if (data == null || rows <= 0 || stride < rowBytes)
            throw new InvalidOperationException("The frame has no such plane.");
        return new ReadOnlySpan<byte>(data, checked(stride * (rows - 1) + rowBytes));
    }

    /// <summary>The 256 colours of a <see cref="PixelFormat.Palette8"/> picture, 4 bytes each, as native-endian ARGB.</summary>
    public ReadOnlySpan<uint> Palette
    {
        get
        {
            byte* data = *(byte**)(Pointer + _layout.FrameData + sizeof(byte*));
            return data == null ? throw new InvalidOperationException("The frame has no palette.") : new ReadOnlySpan<uint>(data, 256);
        }
    }

    /// <summary>Gives the picture's memory back to the codec.</summary>
    public void Clear() => LibAv.av_frame_unref(Pointer);

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        byte* frame = Pointer;
        LibAv.av_frame_free(&frame);
        return true;
    }
}
