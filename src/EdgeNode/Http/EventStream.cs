using System.Globalization;
using System.Text;
using EdgeNode.Events;

namespace EdgeNode.Http;

/// <summary>
/// One listener's face events as server-sent events (HTML Living Standard, section 9.2): what the log holds behind a cursor, then
/// each as it comes, for as long as <paramref name="isAllowed"/> says. The id is the cursor to go on from. Where the log no longer holds what comes next, the comment <c>gap</c> says so.
/// </summary>
internal sealed class EventStream(EventLog log, EventSubscription news, Func<string, bool> isVisible, Func<bool> isAllowed, TimeProvider time)
{
    /// <summary>After so long without an event a comment is sent, so that neither side takes the other for gone.</summary>
    internal static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    private const int MostAtOnce = 500;

    // Timers reach no further than 49 days.
    private static readonly TimeSpan Longest = TimeSpan.FromDays(30);

    /// <summary>
    /// Writes to <paramref name="body"/> what comes after <paramref name="cursor"/>, until <paramref name="end"/> (UTC, 30 days at most) or until the
    /// subscription is disposed.
    /// </summary>
    /// <exception cref="OperationCanceledException">Stopped by <paramref name="stop"/>.</exception>
    public async Task WriteAsync(Stream body, long cursor, DateTime end, CancellationToken stop)
    {
        TimeSpan left = end - time.GetUtcNow().UtcDateTime;
        if (left <= TimeSpan.Zero)
            return;
        using var ended = new CancellationTokenSource(left < Longest ? left : Longest, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, ended.Token);
        try
        {
            do
                cursor = await CatchUpAsync(body, cursor, either.Token);
            while (await IsThereMoreAsync(body, either.Token) && isAllowed());
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // The end came; also where the listener had stopped reading.
        }
    }

    private async Task<long> CatchUpAsync(Stream body, long cursor, CancellationToken stop)
    {
        while (true)
        {
            EventPage page = log.ReadAfter(cursor, isVisible, MostAtOnce);
            if (page.HasGap)
                await body.WriteAsync(": gap\n\n"u8.ToArray(), stop);
            foreach (LoggedEvent logged in page.Events)
                await SendAsync(body, logged, stop);
            cursor = page.Next;
            if (!page.HasMore || !isAllowed())
                break;
        }

        await body.FlushAsync(stop);
        return cursor;
    }

    /// <summary>Waits for events, a heartbeat at most; false when none will come.</summary>
    private async Task<bool> IsThereMoreAsync(Stream body, CancellationToken stop)
    {
        using var heartbeat = new CancellationTokenSource(Heartbeat, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, heartbeat.Token);
        try
        {
            return await news.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            await body.WriteAsync(": still here\n\n"u8.ToArray(), stop);
            return true;
        }
    }

    private static async Task SendAsync(Stream body, LoggedEvent logged, CancellationToken stop)
    {
        await body.WriteAsync(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"id: {logged.Cursor}\ndata: ")), stop);
        await body.WriteAsync(logged.Event.ToJson(), stop);
        await body.WriteAsync("\n\n"u8.ToArray(), stop);
    }
}
