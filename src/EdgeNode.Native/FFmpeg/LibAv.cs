using System.Runtime.InteropServices;

namespace EdgeNode.Native.FFmpeg;

/// <summary>The functions of libavformat, libavcodec and libavutil that are used. <see cref="FFmpegLibrary.Load"/> comes before the first.</summary>
internal static unsafe partial class LibAv
{
    internal const string Format = "avformat";
    internal const string Codec = "avcodec";
    internal const string Util = "avutil";

    // libavutil

    [LibraryImport(Util)]
    internal static partial void av_log_set_callback(delegate* unmanaged[Cdecl]<void*, int, byte*, void*, void> callback);

    [LibraryImport(Util)]
    internal static partial int av_log_format_line2(void* context, int level, byte* format, void* arguments, byte* line, int lineSize, int* printPrefix);

    [LibraryImport(Util)]
    internal static partial int av_strerror(int code, byte* text, nuint size);

    [LibraryImport(Util)]
    internal static partial int av_opt_set_int(void* target, byte* name, long value, int searchFlags);

    [LibraryImport(Util, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int av_dict_set(void** dictionary, string key, string value, int flags);

    [LibraryImport(Util)]
    internal static partial byte* av_dict_get(void* dictionary, byte* key, byte* previous, int flags);

    [LibraryImport(Util)]
    internal static partial void av_dict_free(void** dictionary);

    [LibraryImport(Util)]
    internal static partial void* av_mallocz(nuint size);

    [LibraryImport(Util)]
    internal static partial void* av_buffer_create(byte* data, nuint size, delegate* unmanaged<void*, byte*, void> free, void* opaque, int flags);

    [LibraryImport(Util)]
    internal static partial byte* av_frame_alloc();

    [LibraryImport(Util)]
    internal static partial void av_frame_free(byte** frame);

    [LibraryImport(Util)]
    internal static partial void av_frame_unref(byte* frame);

    [LibraryImport(Util)]
    internal static partial int av_frame_get_buffer(byte* frame, int align);

    [LibraryImport(Util)]
    internal static partial byte* av_get_pix_fmt_name(int format);

    [LibraryImport(Util, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int av_get_pix_fmt(string name);

    // libavcodec

    [LibraryImport(Codec, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial byte* avcodec_find_decoder_by_name(string name);

    [LibraryImport(Codec, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial byte* avcodec_find_encoder_by_name(string name);

    [LibraryImport(Codec)]
    internal static partial byte* avcodec_get_name(int codec);

    [LibraryImport(Codec)]
    internal static partial byte* avcodec_alloc_context3(byte* codec);

    [LibraryImport(Codec)]
    internal static partial void avcodec_free_context(byte** context);

    [LibraryImport(Codec)]
    internal static partial byte* avcodec_parameters_alloc();

    [LibraryImport(Codec)]
    internal static partial void avcodec_parameters_free(byte** parameters);

    [LibraryImport(Codec)]
    internal static partial int avcodec_parameters_to_context(byte* context, byte* parameters);

    [LibraryImport(Codec)]
    internal static partial int avcodec_open2(byte* context, byte* codec, void** options);

    [LibraryImport(Codec)]
    internal static partial int avcodec_send_packet(byte* context, byte* packet);

    [LibraryImport(Codec)]
    internal static partial int avcodec_receive_frame(byte* context, byte* frame);

    [LibraryImport(Codec)]
    internal static partial int avcodec_send_frame(byte* context, byte* frame);

    [LibraryImport(Codec)]
    internal static partial int avcodec_receive_packet(byte* context, byte* packet);

    [LibraryImport(Codec)]
    internal static partial void avcodec_flush_buffers(byte* context);

    [LibraryImport(Codec)]
    internal static partial byte* av_packet_alloc();

    [LibraryImport(Codec)]
    internal static partial void av_packet_free(byte** packet);

    [LibraryImport(Codec)]
    internal static partial void av_packet_unref(byte* packet);

    [LibraryImport(Codec)]
    internal static partial byte* av_packet_get_side_data(byte* packet, int type, nuint* size);

    // libavformat

    [LibraryImport(Format)]
    internal static partial byte* avformat_alloc_context();

    [LibraryImport(Format, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int avformat_open_input(byte** context, string url, void* format, void** options);

    [LibraryImport(Format)]
    internal static partial int avformat_find_stream_info(byte* context, void** options);

    [LibraryImport(Format)]
    internal static partial int av_read_frame(byte* context, byte* packet);

    [LibraryImport(Format)]
    internal static partial void avformat_close_input(byte** context);
}
