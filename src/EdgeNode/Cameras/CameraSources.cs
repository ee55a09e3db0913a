using EdgeNode.Configuration;
using EdgeNode.Ingest;
using EdgeNode.Ingest.Rtsp;

namespace EdgeNode.Cameras;

/// <summary>Chooses the client for a camera's URL.</summary>
public static class CameraSources
{
    /// <summary>
    /// A source for one try: our own client for rtsp, or libavformat where the camera is set to it; libavformat for http(s); and a film that loops at its own
    /// pace for <c>file:</c>.
    /// </summary>
    /// <exception cref="SourceException">The URL makes no sense.</exception>
    public static IVideoSource Open(CameraConfiguration camera, TimeProvider time)
    {
        string url = camera.Url.Reveal();
        if (CameraUrl.IsFile(url))
            return new FileSource(url["file:".Length..], new FileSourceOptions { Paced = true, Loop = true, WithAudio = true }, time);
        string? password = camera.Password?.Reveal();
        if (!CameraUrl.IsRtsp(url))
            return LiveUrlSource.Http(url, camera.Username, password, time: time);
        return camera.Client == RtspClient.Ffmpeg
            ? LiveUrlSource.Rtsp(url, camera.Username, password, camera.Transport, time: time)
            : OpenRtsp(url, camera.Username, password, time);
    }

    /// <summary>A source to be read once, as fast as it goes: a file's path, or a URL.</summary>
    /// <exception cref="SourceException">The URL makes no sense.</exception>
    public static IVideoSource OpenFilm(string pathOrUrl, TimeProvider time) => CameraUrl.IsRtsp(pathOrUrl)
        ? OpenRtsp(pathOrUrl, null, null, time)
        : new FileSource(CameraUrl.IsFile(pathOrUrl) ? pathOrUrl["file:".Length..] : pathOrUrl, new FileSourceOptions(), time);

    private static RtspSource OpenRtsp(string url, string? user, string? password, TimeProvider time)
    {
        try
        {
            return new RtspSource(RtspUrl.Parse(url, user, password), clock: time);
        }
        catch (FormatException fault)
        {
            throw new SourceException(SourceTrouble.Unsupported, fault.Message, fault);
        }
    }
}
