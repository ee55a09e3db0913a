using System.Threading.Channels;

namespace EdgeNode.Events;

/// <summary>
/// One listener to an <see cref="EventLog"/>. It is only woken, and reads on from its own cursor: however slow it is, it misses
/// nothing that the log still holds, and no queue grows for it.
/// </summary>
public sealed class EventSubscription : IDisposable
{
    private readonly EventLog _log;
    private readonly Channel<bool> _news = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    internal EventSubscription(EventLog log) => _log = log;

    /// <summary>Waits for events that came after the last wait, or after <see cref="EventLog.Subscribe"/>; false once disposed. One caller at a time.</summary>
    /// <exception cref="OperationCanceledException">Stopped.</exception>
    public async ValueTask<bool> WaitAsync(CancellationToken stop) => await _news.Reader.WaitToReadAsync(stop) && _news.Reader.TryRead(out _);

    /// <inheritdoc/>
    public void Dispose()
    {
        _log.Unsubscribe(this);
        _news.Writer.TryComplete();
    }

    internal void Wake() => _news.Writer.TryWrite(true);
}
