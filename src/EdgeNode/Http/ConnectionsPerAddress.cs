using System.Net;
using Microsoft.AspNetCore.Connections;

namespace EdgeNode.Http;

/// <summary>
/// Bounds the connections that one address holds at once. This machine's own are not counted: behind a proxy on it are many.
/// Thread-safe.
/// </summary>
internal sealed class ConnectionsPerAddress(int atMost)
{
    private readonly Dictionary<IPAddress, int> _open = [];
    private readonly Lock _gate = new();

    /// <summary>The connection middleware.</summary>
    public ConnectionDelegate Limit(ConnectionDelegate next) => async connection =>
    {
        if (connection.RemoteEndPoint is not IPEndPoint { Address: var address } || IPAddress.IsLoopback(address))
        {
            await next(connection);
            return;
        }

        if (!TryEnter(address))
        {
            connection.Abort();
            return;
        }

        try
        {
            await next(connection);
        }
        finally
        {
            Leave(address);
        }
    };

    /// <summary>Counts a connection; false when the address has as many as it may.</summary>
    internal bool TryEnter(IPAddress address)
    {
        lock (_gate)
        {
            int open = _open.GetValueOrDefault(address);
            if (open >= atMost)
                return false;
            _open[address] = open + 1;
            return true;
        }
    }

    /// <summary>A counted connection ended.</summary>
    internal void Leave(IPAddress address)
    {
        lock (_gate)
        {
            if (--_open[address] == 0)
                _open.Remove(address);
        }
    }
}
