using System.Globalization;
using EdgeNode.Access;
using EdgeNode.Events;
using Microsoft.AspNetCore.Http;

namespace EdgeNode.Http;

/// <summary>Face events: read from a cursor on, or followed as they come (server-sent events).</summary>
internal sealed class EventRoutes(EventLog log, EventShots shots, AccessTokens tokens, AuditLog audit)
{
    private const int MostAtOnce = 500;

    // So that no one holder of a token takes every place that the log has for listeners.
    private readonly Occupancy<string> _listening = new(50);

    public void Map(Guard guard)
    {
        ApiParameter[] cursor = [new("after", "The cursor ('next') of an earlier answer; left out: all that is held.", Type: "integer")];
        guard.Map(new ApiRoute(HttpMethods.Get, "/api/events", "Face events from behind a cursor.", Role.Viewer, WhereNamesMayBeSeen((context, grant) =>
        {
            EventPage page = log.ReadAfter(Cursor(context), grant.Allows, MostAtOnce);
            return WriteJson.SendAsync(context, new EventList([.. page.Events.Select(e => e.Event)], page.Next, page.HasGap), HttpJson.Default.EventList);
        }))
        { Query = cursor, Answer = HttpJson.Default.EventList });
        guard.Map(new ApiRoute(HttpMethods.Get, "/api/events/stream", "Face events as they come (server-sent events), after those from behind a cursor.", Role.Viewer, WhereNamesMayBeSeen(FollowAsync)) { Query = cursor, AnswerType = "text/event-stream" });
        guard.Map(new ApiRoute(HttpMethods.Get, "/api/events/{event_id}/snapshot.jpg", "The best shot of an event.", Role.Viewer, WhereNamesMayBeSeen((context, grant) =>
        {
            EventShot shot = Find(shots, context.Request.RouteValues["event_id"] as string, grant);
            audit.RecordView(grant, shot.Camera);
            return WriteJson.SendAsync(context, shot.Picture, "image/jpeg");
        }))
        { AnswerType = "image/jpeg" });
    }

    /// <summary>The shot of an event that the grant shows. Whether there is one of another camera's event is not told.</summary>
    /// <exception cref="RefusedException">There is none.</exception>
    internal static EventShot Find(EventShots shots, string? eventId, AccessGrant grant) =>
        Guid.TryParse(eventId, out Guid id) && shots.Find(id) is EventShot shot && grant.Allows(shot.Camera)
            ? shot
            : throw new RefusedException(Problem.NotFound("No picture of that event is kept: none was good enough, or its time is over (retention.snapshots; of strangers, faces.unknown_retention)."));

    // Whoever was handed a view URL may look at the picture; names are for operators, and for tokens that say so.
    private static Func<HttpContext, AccessGrant, Task> WhereNamesMayBeSeen(Func<HttpContext, AccessGrant, Task> handler) =>
        (context, grant) => grant.Role >= Role.Operator || grant.Metadata
            ? handler(context, grant)
            : throw new RefusedException(new Problem(StatusCodes.Status403Forbidden, "Forbidden", "Events hold names: this needs the role operator, or a token with the claim meta."));

    private async Task FollowAsync(HttpContext context, AccessGrant grant)
    {
        long cursor = Cursor(context);
        if (!_listening.TryEnter(grant.SessionId))
            throw new RefusedException(Problem.TooMany("This token follows the events as often as it may: end one of those streams first."));
        try
        {
            await FollowAsync(context, grant, cursor);
        }
        finally
        {
            _listening.Leave(grant.SessionId);
        }
    }

    private async Task FollowAsync(HttpContext context, AccessGrant grant, long cursor)
    {
        // Subscribed before the past is read, so that nothing comes unnoticed in between.
        using EventSubscription? subscription = log.Subscribe();
        if (subscription is null)
            throw new RefusedException(Problem.Unavailable("Too many listeners", "As many follow the events as may: try again later."));

        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        if (HttpMethods.IsHead(context.Request.Method))
            return;
        try
        {
            await context.Response.StartAsync(context.RequestAborted);
            var stream = new EventStream(log, subscription, grant.Allows, () => tokens.IsStillValid(grant), TimeProvider.System);
            await stream.WriteAsync(context.Response.Body, cursor, grant.ExpiresAt, context.RequestAborted);
        }
        catch (OperationCanceledException)
        {
            // The listener left.
        }
    }

    private static long Cursor(HttpContext context)
    {
        // A listener that reconnects by itself asks for the same URL, and says so how far it came (HTML Living Standard, section 9.2.4).
        string text = context.Request.Headers["Last-Event-ID"] is [{ Length: > 0 } last] ? last : context.Request.Query["after"].ToString();
        if (text.Length == 0)
            return 0;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long cursor)
            ? cursor
            : throw new RefusedException(Problem.BadRequest("'after' must be the cursor of an earlier answer ('next'), a whole number."));
    }
}
