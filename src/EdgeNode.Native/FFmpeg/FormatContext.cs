using System.Runtime.InteropServices;

namespace EdgeNode.Native.FFmpeg;

/// <summary>An open file or network stream of libavformat. One thread at a time.</summary>
public sealed unsafe class FormatContext : SafeHandle
{
    private const int DictionaryIgnoreSuffix = 2;
    private const int DiscardAll = 48;
    private const int DispositionAttachedPicture = 0x400;
    private const int TypeVideo = 0;
    private const int TypeAudio = 1;

    private readonly FFmpegLayout _layout;
    private GCHandle _interrupt;

    private FormatContext(FFmpegLayout layout)
        : base(0, ownsHandle: true) => _layout = layout;

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>How many streams it has.</summary>
    public int StreamCount => *(int*)(Pointer + _layout.FormatStreamCount);

    /// <summary>Duration in microseconds, or a negative number when not known.</summary>
    public long DurationMicroseconds => *(long*)(Pointer + _layout.FormatDuration);

    /// <summary>What <see cref="FFmpegLogLine.Context"/> is in lines that this context writes once it is open.</summary>
    public nint Identity => handle;

    private byte* Pointer => (byte*)handle;

    /// <summary>Opens <paramref name="url"/> and reads on until its streams are known.</summary>
    /// <param name="url">FFmpeg's URL, such as <c>file:clip.mp4</c>.</param>
    /// <param name="options">Options of the demuxer and protocol. One that nobody takes is an error: FFmpeg renames options between releases, without a word.</param>
    /// <param name="interrupted">Asked again and again while FFmpeg waits; true makes the call in progress, and any later one, return. It must not throw.</param>
    /// <exception cref="FFmpegException">It cannot be opened; the code tells why.</exception>
    public static FormatContext Open(string url, ReadOnlySpan<(string Name, string Value)> options, Func<bool> interrupted)
    {
        ArgumentNullException.ThrowIfNull(interrupted);
        FFmpegLayout layout = FFmpegLibrary.Layout;
        var opened = new FormatContext(layout);
        void* dictionary = null;
        byte* context = null;
        try
        {
            context = LibAv.avformat_alloc_context();
            if (context == null)
                throw new OutOfMemoryException();
            opened._interrupt = GCHandle.Alloc(interrupted);
            *(delegate* unmanaged<void*, int>*)(context + layout.FormatInterruptCallback) = &IsInterrupted;
            *(void**)(context + layout.FormatInterruptOpaque) = (void*)GCHandle.ToIntPtr(opened._interrupt);

            foreach ((string name, string value) in options)
                _ = LibAv.av_dict_set(&dictionary, name, value, 0);

            // On failure avformat_open_input frees the context itself.
            int result = LibAv.avformat_open_input(&context, url, null, &dictionary);
            if (result < 0)
                throw FFmpegError.Exception("FFmpeg could not open it", result);
            opened.SetHandle((nint)context);

            fixed (byte* any = "\0"u8)
            {
                byte* left = LibAv.av_dict_get(dictionary, any, null, DictionaryIgnoreSuffix);
                if (left != null)
                    throw new FFmpegException($"FFmpeg {FFmpegLibrary.Version} does not know the option {Marshal.PtrToStringUTF8(*(nint*)(left + layout.DictionaryKey))}.");
            }

            result = LibAv.avformat_find_stream_info(context, null);
            if (result < 0)
                throw FFmpegError.Exception("FFmpeg found no streams in it", result);
            return opened;
        }
        catch
        {
            opened.Dispose();
            if (opened._interrupt.IsAllocated)
                opened._interrupt.Free();
            throw;
        }
        finally
        {
            LibAv.av_dict_free(&dictionary);
        }
    }

    /// <summary>What stream <paramref name="index"/> is.</summary>
    public MediaStream Stream(int index)
    {
        byte* stream = StreamPointer(index);
        byte* parameters = *(byte**)(stream + _layout.StreamParameters);
        int* timeBase = (int*)(stream + _layout.StreamTimeBase);
        int* frameRate = (int*)(stream + _layout.StreamFrameRate);
        return new MediaStream
        {
            Index = index,
            IsVideo = *(int*)(parameters + _layout.ParametersType) == TypeVideo
                && (*(int*)(stream + _layout.StreamDisposition) & DispositionAttachedPicture) == 0,
            IsAudio = *(int*)(parameters + _layout.ParametersType) == TypeAudio,
            CodecName = Marshal.PtrToStringUTF8((nint)LibAv.avcodec_get_name(*(int*)(parameters + _layout.ParametersCodec))) ?? "unknown",
            Width = *(int*)(parameters + _layout.ParametersWidth),
            Height = *(int*)(parameters + _layout.ParametersHeight),
            TimeBaseNumerator = timeBase[0],
            TimeBaseDenominator = timeBase[1],
            FrameRate = frameRate[1] == 0 ? 0 : (double)frameRate[0] / frameRate[1],
            Extradata = new ReadOnlySpan<byte>(*(byte**)(parameters + _layout.ParametersExtradata), *(int*)(parameters + _layout.ParametersExtradataSize)).ToArray(),
        };
    }

    /// <summary>Reads only stream <paramref name="index"/>, and <paramref name="second"/> where it is not negative, from now on.</summary>
    public void KeepOnly(int index, int second = -1)
    {
        for (int i = 0; i < StreamCount; i++)
        {
            if (i != index && i != second)
                *(int*)(StreamPointer(i) + _layout.StreamDiscard) = DiscardAll;
        }
    }

    /// <summary>Reads the next packet of any stream that is kept.</summary>
    /// <returns>0, <see cref="FFmpegError.EndOfFile"/>, or another error.</returns>
    public int Read(Packet packet)
    {
        packet.Clear();
        return LibAv.av_read_frame(Pointer, packet.Pointer);
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        byte* context = Pointer;
        LibAv.avformat_close_input(&context);
        if (_interrupt.IsAllocated)
            _interrupt.Free();
        return true;
    }

    private byte* StreamPointer(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)StreamCount);
        return (*(byte***)(Pointer + _layout.FormatStreams))[index];
    }

    [UnmanagedCallersOnly]
    private static int IsInterrupted(void* opaque) => ((Func<bool>)GCHandle.FromIntPtr((nint)opaque).Target!)() ? 1 : 0;
}
