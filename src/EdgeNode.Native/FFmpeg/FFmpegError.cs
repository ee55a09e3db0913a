using System.Text;

namespace EdgeNode.Native.FFmpeg;

/// <summary>FFmpeg's error numbers (libavutil/error.h): negated errno, or negated four-letter tags.</summary>
public static class FFmpegError
{
    /// <summary>No such file (ENOENT).</summary>
    public const int NoEntry = -2;

    /// <summary>Not now: feed or read first (EAGAIN).</summary>
    public const int Again = -11;

    /// <summary>The end of the stream.</summary>
    public static readonly int EndOfFile = Tag('E', 'O', 'F', ' ');

    /// <summary>What was read makes no sense.</summary>
    public static readonly int InvalidData = Tag('I', 'N', 'D', 'A');

    /// <summary>The interrupt callback asked to stop.</summary>
    public static readonly int Exit = Tag('E', 'X', 'I', 'T');

    /// <summary>Refused as it stands (EINVAL): a protocol or format that is not on the whitelist, among others.</summary>
    public const int Invalid = -22;

    /// <summary>The HTTP server answered 400.</summary>
    public static readonly int HttpBadRequest = Tag('\xF8', '4', '0', '0');

    /// <summary>The HTTP server answered 4xx, none of those named here.</summary>
    public static readonly int HttpOther4xx = Tag('\xF8', '4', 'X', 'X');

    /// <summary>The HTTP server answered 5xx; RTSP's 453 and 503 look so, too.</summary>
    public static readonly int HttpServerError = Tag('\xF8', '5', 'X', 'X');

    /// <summary>No protocol of the URL's name is built in or allowed.</summary>
    public static readonly int ProtocolNotFound = Tag('\xF8', 'P', 'R', 'O');

    /// <summary>The HTTP server answered 401.</summary>
    public static readonly int HttpUnauthorized = Tag('\xF8', '4', '0', '1');

    /// <summary>The HTTP server answered 403.</summary>
    public static readonly int HttpForbidden = Tag('\xF8', '4', '0', '3');

    /// <summary>The HTTP server answered 404.</summary>
    public static readonly int HttpNotFound = Tag('\xF8', '4', '0', '4');

    /// <summary>FFmpeg's own words for an error number.</summary>
    public static unsafe string Describe(int code)
    {
        Span<byte> text = stackalloc byte[128];
        text.Clear();
        fixed (byte* at = text)
            _ = LibAv.av_strerror(code, at, (nuint)text.Length);
        int end = text.IndexOf((byte)0);
        return Encoding.UTF8.GetString(text[..(end < 0 ? text.Length : end)]);
    }

    internal static FFmpegException Exception(string what, int code) => new($"{what}: {Describe(code)}", code);

    private static int Tag(char a, char b, char c, char d) => -(a | (b << 8) | (c << 16) | (d << 24));
}
