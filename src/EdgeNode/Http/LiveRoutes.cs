using System.Globalization;
using EdgeNode.Access;
using EdgeNode.Cameras;
using EdgeNode.Streaming;
using Microsoft.AspNetCore.Http;

namespace EdgeNode.Http;

/// <summary>The live streams: by a URL that holds its token, for any player, and by session with a header.</summary>
internal sealed class LiveRoutes(CameraSet cameras, PlaybackSessions sessions, AuditLog audit)
{
    private const string PlaylistType = "application/vnd.apple.mpegurl";
    private const string MediaType = "video/mp4";

    public void Map(Guard guard)
    {
        guard.Map(new ApiRoute(HttpMethods.Get, $"/live/{{{Guard.TokenInPath}}}/{{{Guard.CameraInPath}}}/{{file}}", "A live stream as a plain URL, for any player: index.m3u8, and what it names.", Role.Viewer,
            (context, grant) => ServeAsync(context, grant, Value(context, Guard.CameraInPath)))
        { AnswerType = PlaylistType });
        guard.Map(new ApiRoute(HttpMethods.Get, "/api/stream/hls/{session_id}/{file}", "The live stream of a session, with the token in a header: playlist.m3u8, and what it names.", Role.Viewer, (context, grant) =>
        {
            PlaybackSession? session = sessions.Find(Value(context, "session_id"));
            if (session is null || session.SessionId != grant.SessionId)
                throw new RefusedException(Problem.NotFound("There is no such session for this token: create one with POST /api/stream/playback/create-session."));
            return ServeAsync(context, grant, session.CameraId);
        })
        { AnswerType = PlaylistType });
    }

    private async Task ServeAsync(HttpContext context, AccessGrant grant, string id)
    {
        Guard.Require(grant, id);
        if (cameras.Find(id) is not Camera camera)
            throw new RefusedException(Problem.NoCamera(id));
        try
        {
            await ServeAsync(context, grant, camera);
        }
        catch (ObjectDisposedException) when (!context.Response.HasStarted)
        {
            // It is being removed, or another takes its place this moment.
            await RefuseAsync(context, LiveStatus.Unavailable);
        }
    }

    private Task ServeAsync(HttpContext context, AccessGrant grant, Camera camera)
    {
        audit.RecordView(grant, camera.Id);
        sessions.Touch(grant.SessionId);
        camera.Viewers.Note(grant.SessionId, context.Connection.RemoteIpAddress?.ToString() ?? "");
        string file = Value(context, "file");
        return file switch
        {
            "index.m3u8" or "playlist.m3u8" => ServeIndexAsync(context, camera.Live),
            "media.m3u8" => ServeMediaPlaylistAsync(context, camera.Live),
            _ => ServeMediaAsync(context, camera.Live, file),
        };
    }

    private static async Task ServeIndexAsync(HttpContext context, LiveStream live) =>
        await SendPlaylistAsync(context, await live.GetMultivariantPlaylistAsync(context.RequestAborted));

    private static async Task ServeMediaPlaylistAsync(HttpContext context, LiveStream live)
    {
        IQueryCollection query = context.Request.Query;
        if (!TryNumber(query["_HLS_msn"], out long? sequence) || !TryNumber(query["_HLS_part"], out long? part) || part > int.MaxValue)
        {
            await Problem.BadRequest("_HLS_msn and _HLS_part must be whole numbers.").WriteAsync(context);
            return;
        }

        bool skip = query["_HLS_skip"].ToString() is "YES" or "v2";
        await SendPlaylistAsync(context, await live.GetMediaPlaylistAsync(sequence, (int?)part, skip, context.RequestAborted));
    }

    private static async Task ServeMediaAsync(HttpContext context, LiveStream live, string file)
    {
        if (!MediaName.TryParse(file, out MediaName name))
        {
            await Problem.NotFound($"A live stream holds no '{(file.Length <= 80 ? file : "…")}'.").WriteAsync(context);
            return;
        }

        if (name.Kind == MediaKind.Initialization)
        {
            await (live.GetInitialization((int)name.Number) is { } init ? WriteJson.SendAsync(context, init, MediaType, "max-age=60") : RefuseAsync(context, LiveStatus.NotFound));
            return;
        }

        MediaAnswer answer = name.Kind == MediaKind.Part
            ? await live.GetPartAsync(name.Number, name.Part, context.RequestAborted)
            : live.TryGetSegment(name.Number) is { } segment ? new MediaAnswer(LiveStatus.Ok, segment) : new MediaAnswer(LiveStatus.NotFound, null);
        using MediaBody? body = answer.Body;
        if (body is null)
        {
            await RefuseAsync(context, answer.Status);
            return;
        }

        context.Response.ContentType = MediaType;
        context.Response.ContentLength = body.TotalBytes;
        context.Response.Headers.CacheControl = "max-age=60";
        if (!HttpMethods.IsHead(context.Request.Method))
            await body.WriteToAsync(context.Response.BodyWriter, context.RequestAborted);
    }

    private static Task SendPlaylistAsync(HttpContext context, PlaylistAnswer answer) =>
        answer.Status == LiveStatus.Ok ? WriteJson.SendAsync(context, answer.Body, PlaylistType, "no-cache") : RefuseAsync(context, answer.Status);

    private static Task RefuseAsync(HttpContext context, LiveStatus status) => (status switch
    {
        LiveStatus.BadRequest => Problem.BadRequest("This asks further ahead than a player may."),
        LiveStatus.Unavailable => new Problem(StatusCodes.Status503ServiceUnavailable, "No picture", "The camera gives no pictures now; see its state."),
        _ => Problem.NotFound("That piece is not there, or no longer."),
    }).WriteAsync(context);

    private static bool TryNumber(string? text, out long? number)
    {
        number = null;
        if (string.IsNullOrEmpty(text))
            return true;
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value))
            return false;
        number = value;
        return true;
    }

    private static string Value(HttpContext context, string name) => context.Request.RouteValues[name] as string ?? "";
}
