using EdgeNode.Configuration;
using EdgeNode.Ingest;
using EdgeNode.Ingest.Rtsp;

namespace EdgeNode.Cameras;

/// <summary>Chooses the client for a camera's URL.</summary>
public static class CameraSources
{
    /// <summary>
    /// A source for one try: our own client for rtsp and rtsps, libavformat for http(s), and a film that loops at its own pace for <c>file:</c>.
    /// <paramref name="remark"/> is told, on the reading thread, why no pictures come although the camera sends.
    /// </summary>
    public static IVideoSource Open(CameraConfiguration camera, TimeProvider time, Action<string>? remark = null)
    {
        string url = camera.Url.Reveal();
        if (IsRtsp(url))
            return OpenRtsp(url, camera.Username, camera.Password, new RtspSourceOptions { Transport = camera.Transport, Remark = remark }, time);
        if (url.StartsWith("file:", StringComparison.Ordinal))
            return new FileSource(url["file:".Length..], new FileSourceOptions { Paced = true, Loop = true }, time);
        return new FileSource(WithLogin(url, camera.Username, camera.Password), new FileSourceOptions(), time);
    }

    /// <summary>
    /// An http(s) URL with user and password in it, percent-encoded, as libavformat takes them (RFC 3986 §3.2.1). Those given
    /// replace those inside it, as for rtsp. Holds the password: for libavformat alone.
    /// </summary>
    internal static string WithLogin(string url, string? user, Secret? password)
    {
        int start = url.IndexOf("://", StringComparison.Ordinal) + "://".Length;
        int length = url.AsSpan(start).IndexOfAny("/?#");
        string authority = length < 0 ? url[start..] : url.Substring(start, length);
        int at = authority.LastIndexOf('@');
        string login = at < 0 ? "" : authority[..at];
        int colon = login.IndexOf(':');
        string name = string.IsNullOrEmpty(user) ? login[..(colon < 0 ? login.Length : colon)] : Uri.EscapeDataString(user);
        string word = password is not null ? Uri.EscapeDataString(password.Reveal()) : colon < 0 ? "" : login[(colon + 1)..];
        return name.Length == 0 ? url : $"{url[..start]}{name}:{word}@{url[(start + at + 1)..]}";
    }

    /// <summary>A source to be read once, as fast as it goes: a file's path, or a URL.</summary>
    public static IVideoSource OpenFilm(string pathOrUrl, TimeProvider time) => IsRtsp(pathOrUrl)
        ? OpenRtsp(pathOrUrl, null, null, new RtspSourceOptions(), time)
        : new FileSource(pathOrUrl.StartsWith("file:", StringComparison.Ordinal) ? pathOrUrl["file:".Length..] : pathOrUrl, new FileSourceOptions(), time);

    private static bool IsRtsp(string url) =>
        url.StartsWith("rtsp://", StringComparison.OrdinalIgnoreCase) || url.StartsWith("rtsps://", StringComparison.OrdinalIgnoreCase);

    private static RtspSource OpenRtsp(string url, string? user, Secret? password, RtspSourceOptions options, TimeProvider time)
    {
        try
        {
            return new RtspSource(RtspUrl.Parse(url, user, password?.Reveal()), options, time);
        }
        catch (FormatException fault)
        {
            throw new SourceException(SourceTrouble.Unsupported, fault.Message, fault);
        }
    }
}
