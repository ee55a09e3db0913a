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
            MultivariantPlaylist.MediaUri => ServeMediaPlaylistAsync(context, camera.Live, MediaTrack.Video),
            MultivariantPlaylist.AudioUri => ServeMediaPlaylistAsync(context, camera.Live, MediaTrack.Audio),
            _ => ServeMediaAsync(context, camera.Live, file),
        };
    }

    private static async Task ServeIndexAsync(HttpContext context, LiveStream live) =>
        await SendPlaylistAsync(context, await live.GetMultivariantPlaylistAsync(context.RequestAborted));

    private static async Task ServeMediaPlaylistAsync(HttpContext context, LiveStream live, MediaTrack track)
    {
        IQueryCollection query = context.Request.Query;
        if (!TryNumber(query["_HLS_msn"], out long? sequence) || !TryNumber(query["_HLS_part"], out long? part) || part > int.MaxValue)
        {
            await Problem.BadRequest("_HLS_msn and _HLS_part must be whole numbers.").WriteAsync(context);
            return;
        }

        bool skip = query["_HLS_skip"].ToString() is "YES" or "v2";
        await SendPlaylistAsync(context, await live.GetMediaPlaylistAsync(track, sequence, (int?)part, skip, context.RequestAborted));
    }

    private static async Task ServeMediaAsync(HttpContext context, LiveStream live, string file)
    {
        if (!MediaName.TryParse(file, out MediaName name))
        {
            await Problem.NotFound($"A live stream holds no '{(file.Length <= 80 ? file : "…")}'.").WriteAsync(context);
            return;
        }

        string type = name.Track == MediaTrack.Audio ? "audio/mp4" : MediaType;
        if (name.Kind == MediaKind.Initialization)
        {
            if (live.GetInitialization((int)name.Number, name.Track) is not { } init)
                await RefuseAsync(context, LiveStatus.NotFound);
            else if (BeginMedia(context, type, init.Length) is { Count: > 0 } piece)
                await context.Response.Body.WriteAsync(init.Slice((int)piece.First, (int)piece.Count), context.RequestAborted);
            return;
        }

        MediaAnswer answer = name.Kind == MediaKind.Part
            ? await live.GetPartAsync(name.Track, name.Number, name.Part, context.RequestAborted)
            : live.TryGetSegment(name.Number, name.Track) is { } segment ? new MediaAnswer(LiveStatus.Ok, segment) : new MediaAnswer(LiveStatus.NotFound, null);
        using MediaBody? body = answer.Body;
        if (body is null)
        {
            await RefuseAsync(context, answer.Status);
            return;
        }

        if (BeginMedia(context, type, body.TotalBytes) is { Count: > 0 } range)
            await body.WriteToAsync(context.Response.BodyWriter, range.First, range.Count, context.RequestAborted);
    }

    // Writes the headers; returns what of the body has to follow. Media carry no validator, so a conditional range gets the whole.
    private static ByteRange BeginMedia(HttpContext context, string type, long total)
    {
        HttpResponse response = context.Response;
        response.ContentType = type;
        response.Headers.CacheControl = "max-age=60";
        response.Headers.AcceptRanges = "bytes";
        bool isHead = HttpMethods.IsHead(context.Request.Method);
        ByteRange? asked = isHead || context.Request.Headers.IfRange.Count > 0 ? null : ByteRange.Parse(context.Request.Headers.Range, total);
        if (asked is not { } range)
        {
            response.ContentLength = total;
            return new ByteRange(0, isHead ? 0 : total);
        }

        response.StatusCode = range.Count > 0 ? StatusCodes.Status206PartialContent : StatusCodes.Status416RangeNotSatisfiable;
        response.Headers.ContentRange = range.Count > 0
            ? string.Create(CultureInfo.InvariantCulture, $"bytes {range.First}-{range.First + range.Count - 1}/{total}")
            : string.Create(CultureInfo.InvariantCulture, $"bytes */{total}");
        response.ContentLength = range.Count;
        return range;
    }

    private static Task SendPlaylistAsync(HttpContext context, PlaylistAnswer answer)
    {
        if (answer is not { Status: LiveStatus.Ok, Text: { } text })
            return RefuseAsync(context, answer.Status);
        context.Response.Headers.Append("Vary", "Accept-Encoding");
        bool compressed = AcceptedEncoding.HasGzip(context.Request.Headers.AcceptEncoding);
        if (compressed)
            context.Response.Headers.ContentEncoding = "gzip";
        return WriteJson.SendAsync(context, compressed ? text.Gzipped : text.Bytes, PlaylistType, "no-cache");
    }

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
