using System.Net;
using System.Net.Sockets;
using EdgeNode.Telemetry;
using EdgeNode.Tests.Events;

namespace EdgeNode.Tests.Telemetry;

public class EmbeddedBrokerTests
{
    [Fact]
    public async Task It_serves_the_node_as_any_broker_does()
    {
        await using EmbeddedBroker broker = await EmbeddedBroker.StartAsync();
        using Witness witness = await Witness.JoinAsync(broker.Port);
        var link = new MqttLink(MqttLinkTests.Options(broker.Port) with { Broker = broker.Address }, TimeProvider.System, new ListLogger());
        link.PublishCameraState("entrance", new CameraStateMessage("streaming", DateTime.UnixEpoch, null));
        link.Enqueue(SampleEvents.Event(1));
        link.PublishHealth(MqttLinkTests.Report());
        link.Start();
        await witness.HearsAsync("edgenode/hq/edge-01/status", "\"online\"");
        await witness.HearsAsync("edgenode/hq/edge-01/events/face", "\"seq\":1");
        await witness.HearsAsync("edgenode/hq/edge-01/health", "\"uptime_s\":1");

        using Witness late = await Witness.JoinAsync(broker.Port);
        await late.HearsAsync("edgenode/hq/edge-01/status", "\"online\"");
        await late.HearsAsync("edgenode/hq/edge-01/cameras/entrance/state", "streaming");
        await link.DisposeAsync();
        await late.HearsAsync("edgenode/hq/edge-01/status", "\"offline\"");
    }

    [Fact]
    public async Task A_given_port_is_taken_and_one_in_use_is_refused_with_a_sentence()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        int port = ((IPEndPoint)taken.LocalEndpoint).Port;
        IOException error = await Assert.ThrowsAsync<IOException>(() => EmbeddedBroker.StartAsync(port));
        Assert.Contains($"port {port}", error.Message);
        Assert.Contains("choose another port", error.Message);
        taken.Stop();

        await using EmbeddedBroker broker = await EmbeddedBroker.StartAsync(port);
        Assert.Equal($"mqtt://127.0.0.1:{port}", broker.Url);
    }

    [Fact]
    public async Task It_listens_on_loopback_only()
    {
        await using EmbeddedBroker broker = await EmbeddedBroker.StartAsync();
        IPEndPoint[] listeners = System.Net.NetworkInformation.IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners();
        Assert.All(listeners.Where(l => l.Port == broker.Port), l => Assert.True(IPAddress.IsLoopback(l.Address)));
        Assert.Contains(listeners, l => l.Port == broker.Port);
    }
}
