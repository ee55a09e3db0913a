using System.Net;
using Microsoft.AspNetCore.Connections;

namespace EdgeNode.Http;

/// <summary>
/// Bounds the connections that one address (<see cref="ClientNetwork"/>) holds at once. This machine's own are not counted: behind a proxy on it are many.
/// Thread-safe.
/// </summary>
internal sealed class ConnectionsPerAddress(int atMost)
{
    private readonly Occupancy<IPAddress> _open = new(atMost);

    /// <summary>The connection middleware.</summary>
    public ConnectionDelegate Limit(ConnectionDelegate next) => async connection =>
    {
        if (connection.RemoteEndPoint is not IPEndPoint { Address: var address } || IPAddress.IsLoopback(address))
        {
            await next(connection);
            return;
        }

        IPAddress client = ClientNetwork.Of(address);
        if (!_open.TryEnter(client))
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
            _open.Leave(client);
        }
    };
}
