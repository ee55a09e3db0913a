using System.Runtime.InteropServices;

namespace EdgeNode.Native.FFmpeg;

/// <summary>An open decoder of libavcodec. One thread at a time.</summary>
public sealed unsafe class CodecContext : SafeHandle
{
    private const int SearchChildren = 1;

    private CodecContext(byte* context)
        : base(0, ownsHandle: true) => SetHandle((nint)context);

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    private byte* Pointer => (byte*)handle;

    /// <summary>
    /// Opens the decoder <paramref name="name"/> (such as <c>h264</c>) with one thread, so that a picture comes out as soon as it is decoded.
    /// </summary>
    /// <param name="name">FFmpeg's name of the decoder.</param>
    /// <param name="extradata">What the decoder must know beforehand, such as an AVCDecoderConfigurationRecord; may be empty.</param>
    /// <param name="maxPixels">Larger pictures are refused, before memory is taken for them.</param>
    /// <exception cref="FFmpegException">FFmpeg is missing or has no such decoder, or it refuses the extradata.</exception>
    public static CodecContext OpenDecoder(string name, ReadOnlySpan<byte> extradata, long maxPixels)
    {
        FFmpegLayout layout = FFmpegLibrary.Layout;
        byte* codec = LibAv.avcodec_find_decoder_by_name(name);
        if (codec == null)
            throw new FFmpegException($"This FFmpeg was built without the decoder {name}.");
        byte* context = LibAv.avcodec_alloc_context3(codec);
        if (context == null)
            throw new OutOfMemoryException();
        var opened = new CodecContext(context);
        try
        {
            opened.SetParameters(layout, codec, extradata);
            opened.SetOption("threads\0"u8, 1);
            opened.SetOption("max_pixels\0"u8, maxPixels);
            int result = LibAv.avcodec_open2(context, codec, null);
            if (result < 0)
                throw FFmpegError.Exception($"The decoder {name} could not be opened", result);
            return opened;
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <summary>Leaves out pictures that no other refers to (AVDISCARD_NONREF), or no longer does.</summary>
    public void SetSkipNonReference(bool skip)
    {
        const int DiscardDefault = 0;
        const int DiscardNonReference = 8;
        SetOption("skip_frame\0"u8, skip ? DiscardNonReference : DiscardDefault);
    }

    /// <summary>Feeds a packet, or with null says that no more come.</summary>
    /// <returns>0; <see cref="FFmpegError.Again"/> when pictures must be read first; or what is wrong with the packet.</returns>
    public int Send(Packet? packet) => LibAv.avcodec_send_packet(Pointer, packet is null ? null : packet.Pointer);

    /// <summary>Takes the next picture into <paramref name="frame"/>.</summary>
    /// <returns>0; <see cref="FFmpegError.Again"/> when it needs more packets; <see cref="FFmpegError.EndOfFile"/> after the last; or another error.</returns>
    public int Receive(Frame frame) => LibAv.avcodec_receive_frame(Pointer, frame.Pointer);

    /// <summary>Forgets all pictures in flight.</summary>
    public void Flush() => LibAv.avcodec_flush_buffers(Pointer);

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        byte* context = Pointer;
        LibAv.avcodec_free_context(&context);
        return true;
    }

    private void SetOption(ReadOnlySpan<byte> name, long value)
    {
        int result;
        fixed (byte* at = name)
            result = LibAv.av_opt_set_int(Pointer, at, value, SearchChildren);
        if (result < 0)
            throw FFmpegError.Exception("A decoder option could not be set", result);
    }

    // By way of AVCodecParameters, whose fields are few and early, rather than AVCodecContext's, which move with each release.
    private void SetParameters(FFmpegLayout layout, byte* codec, ReadOnlySpan<byte> extradata)
    {
        byte* parameters = LibAv.avcodec_parameters_alloc();
        if (parameters == null)
            throw new OutOfMemoryException();
        try
        {
            *(int*)(parameters + layout.ParametersType) = *(int*)(codec + layout.CodecType);
            *(int*)(parameters + layout.ParametersCodec) = *(int*)(codec + layout.CodecId);
            if (!extradata.IsEmpty)
            {
                byte* copy = (byte*)LibAv.av_mallocz((nuint)extradata.Length + Memory.PacketMemory.Padding);
                if (copy == null)
                    throw new OutOfMemoryException();
                extradata.CopyTo(new Span<byte>(copy, extradata.Length));
                *(byte**)(parameters + layout.ParametersExtradata) = copy;
                *(int*)(parameters + layout.ParametersExtradataSize) = extradata.Length;
            }

            int result = LibAv.avcodec_parameters_to_context(Pointer, parameters);
            if (result < 0)
                throw FFmpegError.Exception("The decoder refused its parameters", result);
        }
        finally
        {
            LibAv.avcodec_parameters_free(&parameters);
        }
    }
}
