using System.Collections;
using EdgeNode.Configuration;

namespace EdgeNode.Tests.Configuration;

public class ConfigurationReaderTests
{
    private static readonly Hashtable NoEnvironment = [];

    [Fact]
    public void The_whole_file_is_read()
    {
        NodeConfiguration read = Read("""
            node: { site: hq, id: edge-01, state: /tmp/s, base_url: "https://edge-01.local:8443" }
            http: { listen: "[::1]:9000" }
            mqtt: { broker: "mqtts://broker:8884", username: u, password: secret }
            tokens: { lifetime: 45m }
            faces: { threshold: 0.5, margin: auto, min_face_px: 40, max_event: 5m }
            cameras:
              - id: entrance
                name: Main entrance
                url: rtsp://192.0.2.10:554/main
                username: cam
                password: "p@ss:w/rd#1"
                analytics: { enabled: false, fps: 5 }
              - { id: yard, url: "rtsp://192.0.2.11/" }
            """);
        Assert.Equal(("hq", "edge-01", "/tmp/s", "edge-01.local"), (read.Node.Site, read.Node.Id, read.Node.State, read.Node.BaseUrl!.Host));
        Assert.Equal(("::1", 9000), (read.Http.Host, read.Http.Port));
        Assert.Equal(("broker", 8884, "u", "secret"), (read.Mqtt!.Broker.Host, read.Mqtt.Broker.Port, read.Mqtt.Username, read.Mqtt.Password!.Reveal()));
        Assert.Equal(TimeSpan.FromMinutes(45), read.Tokens.Lifetime);
        Assert.Equal((0.5f, null, 40, TimeSpan.FromMinutes(5)), (read.Faces.Threshold!.Value, read.Faces.Margin, read.Faces.MinFacePx, read.Faces.MaxEvent));
        Assert.Equal(["entrance", "yard"], read.Cameras.Select(c => c.Id));
        CameraConfiguration entrance = read.Cameras[0];
        Assert.Equal(("Main entrance", "p@ss:w/rd#1", false, 5d), (entrance.Name, entrance.Password!.Reveal(), entrance.Analytics.Enabled, entrance.Analytics.Fps));
        Assert.Equal(("yard", true, 10d), (read.Cameras[1].Name, read.Cameras[1].Analytics.Enabled, read.Cameras[1].Analytics.Fps));
    }

    [Fact]
    public void An_empty_file_gives_the_defaults() => Assert.Equal(8080, Read("").Http.Port);

    [Theory]
    [InlineData("node: { stie: hq }", "line 1", "'node.stie' is not known. Did you mean 'site'?")]
    [InlineData("node: { id: edge }\ncamras: []", "line 2", "'camras' is not known. Did you mean 'cameras'?")]
    [InlineData("cameras:\n  - id: a\n    url: rtsp://x/\n    analytics: { fsp: 3 }", "line 4", "'cameras[0].analytics.fsp' is not known. Did you mean 'fps'?")]
    [InlineData("node: { site: HQ }", "line 1", "'node.site' must be 1 to 50 of a-z, 0-9 and '-', not 'HQ'")]
    [InlineData("cameras:\n  - id: a", "line 2", "'cameras[0].url' is missing")]
    [InlineData("cameras:\n  - url: rtsp://x/", "line 2", "'cameras[0].id' is missing")]
    [InlineData("cameras:\n  - { id: a, url: 'rtsp://x/' }\n  - { id: a, url: 'rtsp://y/' }", "line 3", "another camera's already")]
    [InlineData("cameras: [ { id: a, url: 'exec:rm' } ]", "line 1", "must begin with rtsp://")]
    [InlineData("tokens: { lifetime: 30 }", "line 1", "must be a duration with its unit")]
    [InlineData("http: { listen: '0.0.0.0' }", "line 1", "must be ADDRESS:PORT")]
    [InlineData("http: { listen: 'camera.local:80' }", "line 1", "must begin with an IP address")]
    [InlineData("mqtt: { broker: 'http://b' }", "line 1", "must be a URL that begins with mqtt:// or mqtts://")]
    [InlineData("mqtt: { username: u }", "line 1", "'mqtt.broker' is missing")]
    [InlineData("node: {id: a}\nhttp: {listen: 'x", "line 2", "no valid YAML")]
    [InlineData("node: {id: a}\nnode: {id: b}", "line 2", "twice")]
    [InlineData("- a", "line 1", "sections")]
    [InlineData("node: { id: a }\n---\nnode: { stie: b }", "line 2", "one document")]
    [InlineData("mqtt: { broker: 'mqtt://b:1883/x' }", "line 1", "no path")]
    [InlineData("node: { id: gallery }", "line 1", "reserved")]
    [InlineData("faces: { min_face_px: many }", "line 1", "must be a whole number from 16 to 512, not 'many'")]
    [InlineData("node: &a { id: x }\nhttp: *a", "line 2", "Anchors")]
    public void What_is_wrong_is_said_with_its_line(string yaml, string place, string message)
    {
        ConfigurationError error = Assert.Single(Assert.Throws<ConfigurationException>(() => Read(yaml)).Errors);
        Assert.Equal($"test.yaml, {place}", error.Place);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_error_is_named_at_once() =>
        Assert.Equal(3, Assert.Throws<ConfigurationException>(() => Read("node: { a: 1 }\nhttp: { b: 1 }\nfaces: { threshold: 7 }")).Errors.Count);

    [Fact]
    public void The_environment_overrides_the_file()
    {
        var environment = new Hashtable { ["EDGENODE__NODE__ID"] = "from-env", ["EDGENODE__MQTT__BROKER"] = "mqtt://b", ["PATH"] = "x" };
        NodeConfiguration read = ConfigurationReader.Read("test.yaml", new StringReader("node: { id: file, site: hq }"), environment);
        Assert.Equal(("from-env", "hq", "b"), (read.Node.Id, read.Node.Site, read.Mqtt!.Broker.Host));
    }

    [Fact]
    public void A_wrong_variable_is_named()
    {
        var environment = new Hashtable { ["EDGENODE__HTTP__LISTENN"] = "x" };
        ConfigurationError error = Assert.Single(Assert.Throws<ConfigurationException>(
            () => ConfigurationReader.Read("test.yaml", new StringReader(""), environment)).Errors);
        Assert.Equal("environment variable EDGENODE__HTTP__LISTENN", error.Place);
    }

    [Fact]
    public void A_secret_comes_from_a_file_and_is_never_printed()
    {
        string file = Path.GetTempFileName();
        File.WriteAllText(file, "geheim\n");
        NodeConfiguration read = Read($"mqtt: {{ broker: 'mqtt://b', password: {{ file: '{file}' }} }}");
        File.Delete(file);
        Assert.Equal("geheim", read.Mqtt!.Password!.Reveal());
        Assert.DoesNotContain("geheim", $"{read} {read.Mqtt} {read.Mqtt.Password}", StringComparison.Ordinal);
    }

    [Fact]
    public void A_secret_file_that_is_missing_is_named()
    {
        ConfigurationError error = Assert.Single(Assert.Throws<ConfigurationException>(
            () => Read("mqtt: { broker: 'mqtt://b', password: { file: /no/such } }")).Errors);
        Assert.Contains("/no/such", error.Message, StringComparison.Ordinal);
    }

    private static NodeConfiguration Read(string yaml) => ConfigurationReader.Read("test.yaml", new StringReader(yaml), NoEnvironment);
}
