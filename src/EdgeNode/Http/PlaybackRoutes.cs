using System.Text.Json;
using EdgeNode.Access;
using EdgeNode.Cameras;
using EdgeNode.Configuration;
using EdgeNode.Streaming;
using Microsoft.AspNetCore.Http;

namespace EdgeNode.Http;

/// <summary>Playback sessions: a view URL for a player, made, listed and ended.</summary>
internal sealed class PlaybackRoutes(CameraSet cameras, PlaybackSessions sessions, AccessTokens tokens, Revocations revocations, NodeConfiguration configuration, Func<int> port, TimeProvider time)
{
    private const int LongestUserId = 100;

    public void Map(Guard guard)
    {
        guard.Post("/api/stream/playback/create-session", Role.Viewer, CreateAsync);
        guard.Post("/api/stream/playback/{session}/start", Role.Viewer, StartAsync);
        guard.Delete("/api/stream/playback/{session}", Role.Viewer, EndAsync);
        guard.Get("/api/stream/playback/sessions", Role.Viewer, ListAsync);
    }

    private async Task CreateAsync(HttpContext context, AccessGrant grant)
    {
        CreateSessionRequest? request;
        try
        {
            request = await JsonSerializer.DeserializeAsync(context.Request.Body, HttpJson.Default.CreateSessionRequest, context.RequestAborted);
        }
        catch (JsonException)
        {
            request = null;
        }

        if (request is not { CameraId.Length: > 0 } || request.UserId is { } user && (user.Length > LongestUserId || user.Any(char.IsControl)))
        {
            await Problem.BadRequest("The body must be JSON: {\"camera_id\": \"…\", \"user_id\": \"…\"}, user_id of up to 100 characters without control characters.").WriteAsync(context);
            return;
        }

        if (!grant.Allows(request.CameraId))
        {
            await Guard.OtherCamera.WriteAsync(context);
            return;
        }

        if (cameras.Find(request.CameraId) is not Camera camera)
        {
            await Problem.NotFound($"There is no camera '{request.CameraId}' here.").WriteAsync(context);
            return;
        }

        // A session never outlives the right to make one.
        TimeSpan left = grant.ExpiresAt - time.GetUtcNow().UtcDateTime;
        TimeSpan lifetime = left < configuration.Tokens.Lifetime ? left : configuration.Tokens.Lifetime;
        (string token, AccessGrant session) = tokens.Issue(grant.Subject, Role.Viewer, [camera.Id], grant.Metadata, lifetime);
        if (sessions.TryAdd(session.SessionId, camera.Id, grant.SessionId, request.UserId ?? "", session.ExpiresAt) is null)
        {
            await new Problem(StatusCodes.Status503ServiceUnavailable, "Too many viewers", "The node serves as many sessions as it may: try again later.").WriteAsync(context);
            return;
        }

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
    });

    private Task ListAsync(HttpContext context, AccessGrant grant) => WriteJson.SendAsync(
        context,
        new SessionList([.. sessions.List().Where(s => Concerns(s, grant)).Select(s => new SessionEntry(s.SessionId, s.CameraId, s.UserId, s.CreatedAt.UtcDateTime, s.ExpiresAt.UtcDateTime))]),
        HttpJson.Default.SessionList);

    private Task WithSession(HttpContext context, AccessGrant grant, Action<PlaybackSession> action)
    {
        PlaybackSession? session = sessions.Find(context.Request.RouteValues["session"] as string ?? "");
        if (session is null || !Concerns(session, grant))
            return Problem.NotFound("There is no such session, or it has ended.").WriteAsync(context);
        action(session);
        return WriteJson.SendAsync(context, new Success(true), HttpJson.Default.Success);
    }

    // A viewer's sessions are his own affair; operators see those of all their cameras' viewers.
    private static bool Concerns(PlaybackSession session, AccessGrant grant) =>
        grant.Allows(session.CameraId) && (grant.Role >= Role.Operator || session.OwnerId == grant.SessionId || session.SessionId == grant.SessionId);
}
