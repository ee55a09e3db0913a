using EdgeNode.Access;
using EdgeNode.Cameras;
using EdgeNode.Configuration;
using EdgeNode.Streaming;
using Microsoft.AspNetCore.Http;

namespace EdgeNode.Http;

/// <summary>Playback sessions: a view URL for a player, made, listed and ended.</summary>
internal sealed class PlaybackRoutes(CameraSet cameras, PlaybackSessions sessions, AccessTokens tokens, Revocations revocations, NodeConfiguration configuration, Func<int> port, AuditLog audit, TimeProvider time)
{
    private const int LongestUserId = 100;

    // One that is ended before its time is remembered until then, and each is two lines of the audit log.
    private readonly Allowance<string> _making = new(200, TimeSpan.FromSeconds(1), time);

    public void Map(Guard guard)
    {
        guard.Map(new ApiRoute(HttpMethods.Post, "/api/stream/playback/create-session", "Makes a session to watch one camera: a token of its own, and URLs for players.", Role.Viewer, CreateAsync) { Request = HttpJson.Default.CreateSessionRequest, Answer = HttpJson.Default.SessionAnswer });
        guard.Map(new ApiRoute(HttpMethods.Post, "/api/stream/playback/{session_id}/start", "Starts packaging; optional, the first playlist does it too.", Role.Viewer, StartAsync) { Answer = HttpJson.Default.Success });
        guard.Map(new ApiRoute(HttpMethods.Delete, "/api/stream/playback/{session_id}", "Ends a session.", Role.Viewer, EndAsync) { Answer = HttpJson.Default.Success });
        guard.Map(new ApiRoute(HttpMethods.Get, "/api/stream/playback/sessions", "Sessions that have not ended: a viewer's own, an operator's all.", Role.Viewer, ListAsync) { Answer = HttpJson.Default.SessionList });
    }

    private async Task CreateAsync(HttpContext context, AccessGrant grant)
    {
        CreateSessionRequest request = await RequestBody.ReadAsync(context, HttpJson.Default.CreateSessionRequest);
        if (request.CameraId.Length == 0 || request.UserId is { } user && (user.Length > LongestUserId || user.Any(char.IsControl)))
            throw new RefusedException(Problem.BadRequest("'camera_id' must name a camera, and 'user_id' have up to 100 characters without control characters."));
        Guard.Require(grant, request.CameraId);
        // Neither would it live longer, nor show more; only the bounds for one token would not hold.
        if (grant.MadeWith is not null)
            throw new RefusedException(new Problem(StatusCodes.Status403Forbidden, "Forbidden", "This token is of a session: make another one with the token that made it."));
        if (cameras.Find(request.CameraId) is not Camera camera)
            throw new RefusedException(Problem.NoCamera(request.CameraId));
        if (!_making.TryTake(grant.SessionId))
            throw new RefusedException(Problem.TooMany("This token makes too many sessions: use those that it has, or wait a minute."));

        // A session never outlives the right to make one.
        TimeSpan left = grant.ExpiresAt - time.GetUtcNow().UtcDateTime;
        TimeSpan lifetime = left < configuration.Tokens.Lifetime ? left : configuration.Tokens.Lifetime;
        (string token, AccessGrant session) = tokens.IssueSession(grant, camera.Id, lifetime);
        if (sessions.TryAdd(session.SessionId, camera.Id, grant.SessionId, request.UserId ?? "", session.ExpiresAt) is null)
            throw new RefusedException(Problem.Unavailable("Too many viewers", "The node serves as many sessions as it may: try again later."));
        audit.Record(grant, AuditAction.SessionCreate, $"camera:{camera.Id}");

        await WriteJson.SendAsync(context, new SessionAnswer(
            true, session.SessionId, token, $"/api/stream/hls/{session.SessionId}/playlist.m3u8", ViewUrl.Of(configuration, port(), token, camera.Id), session.ExpiresAt), HttpJson.Default.SessionAnswer);
    }

    // Starting is optional: the first playlist does it too. Doing it here only saves that viewer the wait.
    private Task StartAsync(HttpContext context, AccessGrant grant) => WithSession(context, grant, session =>
    {
        cameras.Find(session.CameraId)?.Live.EnsureStarted();
        sessions.Touch(session.SessionId);
    });

    private Task EndAsync(HttpContext context, AccessGrant grant) => WithSession(context, grant, session =>
    {
        revocations.Add(sessions.Remove(session.SessionId).Select(ended => (ended.SessionId, ended.ExpiresAt.UtcDateTime)));
        audit.Record(grant, AuditAction.SessionEnd, $"camera:{session.CameraId}");
    });

    private Task ListAsync(HttpContext context, AccessGrant grant) => WriteJson.SendAsync(
        context,
        new SessionList([.. sessions.List().Where(s => Concerns(s, grant)).Select(s => new SessionEntry(s.SessionId, s.CameraId, s.UserId, s.CreatedAt.UtcDateTime, s.ExpiresAt.UtcDateTime))]),
        HttpJson.Default.SessionList);

    private Task WithSession(HttpContext context, AccessGrant grant, Action<PlaybackSession> action)
    {
        PlaybackSession? session = sessions.Find(context.Request.RouteValues["session_id"] as string ?? "");
        if (session is null || !Concerns(session, grant))
            throw new RefusedException(Problem.NotFound("There is no such session, or it has ended."));
        action(session);
        return WriteJson.SendAsync(context, new Success(true), HttpJson.Default.Success);
    }

    // A viewer's sessions are his own affair; operators see those of all their cameras' viewers.
    private static bool Concerns(PlaybackSession session, AccessGrant grant) =>
        grant.Allows(session.CameraId) && (grant.Role >= Role.Operator || session.OwnerId == grant.SessionId || session.SessionId == grant.SessionId);
}
