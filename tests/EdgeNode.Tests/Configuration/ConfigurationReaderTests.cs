using System.Collections;
using CsCheck;
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
    public void Every_key_of_the_contract_is_read()
    {
        NodeConfiguration read = Read("""
            http: { listen: "0.0.0.0:8080", https: "[::]:9443", certificate: /c.pem, key: /k.pem, cors: ["https://dash.example", "http://10.0.0.1:3000"] }
            mqtt: { broker: "mqtts://broker:8883", certificate: /m.pem, key: /mk.pem, home_assistant: true }
            site: { key: abc, trust: /etc/edgenode/fleet-ca.pem }
            tokens: { grace: 2h, issuers: [ { name: central, issuer: "https://central.example", jwks: /etc/edgenode/central.jwks.json, role: operator } ] }
            models: { folder: /m, execution: [cuda, cpu], runtime: /r.so, plugins: [/p.so] }
            faces: { threshold: auto, margin: 0.1, unknown_retention: off }
            retention: { events: 10d, snapshots: 12h, max_bytes: 4e9 }
            gpio: { led: gpiochip0/17, output: door, input: bell }
            webhooks: [ { url: "https://h/x?t=1", secret: s, on: [unknown, recognized] } ]
            limits: { viewers: 7, connections_per_address: 8 }
            cameras:
              - id: entrance
                url: rtsps://192.0.2.10:554/main
                sub_url: rtsp://192.0.2.10:554/sub
                transport: udp
                client: ffmpeg
                decoder: nvv4l2
                analytics: { gate: off, ignore: [ [[0,0],[0.2,0],[0.2,0.3]], [[1,1],[0.5,1],[1,0.5]] ] }
            """);
        Assert.Equal(new HttpSection { Https = new ListenAddress("::", 9443), Certificate = "/c.pem", Key = "/k.pem", Cors = ["https://dash.example", "http://10.0.0.1:3000"] }, read.Http);
        Assert.Equal(new MqttSection { Broker = new Uri("mqtts://broker:8883"), Certificate = "/m.pem", Key = "/mk.pem", HomeAssistant = true }, read.Mqtt);
        Assert.Equal(new SiteSection { Key = new Secret("abc"), Trust = "/etc/edgenode/fleet-ca.pem" }, read.Site);
        Assert.Equal(new TokensSection
        {
            Grace = TimeSpan.FromHours(2),
            Issuers = [new IssuerSection { Name = "central", Issuer = "https://central.example", Jwks = "/etc/edgenode/central.jwks.json", Role = "operator" }],
        }, read.Tokens);
        Assert.Equal(new ModelsSection { Folder = "/m", Execution = [ExecutionProvider.Cuda, ExecutionProvider.Cpu], Runtime = "/r.so", Plugins = ["/p.so"] }, read.Models);
        Assert.Equal(new FacesSection { Margin = 0.1f, UnknownRetention = null }, read.Faces);
        Assert.Equal(new RetentionSection { Events = TimeSpan.FromDays(10), Snapshots = TimeSpan.FromHours(12), MaxBytes = 4_000_000_000 }, read.Retention);
        Assert.Equal(new GpioSection { Led = "gpiochip0/17", Output = "door", Input = "bell" }, read.Gpio);
        Assert.Equal([new WebhookSection { Url = new Secret("https://h/x?t=1"), Secret = new Secret("s"), On = [WebhookTrigger.Unknown, WebhookTrigger.Recognized] }], read.Webhooks);
        Assert.Equal(new LimitsSection { Viewers = 7, ConnectionsPerAddress = 8 }, read.Limits);
        Assert.Equal(new CameraConfiguration
        {
            Id = "entrance",
            Name = "entrance",
            Url = new Secret("rtsps://192.0.2.10:554/main"),
            SubUrl = new Secret("rtsp://192.0.2.10:554/sub"),
            Transport = RtpTransport.Udp,
            Client = RtspClient.Ffmpeg,
            Decoder = DecoderChoice.Nvv4l2,
            Analytics = new AnalyticsSection
            {
                Gate = AnalyticsGate.Off,
                Ignore = [[new PicturePoint(0, 0), new PicturePoint(0.2, 0), new PicturePoint(0.2, 0.3)], [new PicturePoint(1, 1), new PicturePoint(0.5, 1), new PicturePoint(1, 0.5)]],
            },
        }, read.Cameras[0]);
    }

    [Theory]
    [InlineData("", "0.0.0.0:8443")]
    [InlineData("http: { listen: '127.0.0.1:80' }", "127.0.0.1:8443")]
    [InlineData("http: { listen: '[::1]:0' }", "[::1]:0")]
    [InlineData("http: { https: off }", null)]
    [InlineData("http: { https: false }", null)]
    [InlineData("http: { https: '0.0.0.0:443' }", "0.0.0.0:443")]
    public void HTTPS_is_on_beside_HTTP_unless_it_is_off(string yaml, string? expected) => Assert.Equal(expected, Read(yaml).Http.Https?.ToString());

    [Fact]
    public void Keys_that_change_nothing_yet_are_named_with_their_line()
    {
        ConfigurationReader.Read("test.yaml", new StringReader("""
            gpio: { led: a }
            limits: { viewers: 3 }
            webhooks:
            cameras:
              - { id: a, url: "rtsp://x/", sub_url: "rtsp://y/" }
              - { id: b, url: "rtsp://x/", decoder: auto }
            """), NoEnvironment, out IReadOnlyList<ConfigurationError> notes);
        Assert.Equal(["'gpio' is", "'cameras[0].sub_url' is", "'cameras[1].decoder' is"], notes.Select(note => note.Message[..(note.Message.IndexOf(" is", StringComparison.Ordinal) + 3)]));
        Assert.Equal("test.yaml, line 6, column 32", notes[2].Place);
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
    [InlineData("http: { https: 'x:1' }", "line 1", "must begin with an IP address")]
    [InlineData("http: { https: '::1:8443' }", "line 1", "[::] in brackets")]
    [InlineData("http: { listen: '0.0.0.0:1', https: '0.0.0.0:1' }", "line 1", "another port")]
    [InlineData("http: { certificate: /c }", "line 1", "http.certificate and http.key together")]
    [InlineData("http: { cors: ['*'] }", "line 1", "'http.cors[0]' must be an origin")]
    [InlineData("http: { cors: 'https://a' }", "line 1", "must be a list")]
    [InlineData("mqtt:\n  broker: mqtt://b\n  key: /k", "line 3", "together")]
    [InlineData("tokens: { grace: sometimes }", "line 1", "from 1s to 1d, not 'sometimes'")]
    [InlineData("tokens: { issuers: [ { name: a, issuer: b } ] }", "line 1", "'tokens.issuers[0].jwks' is missing")]
    [InlineData("models: { execution: [cpu, gpu] }", "line 1", "'models.execution[1]' must be tensorrt, cuda, xnnpack or cpu, not 'gpu'")]
    [InlineData("models: { execution: [] }", "line 1", "1 to 8 entries")]
    [InlineData("retention: { max_bytes: 4.5 }", "line 1", "must be a whole number from 10000000 to")]
    [InlineData("retention: { max_bytes: 4GB }", "line 1", "must be a whole number")]
    [InlineData("faces: { threshold: NaN }", "line 1", "must be a number from 0 to 1")]
    [InlineData("webhooks: [ { url: 'ftp://x' } ]", "line 1", "must be a URL that begins with http")]
    [InlineData("webhooks: [ { url: 'http://x', on: [uknown] } ]", "line 1", "must be recognized, unknown or undetermined")]
    [InlineData("limits: { viewers: 0 }", "line 1", "from 1 to 10000, not '0'")]
    [InlineData("limits: []", "line 1", "'limits' must be a section")]
    [InlineData("cameras: { id: a }", "line 1", "must be a list, each entry behind a '-'")]
    [InlineData("cameras: [ a ]", "line 1", "'cameras[0]' must be a section")]
    [InlineData("cameras: [ { id: a, url: 'rtsp://x/', transport: http } ]", "line 1", "must be tcp or udp, not 'http'")]
    [InlineData("cameras: [ { id: a, url: 'rtsp://x/', analytics: { ignore: [ [[0,0],[1,1]] ] } } ]", "line 1", "3 to 64 entries")]
    [InlineData("cameras: [ { id: a, url: 'rtsp://x/', analytics: { ignore: [ [[0,0],[1,1],[2,0]] ] } } ]", "line 1", "'cameras[0].analytics.ignore[0][2]' must be a number from 0 to 1, not '2'")]
    [InlineData("cameras: [ { id: a, url: 'rtsp://x/', analytics: { ignore: [ [[0,0],[1,1],[0]] ] } } ]", "line 1", "must be a point [x, y]")]
    [InlineData("cameras:\n  - id: a\n    url: rtsp://x/\n    password: #abc", "line 4", "must stand in quotes")]
    [InlineData("cameras:\n  - id: a\n    url: rtsp://x/\n    password: &abc", "line 4", "in quotes")]
    [InlineData("cameras:\n  - id: a\n    url: rtsp://x/\n    password: !abc", "line 4", "in quotes")]
    [InlineData("cameras:\n\t- id: a", "line 2", "tab")]
    [InlineData("node:\r\n  id: a\r\n  sit: b\r\n", "line 3", "Did you mean 'site'?")]
    [InlineData("? [a, b]\n: c", "line 1", "plain word")]
    public void What_is_wrong_is_said_with_its_line(string yaml, string place, string message)
    {
        ConfigurationError error = Assert.Single(Assert.Throws<ConfigurationException>(() => Read(yaml)).Errors);
        Assert.StartsWith($"test.yaml, {place}, column ", error.Place, StringComparison.Ordinal);
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

    [Theory]
    [InlineData("mqtt: { broker: 'mqtt://u:c4n4ry@b' }")]
    [InlineData("node: { base_url: 'https://u:c4n4ry@b' }")]
    [InlineData("http: { cors: ['https://u:c4n4ry@b'] }")]
    [InlineData("cameras: [ { id: a, url: 'exec:c4n4ry' } ]")]
    [InlineData("cameras: [ { id: a, url: 'rtsp://x/', password: [c4n4ry] } ]")]
    [InlineData("cameras: [ { id: a, url: 'rtsp://x/', password: {c4n4ry} } ]")]
    [InlineData("cameras: [ { id: a, url: 'rtsp://x/', password: {c4n4ry: x} } ]")]
    [InlineData("cameras: [ { id: a, url: 'rtsp://x/', password: {file: {c4n4ry: x}} } ]")]
    [InlineData("cameras: [ { id: a, url: 'rtsp://x/', password: b,c4n4ry } ]")]
    [InlineData("cameras: [ { id: a, url: 'rtsp://x/', password: 'b'c4n4ry } ]")]
    [InlineData("cameras:\n - id: a\n   url: rtsp://x/\n   password: *c4n4ry")]
    [InlineData("cameras:\n - id: a\n   url: rtsp://x/\n   password: !c4n4ry")]
    [InlineData("cameras:\n - id: a\n   url: rtsp://x/\n   password: @c4n4ry")]
    [InlineData("cameras:\n - id: a\n   url: rtsp://x/\n   password: 'c4n4ry")]
    [InlineData("cameras:\n - id: a\n   url: rtsp://x/\n   password: \"\\c4n4ry\"")]
    [InlineData("cameras:\n - id: a\n   url: rtsp://x/\n   rtsp://u:c4n4ry@x/: b")]
    [InlineData("webhooks: [ { url: 'c4n4ry' } ]")]
    public void What_is_wrong_with_a_secret_is_said_without_it(string yaml) =>
        Assert.DoesNotContain("c4n4ry", Assert.Throws<ConfigurationException>(() => Read(yaml)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_secret_whose_file_is_empty_a_folder_or_too_long_is_said()
    {
        string folder = Directory.CreateTempSubdirectory("edgenode-secret").FullName;
        File.WriteAllText(Path.Combine(folder, "empty"), "\n");
        File.WriteAllText(Path.Combine(folder, "long"), new string('c', 100_000));
        foreach ((string name, string complaint) in new[] { ("empty", "is empty"), (".", "it is a folder"), ("long", "too long") })
        {
            ConfigurationError error = Assert.Single(Assert.Throws<ConfigurationException>(() => Read($"site:\n  key: {{ file: '{Path.Combine(folder, name)}' }}")).Errors);
            Assert.Contains(complaint, error.Message, StringComparison.Ordinal);
            Assert.Contains("line 2", error.Place, StringComparison.Ordinal);
        }

        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Errors_stand_in_the_order_of_the_file() => Assert.Equal(
        ["line 1", "line 2", "line 3"],
        Assert.Throws<ConfigurationException>(() => Read("limits: { viewers: x }\nfoo: 1\nnode: { id: X }")).Errors.Select(e => e.Place.Split(", ")[1]));

    [Fact]
    public void The_number_of_errors_is_bounded()
    {
        IReadOnlyList<ConfigurationError> errors = Assert.Throws<ConfigurationException>(() => Read(string.Concat(Enumerable.Range(0, 5000).Select(i => $"k{i}: 1\n")))).Errors;
        Assert.Equal((101, "There are 4900 more errors."), (errors.Count, errors[^1].Message));
    }

    [Fact]
    public void A_file_that_is_no_configuration_ends_in_a_sentence()
    {
        Assert.Contains("longer than", Assert.Throws<ConfigurationException>(() => Read(new string('#', 2 << 20))).Message, StringComparison.Ordinal);
        Assert.Contains("nested too deeply", Assert.Throws<ConfigurationException>(() => Read("node: " + new string('[', 100_000))).Message, StringComparison.Ordinal);
        Assert.Contains("nested too deeply", Assert.Throws<ConfigurationException>(() => Read(string.Concat(Enumerable.Range(0, 200).Select(i => new string(' ', i) + "a:\n")))).Message, StringComparison.Ordinal);
        string file = Path.GetTempFileName();
        File.WriteAllBytes(file, [.. "node: { id: "u8, 0xE4, .. " }"u8]);
        Assert.Contains("UTF-8", Assert.Throws<ConfigurationException>(() => ConfigurationReader.ReadFile(file)).Message, StringComparison.Ordinal);
        File.WriteAllBytes(file, [0xEF, 0xBB, 0xBF, .. "node: { id: bom }\r\n"u8]);
        Assert.Equal("bom", ConfigurationReader.ReadFile(file).Node.Id);
        File.Delete(file);
        Assert.Equal("bom", Read("\uFEFFnode: { id: bom }").Node.Id);
    }

    [Fact]
    public void The_environment_gives_lists_and_secret_files_too()
    {
        string file = Path.GetTempFileName();
        File.WriteAllText(file, "geheim");
        var environment = new Hashtable
        {
            ["EDGENODE__MODELS__EXECUTION"] = "[cpu]",
            ["EDGENODE__CAMERAS"] = "[ { id: a, url: 'rtsp://x/' } ]",
            ["EDGENODE__SITE__KEY__FILE"] = file,
            ["EDGENODE__FACES__THRESHOLD"] = "0.5",
        };
        NodeConfiguration read = ConfigurationReader.Read("test.yaml", new StringReader("site: { key: other }"), environment);
        File.Delete(file);
        Assert.Equal([ExecutionProvider.Cpu], read.Models.Execution);
        Assert.Equal(("a", "geheim", 0.5f), (read.Cameras[0].Id, read.Site.Key!.Reveal(), read.Faces.Threshold));
    }

    [Fact]
    public void Whatever_the_text_is_it_is_read_or_refused_with_sentences()
    {
        string[] pieces =
        [
            "node", "cameras", "id", "url", "ignore", "analytics", ": ", ":", " ", "  ", "\n", "\r\n", "- ", "-", "{", "}", "[", "]", ",", "'", "\"", "\\", "&a", "*a", "!t", "|", ">", "#", "\t", "%", "@", "?",
            "---\n", "...\n", "\0", "\uFEFF", "\uD800", "\u0085", "é", "rtsp://x/", "a", "1e9", "~", "<<", "`", "%YAML 1.2\n",
        ];
        Gen.Int[0, pieces.Length - 1].Array[0, 40].Sample(
            chosen =>
            {
                try
                {
                    Read(string.Concat(chosen.Select(i => pieces[i])));
                }
                catch (ConfigurationException fault)
                {
                    Assert.All(fault.Errors, error => Assert.NotEmpty(error.Message));
                }
            },
            iter: 20_000);
    }

    private static NodeConfiguration Read(string yaml) => ConfigurationReader.Read("test.yaml", new StringReader(yaml), NoEnvironment);
}
