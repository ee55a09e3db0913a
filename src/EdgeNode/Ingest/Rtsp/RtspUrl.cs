using System.Globalization;
using System.Text;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>
/// Where a camera is and who asks. Users paste passwords as they are, so the user part ends at the last '@', and any
/// printable character is taken before it; <c>%XX</c> is decoded there. An '@' in the path of such a URL is written <c>%40</c>.
/// Given apart, user and password are taken as they are.
/// </summary>
public sealed class RtspUrl
{
    /// <summary>RTSP's port (RFC 2326 §3.2).</summary>
    public const int DefaultPort = 554;

    /// <summary>The port of RTSP over TLS (IANA: rtsps).</summary>
    public const int DefaultTlsPort = 322;

    private const int LongestUrl = 2048;
    private const string PlainScheme = "rtsp://";
    private const string TlsScheme = "rtsps://";

    private RtspUrl(bool isTls, string host, int port, string path, string? user, string? password)
    {
        IsTls = isTls;
        Host = host;
        Port = port;
        Path = path;
        User = user;
        Password = password;
    }

    /// <summary>Whether the connection runs in TLS: <c>rtsps://</c>.</summary>
    public bool IsTls { get; }

    /// <summary>Host name or address; an IPv6 address without its brackets.</summary>
    public string Host { get; }

    /// <summary>TCP port.</summary>
    public int Port { get; }

    /// <summary>Path and query as they go on the wire, from the '/'; may hold secrets. Empty where the URL has none.</summary>
    public string Path { get; }

    /// <summary>The user; null when none was given.</summary>
    public string? User { get; }

    /// <summary>The password; null when none was given.</summary>
    public string? Password { get; }

    /// <summary>Host and port, fit for messages.</summary>
    public string Address => Port == (IsTls ? DefaultTlsPort : DefaultPort) ? BracketedHost : string.Create(CultureInfo.InvariantCulture, $"{BracketedHost}:{Port}");

    /// <summary>The request URI, without credentials.</summary>
    public string RequestUri => Scheme + Address + Path;

    private string Scheme => IsTls ? TlsScheme : PlainScheme;

    private string BracketedHost => Host.Contains(':') ? $"[{Host}]" : Host;

    /// <summary>Reads a URL; <paramref name="user"/> and <paramref name="password"/>, where given, replace those inside it.</summary>
    /// <exception cref="FormatException">It is no RTSP URL; the message says what is wrong and repeats nothing of it.</exception>
    public static RtspUrl Parse(string url, string? user = null, string? password = null)
    {
        ArgumentNullException.ThrowIfNull(url);
        url = url.Trim();
        if (url.Length > LongestUrl)
            throw new FormatException($"The camera's URL has {url.Length} characters; {LongestUrl} are the most.");
        bool isTls = url.StartsWith(TlsScheme, StringComparison.OrdinalIgnoreCase);
        if (!isTls && !url.StartsWith(PlainScheme, StringComparison.OrdinalIgnoreCase))
            throw new FormatException("The camera's URL must begin with rtsp:// or rtsps://.");
        if (url.AsSpan().ContainsAnyInRange('\0', '\x1F') || url.Contains('\x7F'))
            throw new FormatException("The camera's URL holds a control character.");

        string rest = url[(isTls ? TlsScheme : PlainScheme).Length..];
        int defaultPort = isTls ? DefaultTlsPort : DefaultPort;
        int at = EndOfUserInfo(rest);
        if (at >= 0)
        {
            string userInfo = rest[..at];
            rest = rest[(at + 1)..];
            int colon = userInfo.IndexOf(':');
            user ??= DecodePercent(colon < 0 ? userInfo : userInfo[..colon]);
            password ??= colon < 0 ? null : DecodePercent(userInfo[(colon + 1)..]);
        }

        int end = rest.AsSpan().IndexOfAny("/?#");
        string authority = end < 0 ? rest : rest[..end];
        string path = end < 0 ? "" : rest[end..];
        if (path.IndexOf('#') is >= 0 and int hash)
            path = path[..hash];
        if (path.StartsWith('?'))
            path = "/" + path;
        if (!TryReadAuthority(authority, defaultPort, out string host, out int port))
            throw new FormatException("The camera's URL needs a host name or address, and a port from 1 to 65535 where one is given.");
        return new RtspUrl(isTls, host, port, EncodePath(path), string.IsNullOrEmpty(user) ? null : user, password);
    }

    /// <summary>Where a redirect leads; the credentials go along only to the same host, and never out of TLS.</summary>
    /// <exception cref="FormatException">The location is no RTSP URL.</exception>
    public RtspUrl Redirect(string location)
    {
        RtspUrl target = Parse(location);
        if (target.User is not null || !string.Equals(target.Host, Host, StringComparison.OrdinalIgnoreCase) || (IsTls && !target.IsTls))
            return target;
        return new RtspUrl(target.IsTls, target.Host, target.Port, target.Path, User, Password);
    }

    /// <summary>
    /// A URL that the camera named, on the host by which we reach it: behind address translation cameras name their private
    /// address, and some name 0.0.0.0 or another host altogether.
    /// </summary>
    public string OnThisHost(string uri)
    {
        int start = uri.IndexOf("://", StringComparison.Ordinal);
        if (start < 0)
            return uri;
        int end = uri.AsSpan(start + 3).IndexOfAny('/', '?');
        return Scheme + Address + (end < 0 ? "" : uri[(start + 3 + end)..]);
    }

    /// <summary>The URL with <c>***</c> for credentials, and for queries and paths that cameras carry passwords in.</summary>
    public override string ToString()
    {
        string path = Path;
        int query = path.IndexOf('?');
        if (query >= 0)
            path = path[..query] + "?***";
        if (path.Contains("pass", StringComparison.OrdinalIgnoreCase) || path.Contains("pwd", StringComparison.OrdinalIgnoreCase))
            path = "/***";
        return Scheme + (User is null ? "" : "***:***@") + Address + path;
    }

    /// <summary>Index of the '@' that ends user and password; -1 where there are none.</summary>
    private static int EndOfUserInfo(string rest)
    {
        int at = rest.LastIndexOf('@');
        if (at < 0)
            return -1;
        int slash = rest.AsSpan().IndexOfAny("/?#");
        if (slash < 0 || at < slash)
            return at;

        // The last '@' lies behind a '/': of a password (user:12/34@host/path), or of a path (host:554/live@main).
        string before = rest[..slash];
        if (before.Contains('@') || !TryReadAuthority(before, DefaultPort, out _, out _))
            return at;
        if (!rest.AsSpan(0, at).Contains(':'))
            return -1;
        ReadOnlySpan<char> after = rest.AsSpan(at + 1);
        int afterEnd = after.IndexOfAny("/?#");
        ReadOnlySpan<char> host = afterEnd < 0 ? after : after[..afterEnd];
        bool looksLikeHost = afterEnd >= 0 || host.IndexOfAny(".:[") >= 0 || host.Equals("localhost", StringComparison.OrdinalIgnoreCase);
        return looksLikeHost ? at : -1;
    }

    private static bool TryReadAuthority(string authority, int defaultPort, out string host, out int port)
    {
        port = defaultPort;
        host = authority;
        int colon = authority.LastIndexOf(':');
        if (authority.StartsWith('['))
        {
            int close = authority.IndexOf(']');
            if (close < 0 || (close + 1 < authority.Length && authority[close + 1] != ':'))
                return false;
            host = authority[1..close];
            colon = close + 1 < authority.Length ? close + 1 : -1;
        }
        else if (colon >= 0)
        {
            host = authority[..colon];
        }

        if (colon >= 0 && colon + 1 < authority.Length
            && (!int.TryParse(authority.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is < 1 or > 65535))
            return false;
        return host.Length > 0 && !host.AsSpan().ContainsAny(" \"<>\\^`{|}%@") && (authority.StartsWith('[') || !host.Contains(':'));
    }

    private static string DecodePercent(string text)
    {
        if (!text.Contains('%'))
            return text;
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        int length = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] == '%' && i + 2 < bytes.Length && char.IsAsciiHexDigit((char)bytes[i + 1]) && char.IsAsciiHexDigit((char)bytes[i + 2]))
            {
                bytes[length++] = byte.Parse(bytes.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
                i += 2;
            }
            else
            {
                bytes[length++] = bytes[i];
            }
        }

        return Encoding.UTF8.GetString(bytes, 0, length);
    }

    // Only what would break a request line; cameras compare the rest with what their manual prints.
    private static string EncodePath(string path)
    {
        var encoded = new StringBuilder(path.Length);
        foreach (Rune rune in path.EnumerateRunes())
        {
            if (rune.IsAscii && rune.Value is > ' ' and not '"')
                encoded.Append((char)rune.Value);
            else
                encoded.Append(Uri.EscapeDataString(rune.ToString()));
        }

        return encoded.ToString();
    }
}
