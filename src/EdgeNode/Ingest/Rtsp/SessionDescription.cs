using System.Globalization;
using System.Text;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>
/// The part of SDP (RFC 8866, RFC 4566) that says which streams a camera offers and where each is controlled. Unknown
/// lines and broken values are left out: cameras write all sorts.
/// </summary>
internal sealed class SessionDescription
{
    private const int MostLines = 2000;

    /// <summary>a=control of the session; null when there is none.</summary>
    public string? Control { get; private set; }

    /// <summary>The media sections, in their order.</summary>
    public List<MediaDescription> Media { get; } = [];

    /// <summary>Reads a description. Never fails: one without any media section has an empty <see cref="Media"/>.</summary>
    public static SessionDescription Parse(ReadOnlySpan<byte> text)
    {
        var description = new SessionDescription();
        MediaDescription? media = null;
        int lines = 0;
        foreach (string raw in Encoding.UTF8.GetString(text).Split('\n'))
        {
            if (++lines > MostLines)
                break;
            string line = raw.Trim();
            if (line.StartsWith("m=", StringComparison.Ordinal))
            {
                media = ParseMedia(line[2..]);
                description.Media.Add(media);
            }
            else if (line.StartsWith("a=control:", StringComparison.OrdinalIgnoreCase))
            {
                string control = line["a=control:".Length..].Trim();
                if (media is null)
                    description.Control ??= control;
                else
                    media.Control ??= control;
            }
            else if (line.StartsWith("a=rtpmap:", StringComparison.OrdinalIgnoreCase))
            {
                ParseEncoding(media, line["a=rtpmap:".Length..]);
            }
            else if (line.StartsWith("a=fmtp:", StringComparison.OrdinalIgnoreCase))
            {
                ParseParameters(media, line["a=fmtp:".Length..]);
            }
            else if (line.Equals("a=sendonly", StringComparison.OrdinalIgnoreCase) && media is not null)
            {
                media.IsForUs = false;
            }
        }

        foreach (MediaDescription each in description.Media)
            each.AdoptStrayParameters();
        return description;
    }

    /// <summary>
    /// The URL that controls the session or a stream (RFC 2326 §C.1.1): an absolute one as it is, <c>*</c> or none the
    /// base itself, and a relative one behind the base, which is Content-Base, else Content-Location, else the request's.
    /// Cameras expect it appended with one '/', also behind a query, not resolved after RFC 3986.
    /// </summary>
    public static string ResolveControl(string? control, string? contentBase, string? contentLocation, string requestUri)
    {
        string baseUrl = IsAbsolute(contentBase) ? WithOneScheme(contentBase!) : IsAbsolute(contentLocation) ? WithOneScheme(contentLocation!) : requestUri;
        if (string.IsNullOrEmpty(control) || control == "*")
            return baseUrl;
        if (IsAbsolute(control))
            return WithOneScheme(control);
        return baseUrl.TrimEnd('/') + "/" + control.TrimStart('/');
    }

    private static bool IsAbsolute(ReadOnlySpan<char> url) =>
        url.StartsWith("rtsp://", StringComparison.OrdinalIgnoreCase) || url.StartsWith("rtsps://", StringComparison.OrdinalIgnoreCase);

    // "rtsp://rtsp://camera/stream" is written by cameras that put their whole URL where the host belongs.
    private static string WithOneScheme(string url)
    {
        ReadOnlySpan<char> one = url;
        while (true)
        {
            ReadOnlySpan<char> rest = one[(one.IndexOf("://") + 3)..];
            if (!IsAbsolute(rest))
                return one.Length == url.Length ? url : one.ToString();
            one = rest;
        }
    }

    private static MediaDescription ParseMedia(string line)
    {
        // m=<media> <port> <proto> <fmt> ...
        string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var media = new MediaDescription { Kind = words.Length > 0 ? words[0] : "", Protocol = words.Length > 2 ? words[2] : "" };
        for (int i = 3; i < words.Length; i++)
        {
            if (TryReadPayloadType(words[i], out int payloadType))
                media.Formats.Add(new MediaFormat { PayloadType = payloadType });
        }

        return media;
    }

    private static void ParseEncoding(MediaDescription? media, string value)
    {
        // <payload type> <encoding name>/<clock rate>[/<parameters>]
        string[] words = value.Split((char[])[' ', '\t'], 2, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (media is null || words.Length < 2 || !TryReadPayloadType(words[0], out int payloadType))
            return;
        string[] encoding = words[1].Split('/');
        MediaFormat format = media.FormatOf(payloadType);
        format.Encoding = encoding[0].Trim();
        if (encoding.Length > 1 && int.TryParse(encoding[1], NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out int rate))
            format.ClockRate = rate;
    }

    private static void ParseParameters(MediaDescription? media, string value)
    {
        string[] words = value.Split((char[])[' ', '\t'], 2, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (media is null || words.Length < 2 || !TryReadPayloadType(words[0], out int payloadType))
            return;
        MediaFormat format = media.FormatOf(payloadType);
        foreach (string parameter in words[1].Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            int equals = parameter.IndexOf('=');
            if (equals > 0)
                format.Parameters[parameter[..equals].Trim()] = parameter[(equals + 1)..].Trim();
        }
    }

    private static bool TryReadPayloadType(string text, out int payloadType) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out payloadType) && payloadType <= 127;
}
