using System.Runtime.InteropServices;
using System.Threading.Channels;

namespace EdgeNode.Commands;

/// <summary>
/// SIGHUP: it asks for the configuration to be read anew. To be held from before the node starts until it has ended, for without a
/// handler the signal ends the process. However many come while one is carried out, one more follows.
/// </summary>
internal sealed class HangUps : IDisposable
{
    private readonly Channel<bool> _asked = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly PosixSignalRegistration _registration;

    /// <summary>Takes the signal from now on.</summary>
    public HangUps() => _registration = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
    {
        signal.Cancel = true;
        _asked.Writer.TryWrite(true);
    });

    /// <summary>Runs <paramref name="reload"/> each time it is asked for, also for what was asked before this call, until <paramref name="stop"/>.</summary>
    public async Task CarryOutAsync(Action reload, CancellationToken stop)
    {
        try
        {
            await foreach (bool _ in _asked.Reader.ReadAllAsync(stop))
                await Task.Run(reload, CancellationToken.None);
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }

    public void Dispose() => _registration.Dispose();
}
