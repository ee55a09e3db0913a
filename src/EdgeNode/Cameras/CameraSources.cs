using EdgeNode.Configuration;
using EdgeNode.Ingest;
using EdgeNode.Ingest.Rtsp;

namespace EdgeNode.Cameras;

/// <summary>Chooses the client for a camera's URL.</summary>
public static class CameraSources
{
    /// <summary>A source for one try: our own client for rtsp, libavformat for http(s), and a film that loops at its own pace for <c>file:</c>.</summary>
    public static IVideoSource Open(CameraConfiguration camera, TimeProvider time)
    {
        string url = camera.Url.Reveal();
        if (url.StartsWith("rtsp://", StringComparison.Ordinal))
            return OpenRtsp(url, camera.Username, camera.Password, time);
        if (url.StartsWith("file:", StringComparison.Ordinal))
            return new FileSource(url["file:".Length..], new FileSourceOptions { Paced = true, Loop = true }, time);
        return new FileSource(url, new FileSourceOptions(), time);
    }

    /// <summary>A source to be read once, as fast as it goes: a file's path, or a URL.</summary>
    public static IVideoSource OpenFilm(string pathOrUrl, TimeProvider time) => pathOrUrl.StartsWith("rtsp://", StringComparison.Ordinal)
        ? OpenRtsp(pathOrUrl, null, null, time)
        : new FileSource(pathOrUrl.StartsWith("file:", StringComparison.Ordinal) ? pathOrUrl["file:".Length..] : pathOrUrl, new FileSourceOptions(), time);

    private static RtspSource OpenRtsp(string url, string? user, Secret? password, TimeProvider time)
    {
        try
        {
            return new RtspSource(RtspUrl.Parse(url, user, password?.Reveal()), clock: time);
        }
        catch (FormatException fault)
        {
            throw new SourceException(SourceTrouble.Unsupported, fault.Message, fault);
        }
    }
}
