namespace EdgeNode.Configuration;

/// <summary>Who says where a camera is.</summary>
public enum CameraUrlOrigin
{
    /// <summary>The configuration file.</summary>
    File,

    /// <summary>An argument of a command.</summary>
    CommandLine,

    /// <summary>The HTTP API.</summary>
    Api,

    /// <summary>A command by MQTT.</summary>
    Mqtt,
}

/// <summary>
/// Which URLs may come from where. Whoever reaches the API or the broker may make the node talk to a camera, but not open a
/// file, run a program or read a playlist of such (Frigate's CVE-2026-25643, go2rtc's <c>exec:</c>).
/// </summary>
public static class CameraUrl
{
    /// <summary>Longest URL that is taken, in characters.</summary>
    public const int LongestUrl = 2048;

    private const string FileScheme = "file:";

    private static readonly string[] NetworkSchemes = ["rtsp://", "rtsps://", "http://", "https://"];

    /// <summary>Null for a URL that may be used; else one sentence that says what is wrong and repeats nothing of it: it may hold a password.</summary>
    public static string? Check(string? url, CameraUrlOrigin origin)
    {
        if (string.IsNullOrWhiteSpace(url))
            return "The camera's URL is missing.";
        if (url.Length > LongestUrl)
            return $"The camera's URL has {url.Length} characters; {LongestUrl} are the most.";
        if (url.AsSpan().ContainsAnyInRange('\0', '\x1F') || url.AsSpan().ContainsAnyInRange('\x7F', '\x9F'))
            return "The camera's URL holds a control character.";
        bool mayBeFile = origin is CameraUrlOrigin.File or CameraUrlOrigin.CommandLine;
        if (mayBeFile && Begins(url, FileScheme))
            return url.Length > FileScheme.Length ? null : "The camera's URL names no file: write file:/path/of/the/film.mp4.";
        foreach (string scheme in NetworkSchemes)
        {
            if (Begins(url, scheme))
                return HasHost(url.AsSpan(scheme.Length)) ? null : $"The camera's URL needs a host name or address after {scheme}.";
        }

        if (mayBeFile)
            return "The camera's URL must begin with rtsp://, rtsps://, http://, https:// or file:.";
        return Begins(url, FileScheme)
            ? "The camera's URL must begin with rtsp://, rtsps://, http:// or https://: files are taken from the configuration file alone."
            : "The camera's URL must begin with rtsp://, rtsps://, http:// or https://.";
    }

    /// <summary>It names a file of the node's own.</summary>
    public static bool IsFile(string url) => Begins(url, FileScheme);

    /// <summary>It is RTSP, in the clear or by TLS.</summary>
    public static bool IsRtsp(string url) => Begins(url, "rtsp://") || Begins(url, "rtsps://");

    /// <summary>It is HTTP, in the clear or by TLS.</summary>
    public static bool IsHttp(string url) => Begins(url, "http://") || Begins(url, "https://");

    private static bool Begins(string url, string scheme) => url.StartsWith(scheme, StringComparison.OrdinalIgnoreCase);

    private static bool HasHost(ReadOnlySpan<char> rest) => rest.Length > 0 && rest[0] is not ('/' or '?' or '#' or ':' or ' ');
}
