using System.Net;
using System.Net.Sockets;

namespace EdgeNode.Ingest.Libav;

/// <summary>
/// Asks for a host's address before libavformat does: its own question (getaddrinfo) can be interrupted by nothing, and a name server that
/// is away answers after half a minute.
/// </summary>
internal static class NameLookup
{
    /// <summary>Returns once the name has an address.</summary>
    /// <exception cref="SourceException">It has none, or the answer did not come in time.</exception>
    public static void Await(string host, TimeSpan within, ManualResetEventSlim abort, TimeProvider time, string name)
    {
        if (IPAddress.TryParse(host, out _))
            return;
        var answered = new ManualResetEventSlim(); // set by the lookup, which may outlive this call
        Task<IPAddress[]> lookup = Dns.GetHostAddressesAsync(host).WaitAsync(within, time);
        lookup.ContinueWith(_ => answered.Set(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        WaitHandle.WaitAny([answered.WaitHandle, abort.WaitHandle]);
        if (abort.IsSet)
            throw new SourceException(SourceTrouble.Closed, $"{name} was closed.");
        try
        {
            _ = lookup.GetAwaiter().GetResult();
        }
        catch (SocketException e)
        {
            throw new SourceException(SourceTrouble.Unreachable, $"{name} cannot be reached: the name {host} is not known.", e);
        }
        catch (TimeoutException e)
        {
            throw new SourceException(SourceTrouble.Unreachable, $"{name} cannot be reached: no name server answered within {within.TotalSeconds:0.#} s.", e);
        }
    }
}
