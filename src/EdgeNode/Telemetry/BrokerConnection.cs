using System.Net;
using System.Net.Sockets;
using MQTTnet.Channel;

namespace EdgeNode.Telemetry;

/// <summary>
/// The TCP connection under one MQTT session, held by us so that it can be cut at once: MQTTnet's own ways to disconnect wait for
/// a peer that may be gone.
/// </summary>
internal sealed class BrokerConnection : IMqttClientStreamProvider, IDisposable
{
    private Socket? _socket;
    private bool _isCut;

    /// <summary>TCP came about, whatever became of MQTT.</summary>
    internal bool WasEstablished { get; private set; }

    /// <summary>We cut it ourselves.</summary>
    internal bool IsCut => Volatile.Read(ref _isCut);

    /// <inheritdoc/>
    public async Task<Stream> ConnectAsync(EndPoint brokerEndPoint, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _socket = socket;
        await socket.ConnectAsync(brokerEndPoint, cancellationToken).ConfigureAwait(false);
        WasEstablished = true;
        return new NetworkStream(socket, ownsSocket: true);
    }

    /// <summary>Cuts the connection without a word, so that the broker sends the last will and our side learns of it at once.</summary>
    internal void Cut()
    {
        Volatile.Write(ref _isCut, true);
        _socket?.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose() => _socket?.Dispose();
}
