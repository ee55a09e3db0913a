using System.Globalization;
using System.Text;
using EdgeNode.Access;
using EdgeNode.Events;
using Microsoft.AspNetCore.Http;

namespace EdgeNode.Http;

/// <summary>Face events: read from a cursor on, or followed as they come (server-sent events).</summary>
internal sealed class EventRoutes(EventLog log, AccessTokens tokens)
{
    private const int MostAtOnce = 500;
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

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

        // Subscribed before the past is read: what comes in between is told apart by its cursor.
        using EventSubscription? subscription = log.Subscribe(grant.Allows);
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
            while (true)
            {
                EventPage page = log.ReadAfter(cursor, grant.Allows, MostAtOnce);
                foreach (LoggedEvent logged in page.Events)
                    await SendAsync(context, logged);
                cursor = page.Next;
                if (page.Events.Count < MostAtOnce)
                    break;
            }

            await context.Response.Body.FlushAsync(context.RequestAborted);
            await ForwardAsync(context, grant, subscription, cursor);
        }
        catch (OperationCanceledException)
        {
            // The listener left.
        }
    }

    private async Task ForwardAsync(HttpContext context, AccessGrant grant, EventSubscription subscription, long cursor)
    {
        while (tokens.IsStillValid(grant))
        {
            using var pause = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
            pause.CancelAfter(Heartbeat);
            try
            {
                if (!await subscription.Reader.WaitToReadAsync(pause.Token))
                    return;
            }
            catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.Body.WriteAsync(": still here\n\n"u8.ToArray(), context.RequestAborted);
            }

            while (subscription.Reader.TryRead(out LoggedEvent logged))
            {
                if (logged.Cursor > cursor)
                    await SendAsync(context, logged);
            }

            await context.Response.Body.FlushAsync(context.RequestAborted);
        }
    }

    private static async Task SendAsync(HttpContext context, LoggedEvent logged)
    {
        await context.Response.Body.WriteAsync(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"id: {logged.Cursor}\ndata: ")), context.RequestAborted);
        await context.Response.Body.WriteAsync(logged.Event.ToJson(), context.RequestAborted);
        await context.Response.Body.WriteAsync("\n\n"u8.ToArray(), context.RequestAborted);
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
