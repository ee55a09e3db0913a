using System.Buffers;
using System.Text;
using MQTTnet;
using MQTTnet.Protocol;

namespace EdgeNode.Tests.Telemetry;

/// <summary>Another client at the broker: hears everything under edgenode/ and can say something itself.</summary>
internal sealed class Witness : IDisposable
{
    private readonly IMqttClient _client = new MqttClientFactory().CreateMqttClient();
    private readonly List<Heard> _heard = [];

    internal Heard[] All
    {
        get
        {
            lock (_heard)
                return [.. _heard];
        }
    }

    public void Dispose() => _client.Dispose();

    internal static async Task<Witness> JoinAsync(int port)
    {
        var witness = new Witness();
        witness._client.ApplicationMessageReceivedAsync += e =>
        {
            MqttApplicationMessage message = e.ApplicationMessage;
            lock (witness._heard)
                witness._heard.Add(new Heard(message.Topic, Encoding.UTF8.GetString(message.Payload.ToArray()), message.Retain, message.QualityOfServiceLevel));
            return Task.CompletedTask;
        };
        await witness._client.ConnectAsync(new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", port).Build());
        await witness._client.SubscribeAsync("edgenode/#", MqttQualityOfServiceLevel.AtLeastOnce);
        return witness;
    }

    internal string[] On(string topic) => [.. All.Where(h => h.Topic == topic).Select(h => h.Payload)];

    internal Task HearsAsync(string topic, string part) => Eventually.TrueAsync(() => On(topic).Any(p => p.Contains(part)), $"{part} on {topic}");

    internal Task SayRetainedAsync(string topic, string payload) => _client.PublishStringAsync(topic, payload, MqttQualityOfServiceLevel.AtLeastOnce, retain: true);

    /// <summary>Retain is true only of what the broker had kept from before.</summary>
    internal sealed record Heard(string Topic, string Payload, bool Retain, MqttQualityOfServiceLevel Quality);
}
