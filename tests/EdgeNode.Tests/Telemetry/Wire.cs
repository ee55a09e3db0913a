using System.Net;
using System.Net.Sockets;

namespace EdgeNode.Tests.Telemetry;

/// <summary>A TCP connection between client and broker that can be cut, that can swallow everything, and that can be listened in on.</summary>
internal sealed class Wire : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly int _brokerPort;
    private readonly List<Socket> _sockets = [];
    private volatile bool _isBlackHole;
    private int _connections;

    internal Wire(int brokerPort)
    {
        _brokerPort = brokerPort;
        _listener.Start();
        _ = AcceptAsync();
    }

    internal int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Connections that clients made so far.</summary>
    internal int Connections => Volatile.Read(ref _connections);

    /// <summary>Sees what the client sends before the broker does: what it returns is sent back instead, and the connection closed.</summary>
    internal Func<byte[], byte[]?>? Intercept { get; set; }

    public void Dispose()
    {
        _listener.Stop();
        CutAll();
    }

    /// <summary>From now on nothing goes through the connections that are open; nobody is told.</summary>
    internal void BlackHoleOpenConnections()
    {
        lock (_sockets)
            _sockets.Clear();
        _isBlackHole = true;
    }

    /// <summary>New connections go through again.</summary>
    internal void Heal() => _isBlackHole = false;

    /// <summary>Cuts the open connections and takes no others.</summary>
    internal void CutForGood() => Dispose();

    private void CutAll()
    {
        lock (_sockets)
        {
            foreach (Socket socket in _sockets)
                socket.Close(0);
            _sockets.Clear();
        }
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                Socket client = await _listener.AcceptSocketAsync();
                Interlocked.Increment(ref _connections);
                var broker = new Socket(SocketType.Stream, ProtocolType.Tcp);
                lock (_sockets)
                {
                    _sockets.Add(client);
                    _sockets.Add(broker);
                }

                try
                {
                    await broker.ConnectAsync(IPAddress.Loopback, _brokerPort);
                }
                catch (SocketException)
                {
                    client.Close(0);
                    continue;
                }

                _ = PumpAsync(client, broker, isFromClient: true);
                _ = PumpAsync(broker, client, isFromClient: false);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private async Task PumpAsync(Socket from, Socket to, bool isFromClient)
    {
        byte[] buffer = new byte[65536];
        try
        {
            while (true)
            {
                int length = await from.ReceiveAsync(buffer);
                if (length == 0)
                    break;
                if (_isBlackHole && IsForgotten(from))
                    continue;
                if (isFromClient && Intercept?.Invoke(buffer[..length]) is { } answer)
                {
                    await from.SendAsync(answer);
                    from.Shutdown(SocketShutdown.Send);
                    break;
                }

                await to.SendAsync(buffer.AsMemory(0, length));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Cut.
        }

        if (!IsForgotten(from))
            to.Close();
    }

    private bool IsForgotten(Socket socket)
    {
        lock (_sockets)
            return !_sockets.Contains(socket);
    }
}
