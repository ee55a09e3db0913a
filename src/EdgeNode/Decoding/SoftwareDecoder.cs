using EdgeNode.Ingest;
using EdgeNode.Native.FFmpeg;

namespace EdgeNode.Decoding;

/// <summary>
/// Decodes on the processor by libavcodec, one thread, no more pictures held back than the stream itself asks for. The coded
/// bytes are not copied, and the pixels are shown where libavcodec keeps them. 8-bit 4:2:0, 4:2:2 (every second chroma row is
/// left out) and monochrome streams are taken; of 10-bit ones the upper 8 bits are copied. After a picture with errors all are damaged up to the next keyframe, as they build on it.
/// </summary>
public sealed class SoftwareDecoder : IVideoDecoder
{
    private const int LargestPixels = 8192 * 8192;

    private readonly CodecContext _codec;
    private readonly Packet _packet;
    private readonly Frame _frame;
    private readonly NarrowedPlanes _narrowed = new();
    private byte[] _neutral = [];
    private bool _skipNonReference;
    private bool _isTainted;
    private long _lastKeyPts = long.MaxValue;

    /// <summary>Opens a decoder for <paramref name="format"/>.</summary>
    /// <exception cref="DecodeException">FFmpeg is missing, or its decoder refuses the parameters.</exception>
    public SoftwareDecoder(VideoFormat format)
    {
        try
        {
            // Each of them is the first to notice that FFmpeg is not there.
            _packet = new Packet();
            _frame = new Frame();
            _codec = CodecContext.OpenDecoder(format.Codec == VideoCodec.H265 ? "hevc" : "h264", format.DecoderConfiguration, LargestPixels);
        }
        catch (FFmpegException e)
        {
            _packet?.Dispose();
            _frame?.Dispose();
            throw new DecodeException(e.Message);
        }
    }

    /// <inheritdoc/>
    public string Name => "software";

    /// <inheritdoc/>
    public bool SkipNonReference
    {
        get => _skipNonReference;
        set
        {
            if (value != _skipNonReference)
                _codec.SetSkipNonReference(value);
            _skipNonReference = value;
        }
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">Pictures were left unread, or <see cref="Drain"/> was called without <see cref="Flush"/>.</exception>
    public void Send(AccessUnit unit)
    {
        if (unit.IsKey)
            _lastKeyPts = unit.Pts;
        _packet.Refer(unit.Memory, unit.Length, unit.Pts, unit.Dts);
        int result = _codec.Send(_packet);
        _packet.Clear();
        if (result == FFmpegError.Again || result == FFmpegError.EndOfFile)
            throw new InvalidOperationException("The decoder's pictures were not read, or it was drained and not flushed.");
        if (result < 0)
        {
            _isTainted = true;
            throw Failed(result);
        }
    }

    /// <inheritdoc/>
    public void Drain() => _codec.Send(null);

    /// <inheritdoc/>
    public void Flush()
    {
        _frame.Clear();
        _codec.Flush();
        _isTainted = false;
        _lastKeyPts = long.MaxValue;
    }

    /// <inheritdoc/>
    /// <exception cref="DecodeException">A picture was held back and cannot be decoded, or its pixels lie in a way that the node does not read.</exception>
    public bool TryReceive(out DecodedPicture picture)
    {
        int result = _codec.Receive(_frame);
        if (result < 0)
        {
            picture = default;
            return result == FFmpegError.Again || result == FFmpegError.EndOfFile ? false : throw Failed(result);
        }

        long pts = _frame.Pts;
        if (_frame.IsDamaged)
            _isTainted = true;
        else if (pts == _lastKeyPts)
            _isTainted = false;
        picture = new DecodedPicture { Pixels = View(), Pts = pts, IsDamaged = _isTainted };
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _packet.Dispose();
        _frame.Dispose();
        _codec.Dispose();
    }

    private static DecodeException Failed(int result) => new($"The picture cannot be decoded: {FFmpegError.Describe(result)}.");

    private Yuv420View View()
    {
        const int Bt709 = 1;
        const int NotSaid = 2;
        const int HighDefinitionHeight = 720;

        int width = _frame.Width;
        int height = _frame.Height;
        int chromaWidth = (width + 1) / 2;
        int chromaHeight = (height + 1) / 2;
        PixelFormat format = _frame.Format;
        ReadOnlySpan<byte> cb;
        ReadOnlySpan<byte> cr;
        int chromaStride = _frame.Stride(1);
        int chromaStep = 1;
        ReadOnlySpan<byte> luma;
        int lumaStride = _frame.Stride(0);
        if (format is PixelFormat.Yuv420P10LE or PixelFormat.Yuv422P10LE)
        {
            int rowStep = format == PixelFormat.Yuv422P10LE ? 2 : 1;
            _narrowed.Fill(_frame, width, height, rowStep);
            luma = _narrowed.Luma;
            lumaStride = width;
        }
        else
        {
            luma = format == PixelFormat.Other ? default : _frame.Plane(0, height, width);
        }

        switch (format)
        {
            case PixelFormat.Yuv420P10LE or PixelFormat.Yuv422P10LE:
                cb = _narrowed.Cb;
                cr = _narrowed.Cr;
                chromaStride = chromaWidth;
                break;
            case PixelFormat.Yuv420P or PixelFormat.Yuvj420P:
                cb = _frame.Plane(1, chromaHeight, chromaWidth);
                cr = _frame.Plane(2, chromaHeight, chromaWidth);
                break;
            case PixelFormat.Nv12:
                cb = _frame.Plane(1, chromaHeight, 2 * chromaWidth);
                cr = cb[1..];
                chromaStep = 2;
                break;
            case PixelFormat.Yuv422P or PixelFormat.Yuvj422P:
                chromaStride *= 2;
                cb = _frame.Plane(1, 2 * chromaHeight - 1, chromaWidth);
                cr = _frame.Plane(2, 2 * chromaHeight - 1, chromaWidth);
                break;
            case PixelFormat.Gray8:
                chromaStride = 0;
                cb = cr = Neutral(chromaWidth);
                break;
            default:
                throw new DecodeException($"The stream's pixels are {_frame.FormatName}: set the camera to 4:2:0 with 8 or 10 bits.");
        }

        int matrix = _frame.MatrixCoefficients;
        return new Yuv420View
        {
            Width = width,
            Height = height,
            Y = luma,
            Cb = cb,
            Cr = cr,
            LumaStride = lumaStride,
            ChromaStride = chromaStride,
            ChromaStep = chromaStep,
            FullRange = _frame.IsFullRange || format is PixelFormat.Yuvj420P or PixelFormat.Yuvj422P,
            Matrix = matrix == Bt709 || (matrix == NotSaid && height >= HighDefinitionHeight) ? ColorMatrix.Bt709 : ColorMatrix.Bt601,
        };
    }

    // One row of grey chroma that serves for all rows of a monochrome picture, by a stride of 0.
    private ReadOnlySpan<byte> Neutral(int width)
    {
        if (_neutral.Length < width)
        {
            _neutral = new byte[width];
            _neutral.AsSpan().Fill(128);
        }

        return _neutral.AsSpan(0, width);
    }
}
