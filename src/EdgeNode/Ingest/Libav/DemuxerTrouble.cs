using EdgeNode.Native.FFmpeg;

namespace EdgeNode.Ingest.Libav;

/// <summary>What an error of libavformat means to the user: one sentence, without secrets, and what kind of trouble it is.</summary>
internal static class DemuxerTrouble
{
    private const int EndedBeforeParameters = -1; // avformat_find_stream_info's, no errno
    private const int NoAccess = -13;
    private const int ProtocolNotSupported = -93;

    /// <summary>Null for <paramref name="e"/>: it was interrupted.</summary>
    public static SourceException OfOpening(DemuxerInput input, FFmpegException? e, bool isAborted, TimeSpan within)
    {
        string name = input.Name;
        if (isAborted)
            return new SourceException(SourceTrouble.Closed, $"{name} was closed.", e);
        if (e is null || e.Code == FFmpegError.Exit)
            return new SourceException(SourceTrouble.Stalled, $"{name} did not answer within {within.TotalSeconds:0.#} s.", e);
        if (e.Code == 0)
            return new SourceException(SourceTrouble.Unsupported, e.Message, e);
        if (e.Code == FFmpegError.HttpUnauthorized || e.Code == FFmpegError.HttpForbidden)
            return new SourceException(SourceTrouble.Unauthorized, $"{name} refuses the user name or password.", e);
        if (e.Code == FFmpegError.HttpNotFound || e.Code == FFmpegError.NoEntry)
            return new SourceException(SourceTrouble.NotFound, $"{name} has no such video.", e);
        if (e.Code == FFmpegError.HttpBadRequest || e.Code == FFmpegError.HttpOther4xx || e.Code == FFmpegError.HttpServerError)
            return new SourceException(SourceTrouble.Refused, $"{name} refuses to serve the stream now.", e);
        if (e.Code == NoAccess)
            return new SourceException(SourceTrouble.NotFound, $"The file {name} may not be read: give the node's user the right to.", e);
        if (!input.IsNetwork)
            return new SourceException(SourceTrouble.Unsupported, $"{name} is no video file that the node can read (MP4, Matroska, AVI, FLV, MPEG-TS).", e);
        if (e.Code == ProtocolNotSupported)
            return new SourceException(SourceTrouble.Unsupported, $"{name} does not send by this transport: set transport to the other one, tcp or udp.", e);
        if (e.Code == FFmpegError.EndOfFile || e.Code == EndedBeforeParameters)
            return new SourceException(SourceTrouble.Closed, $"{name} hung up before it sent any video.", e);
        return e.Code is < 0 and > -200 and not FFmpegError.Invalid
            ? new SourceException(SourceTrouble.Unreachable, $"{name} cannot be reached: {FFmpegError.Describe(e.Code)}.", e)
            : new SourceException(SourceTrouble.Unsupported, $"What {name} sends is no stream that the node can read (RTSP, HTTP-FLV or MPEG-TS; playlists are not opened).", e);
    }

    public static SourceException OfReading(DemuxerInput input, int code, bool isAborted, TimeSpan within)
    {
        if (isAborted)
            return new SourceException(SourceTrouble.Closed, $"{input.Name} was closed.");
        return code == FFmpegError.Exit
            ? new SourceException(SourceTrouble.Stalled, $"Nothing came from {input.Name} for {within.TotalSeconds:0.#} s.")
            : new SourceException(SourceTrouble.Closed, $"{input.Name} cannot be read on: {FFmpegError.Describe(code)}.");
    }

    public static SourceException OfVideo(DemuxerInput input, string? other) => new(SourceTrouble.Unsupported, other is null
        ? $"{input.Name} has no video in it: H.264 or H.265 video is needed."
        : $"The video of {input.Name} is {other}: H.264 or H.265 video is needed.");

    public static SourceException OfParameters(DemuxerInput input, InvalidDataException e) =>
        new(SourceTrouble.Unsupported, $"The video of {input.Name} cannot be read: {e.Message}", e);

    public static SourceException OfNoPicture(DemuxerInput input) =>
        new(SourceTrouble.Unsupported, $"{input.Name} has no picture in it at which decoding can begin.");
}
