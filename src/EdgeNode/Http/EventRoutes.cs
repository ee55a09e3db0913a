using System.Globalization;
using EdgeNode.Access;
using EdgeNode.Events;
using Microsoft.AspNetCore.Http;

namespace EdgeNode.Http;

/// <summary>Face events: read from a cursor on, or followed as they come (server-sent events).</summary>
internal sealed class EventRoutes(EventLog log, AccessTokens tokens)
{
    private const int MostAtOnce = 500;

    public void Map(Guard guard)
    {
        guard.Get("/api/events", Role.Viewer, WhereNamesMayBeSeen((context, grant) =>
        {
            if (!TryCursor(context, out long cursor))
                return BadCursor(context);
            EventPage page = log.ReadAfter(cursor, grant.Allows, MostAtOnce);
            return WriteJson.SendAsync(context, new EventList([.. page.Events.Select(e => e.Event)], page.Next, page.HasGap), HttpJson.Default.EventList);
        }));
        guard.Get("/api/events/stream", Role.Viewer, WhereNamesMayBeSeen(FollowAsync));
    }

    // Whoever was handed a view URL may look at the picture; names are for operators, and for tokens that say so.
    private static Func<HttpContext, AccessGrant, Task> WhereNamesMayBeSeen(Func<HttpContext, AccessGrant, Task> handler) =>
        (context, grant) => grant.Role >= Role.Operator || grant.Metadata
            ? handler(context, grant)
            : new Problem(StatusCodes.Status403Forbidden, "Forbidden", "Events hold names: this needs the role operator, or a token with the claim meta.").WriteAsync(context);

    private async Task FollowAsync(HttpContext context, AccessGrant grant)
    {
        if (!TryCursor(context, out long cursor))
        {
            await BadCursor(context);
            return;
        }

        // Subscribed before the past is read, so that nothing comes unnoticed in between.
        using EventSubscription? subscription = log.Subscribe();
        if (subscription is null)
        {
            await new Problem(StatusCodes.Status503ServiceUnavailable, "Too many listeners", "As many follow the events as may: try again later.").WriteAsync(context);
            return;
        }

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

    private static bool TryCursor(HttpContext context, out long cursor)
    {
        string text = context.Request.Query["after"].ToString();
        cursor = 0;
        return text.Length == 0 || long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out cursor);
    }

    private static Task BadCursor(HttpContext context) =>
        Problem.BadRequest("'after' must be the cursor of an earlier answer ('next'), a whole number.").WriteAsync(context);
}
