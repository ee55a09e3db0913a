namespace EdgeNode.Native.FFmpeg;

/// <summary>
/// Where the few fields that are read or written directly lie in FFmpeg's public structs, in bytes. Offsets hold for a whole
/// major of the libraries (their ABI), are the same on x86-64 and arm64, and were measured with each release's headers;
/// FFmpegLayoutTests compares them with the headers installed on the machine.
/// </summary>
internal sealed class FFmpegLayout
{
    /// <summary>One field: its struct, its name, its offset in each supported release.</summary>
    internal readonly record struct Row(string Struct, string Field, int In51, int In61, int In71, int In90)
    {
        internal int In(int release) => release switch { 0 => In51, 1 => In61, 2 => In71, _ => In90 };
    }

    internal static readonly Row[] Table =
    [
        new("AVFormatContext", "nb_streams", 44, 44, 44, 44),
        new("AVFormatContext", "streams", 48, 48, 48, 48),
        new("AVFormatContext", "duration", 72, 72, 104, 104),
        new("AVFormatContext", "interrupt_callback", 200, 200, 216, 216),
        new("AVStream", "codecpar", 208, 16, 16, 16),
        new("AVStream", "time_base", 16, 32, 32, 32),
        new("AVStream", "disposition", 48, 64, 64, 64),
        new("AVStream", "discard", 52, 68, 68, 68),
        new("AVStream", "avg_frame_rate", 72, 88, 88, 88),
        new("AVCodecParameters", "codec_type", 0, 0, 0, 0),
        new("AVCodecParameters", "codec_id", 4, 4, 4, 4),
        new("AVCodecParameters", "extradata", 16, 16, 16, 16),
        new("AVCodecParameters", "extradata_size", 24, 24, 24, 24),
        new("AVCodecParameters", "format", 28, 28, 44, 44),
        new("AVCodecParameters", "width", 56, 56, 72, 72),
        new("AVCodecParameters", "height", 60, 60, 76, 76),
        new("AVCodecContext", "time_base", 100, 100, 84, 84),
        new("AVCodec", "type", 16, 16, 16, 16),
        new("AVCodec", "id", 20, 20, 20, 20),
        new("AVPacket", "buf", 0, 0, 0, 0),
        new("AVPacket", "pts", 8, 8, 8, 8),
        new("AVPacket", "dts", 16, 16, 16, 16),
        new("AVPacket", "data", 24, 24, 24, 24),
        new("AVPacket", "size", 32, 32, 32, 32),
        new("AVPacket", "stream_index", 36, 36, 36, 36),
        new("AVPacket", "flags", 40, 40, 40, 40),
        new("AVPacket", "duration", 64, 64, 64, 64),
        new("AVFrame", "data", 0, 0, 0, 0),
        new("AVFrame", "linesize", 64, 64, 64, 64),
        new("AVFrame", "width", 104, 104, 104, 104),
        new("AVFrame", "height", 108, 108, 108, 108),
        new("AVFrame", "format", 116, 116, 116, 116),
        new("AVFrame", "pts", 136, 136, 136, 136),
        new("AVFrame", "flags", 316, 316, 292, 276),
        new("AVFrame", "color_range", 320, 320, 296, 280),
        new("AVFrame", "colorspace", 332, 332, 308, 292),
        new("AVFrame", "best_effort_timestamp", 344, 344, 320, 304),
        new("AVFrame", "decode_error_flags", 376, 376, 344, 320),
        new("AVDictionaryEntry", "key", 0, 0, 0, 0),
        new("AVIOInterruptCB", "callback", 0, 0, 0, 0),
        new("AVIOInterruptCB", "opaque", 8, 8, 8, 8),
    ];

    private readonly int _release;

    internal FFmpegLayout(int release)
    {
        _release = release;
        FormatStreamCount = At("AVFormatContext", "nb_streams");
        FormatStreams = At("AVFormatContext", "streams");
        FormatDuration = At("AVFormatContext", "duration");
        FormatInterruptCallback = At("AVFormatContext", "interrupt_callback") + At("AVIOInterruptCB", "callback");
        FormatInterruptOpaque = At("AVFormatContext", "interrupt_callback") + At("AVIOInterruptCB", "opaque");
        StreamParameters = At("AVStream", "codecpar");
        StreamTimeBase = At("AVStream", "time_base");
        StreamDisposition = At("AVStream", "disposition");
        StreamDiscard = At("AVStream", "discard");
        StreamFrameRate = At("AVStream", "avg_frame_rate");
        ParametersType = At("AVCodecParameters", "codec_type");
        ParametersCodec = At("AVCodecParameters", "codec_id");
        ParametersExtradata = At("AVCodecParameters", "extradata");
        ParametersExtradataSize = At("AVCodecParameters", "extradata_size");
        ParametersFormat = At("AVCodecParameters", "format");
        ParametersWidth = At("AVCodecParameters", "width");
        ParametersHeight = At("AVCodecParameters", "height");
        ContextTimeBase = At("AVCodecContext", "time_base");
        CodecType = At("AVCodec", "type");
        CodecId = At("AVCodec", "id");
        PacketBuffer = At("AVPacket", "buf");
        PacketPts = At("AVPacket", "pts");
        PacketDts = At("AVPacket", "dts");
        PacketData = At("AVPacket", "data");
        PacketSize = At("AVPacket", "size");
        PacketStream = At("AVPacket", "stream_index");
        PacketFlags = At("AVPacket", "flags");
        PacketDuration = At("AVPacket", "duration");
        FrameData = At("AVFrame", "data");
        FrameLineSize = At("AVFrame", "linesize");
        FrameWidth = At("AVFrame", "width");
        FrameHeight = At("AVFrame", "height");
        FrameFormat = At("AVFrame", "format");
        FramePts = At("AVFrame", "pts");
        FrameFlags = At("AVFrame", "flags");
        FrameColorRange = At("AVFrame", "color_range");
        FrameColorSpace = At("AVFrame", "colorspace");
        FrameBestTimestamp = At("AVFrame", "best_effort_timestamp");
        FrameErrors = At("AVFrame", "decode_error_flags");
        DictionaryKey = At("AVDictionaryEntry", "key");
    }

    internal int FormatStreamCount { get; }
    internal int FormatStreams { get; }
    internal int FormatDuration { get; }
    internal int FormatInterruptCallback { get; }
    internal int FormatInterruptOpaque { get; }
    internal int StreamParameters { get; }
    internal int StreamTimeBase { get; }
    internal int StreamDisposition { get; }
    internal int StreamDiscard { get; }
    internal int StreamFrameRate { get; }
    internal int ParametersType { get; }
    internal int ParametersCodec { get; }
    internal int ParametersExtradata { get; }
    internal int ParametersExtradataSize { get; }
    internal int ParametersFormat { get; }
    internal int ParametersWidth { get; }
    internal int ParametersHeight { get; }
    internal int ContextTimeBase { get; }
    internal int CodecType { get; }
    internal int CodecId { get; }
    internal int PacketBuffer { get; }
    internal int PacketPts { get; }
    internal int PacketDts { get; }
    internal int PacketData { get; }
    internal int PacketSize { get; }
    internal int PacketStream { get; }
    internal int PacketFlags { get; }
    internal int PacketDuration { get; }
    internal int FrameData { get; }
    internal int FrameLineSize { get; }
    internal int FrameWidth { get; }
    internal int FrameHeight { get; }
    internal int FrameFormat { get; }
    internal int FramePts { get; }
    internal int FrameFlags { get; }
    internal int FrameColorRange { get; }
    internal int FrameColorSpace { get; }
    internal int FrameBestTimestamp { get; }
    internal int FrameErrors { get; }
    internal int DictionaryKey { get; }

    private int At(string structure, string field)
    {
        foreach (Row row in Table)
        {
            if (row.Struct == structure && row.Field == field)
                return row.In(_release);
        }

        throw new InvalidOperationException($"{structure}.{field} is not in the table.");
    }
}
