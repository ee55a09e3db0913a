using System.Net;
using System.Net.Sockets;
using MQTTnet.Server;

namespace EdgeNode.Telemetry;

/// <summary>A small MQTT broker inside the process, on loopback only and without accounts: for <c>edgenode demo</c>, where there is no other.</summary>
public sealed class EmbeddedBroker : IAsyncDisposable
{
    private const int AttemptsForFreePort = 10;
    private const int PendingMessagesPerClient = 1000;

    private readonly MqttServer _server;

    private EmbeddedBroker(MqttServer server, int port)
    {
        _server = server;
        Port = port;
    }

    /// <summary>The port it listens on.</summary>
    public int Port { get; }

    /// <summary><c>mqtt://127.0.0.1:PORT</c></summary>
    public string Url => $"mqtt://{IPAddress.Loopback}:{Port}";

    /// <summary>Its address for <see cref="MqttLinkOptions.Broker"/>.</summary>
    public BrokerAddress Address => new(IPAddress.Loopback.ToString(), Port, IsTls: false);

    /// <summary>Starts one; port 0 takes a free one.</summary>
    /// <exception cref="IOException">The port is in use; the message says so.</exception>
    public static async Task<EmbeddedBroker> StartAsync(int port = 0)
    {
        for (int attempt = 1; ; attempt++)
        {
            int candidate = port != 0 ? port : FreePort();
            MqttServerOptions options = new MqttServerOptionsBuilder()
                .WithDefaultEndpoint()
                .WithDefaultEndpointBoundIPAddress(IPAddress.Loopback)
                .WithDefaultEndpointBoundIPV6Address(IPAddress.None)
                .WithDefaultEndpointPort(candidate)
                .WithMaxPendingMessagesPerClient(PendingMessagesPerClient)
                .Build();
            MqttServer server = new MqttServerFactory().CreateMqttServer(options, [new NamelessClients()]);
            try
            {
                await server.StartAsync().ConfigureAwait(false);
                return new EmbeddedBroker(server, candidate);
            }
            catch (SocketException) when (port == 0 && attempt < AttemptsForFreePort)
            {
                // Somebody took it between the look and the bind.
                server.Dispose();
            }
            catch (SocketException e)
            {
                server.Dispose();
                throw new IOException($"The demo's MQTT broker cannot listen on port {candidate} ({e.SocketErrorCode}): choose another port.", e);
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _server.StopAsync().ConfigureAwait(false);
        _server.Dispose();
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
