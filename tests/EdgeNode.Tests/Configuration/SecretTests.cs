using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using EdgeNode.Configuration;
using EdgeNode.Telemetry;

namespace EdgeNode.Tests.Configuration;

public partial class SecretTests
{
    private const string Canary = "c4n4ry/p@ss:w#rd";
    private static readonly Secret Password = new(Canary);

    private static readonly CameraConfiguration Camera = new()
    {
        Id = "a",
        Name = "A",
        Url = new Secret($"rtsp://u:{Canary}@192.0.2.1/"),
        SubUrl = new Secret(Canary),
        Username = "u",
        Password = Password,
    };

    private static readonly NodeConfiguration Node = new()
    {
        Mqtt = new MqttSection { Broker = new Uri("mqtt://b"), Username = "u", Password = Password },
        Site = new SiteSection { Key = Password },
        Webhooks = [new WebhookSection { Url = new Secret($"https://h/{Canary}"), Secret = Password }],
        Cameras = [Camera],
    };

    [Fact]
    public void It_is_not_in_text_however_it_is_printed()
    {
        string[] printed =
        [
            Password.ToString(), $"{Password}", string.Format(CultureInfo.InvariantCulture, "{0} {1:X}", Password, Password), string.Concat("", Password), string.Join(' ', Password, Password),
            $"{Camera}", $"{Node}", $"{Node.Mqtt}", $"{Node.Site}", $"{Node.Webhooks}", $"{Node.Webhooks[0]}", $"{ConfigurationChange.Between(new NodeConfiguration(), Node)}",
            $"{new MqttLinkOptions { Broker = BrokerAddress.Parse("mqtt://b"), Site = "s", Node = "n", Version = "1", BootId = "b", Password = Password }}",
        ];
        Assert.All(printed, text => Assert.DoesNotContain(Canary, text, StringComparison.Ordinal));
        Assert.Contains("Password = ***", $"{Camera}", StringComparison.Ordinal);
    }

    [Fact]
    public void It_is_not_in_JSON_as_value_in_a_record_or_as_key()
    {
        Assert.Equal("\"***\"", JsonSerializer.Serialize(Password, SecretJson.Default.Secret));
        Assert.Equal("{\"***\":1}", JsonSerializer.Serialize(new Dictionary<Secret, int> { [Password] = 1 }, SecretJson.Default.DictionarySecretInt32));
        string json = JsonSerializer.Serialize(Node, SecretJson.Default.NodeConfiguration);
        Assert.DoesNotContain("c4n4ry", json, StringComparison.Ordinal);
        Assert.Contains("\"Password\":\"***\"", json, StringComparison.Ordinal);
    }

    [Fact]
    public void It_is_not_read_from_JSON() => Assert.Throws<JsonException>(() => JsonSerializer.Deserialize("\"x\"", SecretJson.Default.Secret));

    [Fact]
    public void Records_that_differ_in_a_secret_alone_are_different()
    {
        Assert.Equal(Camera, Camera with { Password = new Secret(Canary) });
        Assert.NotEqual(Camera, Camera with { Password = new Secret(Canary + "x") });
        Assert.NotEqual(Camera, Camera with { Password = null });
        Assert.NotEqual(Camera, Camera with { Url = new Secret("rtsp://u:other@192.0.2.1/") });
    }

    [JsonSerializable(typeof(Secret))]
    [JsonSerializable(typeof(Dictionary<Secret, int>))]
    [JsonSerializable(typeof(NodeConfiguration))]
    private sealed partial class SecretJson : JsonSerializerContext;
}
