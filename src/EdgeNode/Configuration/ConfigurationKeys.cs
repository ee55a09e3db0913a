using System.Text.RegularExpressions;

namespace EdgeNode.Configuration;

/// <summary>
/// Every key of the file, once: its name, what its value looks like, where it goes, what it means and what holds without it. The reader
/// (<see cref="ConfigurationReader"/>), the schema (<see cref="ConfigurationSchema"/>) and the commented reference file
/// (<see cref="ConfigurationReference"/>) are made of this table.
/// </summary>
internal static partial class ConfigurationKeys
{
    private const string SitePattern = "^[a-z0-9-]{1,50}$";
    private const string NodePattern = "^(?!gallery$)[a-z0-9-]{1,50}$";
    private const string CameraPattern = "^[a-z0-9][a-z0-9_-]{0,62}$";
    private const string WebPattern = @"^https?://[^/?#@\s]+(/[^?#@\s]*)?$";
    private const string BrokerPattern = @"^mqtts?://[^/?#@\s]+/?$";
    private const string OriginPattern = @"^https?://[^/?#@\s*]+$";
    private const string RolePattern = "^(viewer|operator|admin)$";
    private const string CameraUrlSubject = "The camera's URL ";

    private static readonly TextKind Text = new();
    private static readonly TextKind FilePath = new(allowed: "a path");
    private static readonly FlagKind Flag = new();
    private static readonly SecretKind Secret = new();
    private static readonly SecretKind CameraAddress = new(CheckCameraUrl);
    private static readonly UrlKind WebUrl = new(WebPattern, WebForm(), "a URL that begins with http:// or https:// and holds no password");

    private static readonly SectionKind<NodeSection> Node = new SectionKind<NodeSection>(static () => new NodeSection())
        .Key("site", new TextKind(SitePattern, SiteForm(), "1 to 50 of a-z, 0-9 and '-'"), (s, v) => s with { Site = v }, "The site: topics, tokens and the shared gallery begin with it.", "default")
        .Key("id", new TextKind(NodePattern, NodeForm(), "1 to 50 of a-z, 0-9 and '-' (not 'gallery', which is reserved)"), (s, v) => s with { Id = v }, "This node's name within the site; it may become a host name.", "edgenode")
        .Key("state", FilePath, (s, v) => s with { State = v }, "Folder of everything that lasts: keys, people, events, cameras added by the API.", "/var/lib/edgenode")
        .Key("base_url", WebUrl, (s, v) => s with { BaseUrl = v }, "The URL under which others reach this node, for view URLs; without it, it is made of the host's name and the port.", example: "\"https://edge-01.local:8443\"");

    private static readonly SectionKind<HttpSection> Http = new SectionKind<HttpSection>(static () => new HttpSection(), CheckHttp)
        .Key("listen", new ListenKind(), (s, v) => s with { Host = v.Host, Port = v.Port }, "Address and port of plain HTTP; port 0 lets the system choose.", "\"0.0.0.0:8080\"")
        .Key("https", new OrWordReferenceKind<ListenAddress>("off", new ListenKind()), (s, v) => s with { Https = v }, "Address and port of HTTPS, or off; without it port 8443 of the same address.", "\"0.0.0.0:8443\"")
        .Key("certificate", FilePath, (s, v) => s with { Certificate = v }, "PEM file of the certificate, then those that vouch for it; without it the node makes its own.", example: "/etc/edgenode/tls/cert.pem")
        .Key("key", FilePath, (s, v) => s with { Key = v }, "PEM file of the certificate's private key.", example: "/etc/edgenode/tls/key.pem")
        .Key("cors", new ListKind<string>(new TextKind(OriginPattern, OriginForm(), "an origin such as https://dash.example, without path and password", repeat: false), most: 32), (s, v) => s with { Cors = v }, "Origins whose pages may call the API.", "[]");

    private static readonly SectionKind<MqttSection> Mqtt = new SectionKind<MqttSection>(static () => new MqttSection { Broker = new Uri("mqtt://localhost") }, CheckMqtt)
        .Key("broker", new UrlKind(BrokerPattern, BrokerForm(), "a URL that begins with mqtt:// or mqtts:// and holds no password and no path"), (s, v) => s with { Broker = v }, "The broker; ports 1883 and 8883 (mqtts) where none is given.", example: "\"mqtts://broker:8883\"", required: true)
        .Key("username", Text, (s, v) => s with { Username = v }, "User name, where the broker asks for one.", example: "edge-01")
        .Key("password", Secret, (s, v) => s with { Password = v }, "That user's password.", example: "{ file: /run/secrets/mqtt }")
        .Key("ca", FilePath, (s, v) => s with { Ca = v }, "PEM file of the authority that signed the broker's certificate; without it those of the system.", example: "/etc/edgenode/broker-ca.pem")
        .Key("certificate", FilePath, (s, v) => s with { Certificate = v }, "PEM file of the node's own certificate, where the broker asks for one.", example: "/etc/edgenode/mqtt.pem")
        .Key("key", FilePath, (s, v) => s with { Key = v }, "PEM file of that certificate's private key.", example: "/etc/edgenode/mqtt-key.pem")
        .Key("home_assistant", Flag, (s, v) => s with { HomeAssistant = v }, "Whether Home Assistant discovers the node and its cameras.", "false");

    private static readonly SectionKind<SiteSection> Site = new SectionKind<SiteSection>(static () => new SiteSection())
        .Key("key", Secret, (s, v) => s with { Key = v }, "The key under which the site's nodes share their gallery.", example: "{ file: /run/secrets/site }")
        .Key("trust", FilePath, (s, v) => s with { Trust = v }, "PEM file of the fleet's authority: whose nodes may sign entries of the gallery.", example: "/etc/edgenode/fleet-ca.pem");

    private static readonly SectionKind<IssuerSection> Issuer = new SectionKind<IssuerSection>(static () => new IssuerSection { Name = "", Issuer = "", Jwks = "" })
        .Key("name", Text, (s, v) => s with { Name = v }, "What logs call it.", example: "central", required: true)
        .Key("issuer", Text, (s, v) => s with { Issuer = v }, "The iss of its tokens.", example: "\"https://central.example\"", required: true)
        .Key("jwks", FilePath, (s, v) => s with { Jwks = v }, "File of its public keys, a JWK set (RFC 7517).", example: "/etc/edgenode/central.jwks.json", required: true)
        .Key("role", new TextKind(RolePattern, RoleForm(), "viewer, operator or admin"), (s, v) => s with { Role = v }, "The most that its tokens may do: viewer, operator or admin.", "viewer");

    private static readonly SectionKind<TokensSection> Tokens = new SectionKind<TokensSection>(static () => new TokensSection())
        .Key("lifetime", new DurationKind(TimeSpan.FromMinutes(1), TimeSpan.FromDays(1)), (s, v) => s with { Lifetime = v }, "Lifetime of a playback session's token, 1m to 1d.", "30m")
        .Key("grace", new OrWordKind<TimeSpan>("off", new DurationKind(TimeSpan.FromSeconds(1), TimeSpan.FromDays(1))), (s, v) => s with { Grace = v }, "How long after its end a session that began in time and still polls goes on, or off.", "off")
        .Key("issuers", new ListKind<IssuerSection>(Issuer, most: 16), (s, v) => s with { Issuers = v }, "Services whose tokens are taken, too.");

    private static readonly SectionKind<ModelsSection> Models = new SectionKind<ModelsSection>(static () => new ModelsSection())
        .Key("folder", FilePath, (s, v) => s with { Folder = v }, "Folder of the model pack; without it 'models' beside the program.", example: "/var/lib/edgenode/models")
        .Key("execution", new ListKind<ExecutionProvider>(new WordKind<ExecutionProvider>(), 1, 8), (s, v) => s with { Execution = v }, "What the models run on: the first of these that this board has.", "[tensorrt, cuda, xnnpack, cpu]")
        .Key("runtime", FilePath, (s, v) => s with { Runtime = v }, "The library of ONNX Runtime; without it the one beside the program.", example: "/usr/lib/libonnxruntime.so")
        .Key("plugins", new ListKind<string>(FilePath, most: 16), (s, v) => s with { Plugins = v }, "Libraries with further execution providers.", "[]");

    private static readonly SectionKind<FacesSection> Faces = new SectionKind<FacesSection>(static () => new FacesSection())
        .Key("threshold", new OrWordKind<double>("auto", new NumberKind(0, 1)), (s, v) => s with { Threshold = (float?)v }, "Least similarity for a name, 0 to 1; auto: the model pack's.", "auto")
        .Key("margin", new OrWordKind<double>("auto", new NumberKind(0, 1)), (s, v) => s with { Margin = (float?)v }, "Least distance to the second most similar person, 0 to 1; auto: the model pack's.", "auto")
        .Key("min_face_px", new NumberKind(16, 512, whole: true), (s, v) => s with { MinFacePx = (int)v }, "Smallest face that is recognised, in pixels of its shorter side.", "32")
        .Key("max_event", new DurationKind(TimeSpan.FromSeconds(10), TimeSpan.FromDays(1)), (s, v) => s with { MaxEvent = v }, "Longest event; a face that stays longer begins another.", "10m")
        .Key("unknown_retention", new OrWordKind<TimeSpan>("off", new DurationKind(TimeSpan.FromMinutes(1), TimeSpan.FromDays(366))), (s, v) => s with { UnknownRetention = v }, "How long the pictures and templates of strangers are kept, so that they can be named later (5000 at most), or off.", "7d");

    private static readonly SectionKind<RetentionSection> Retention = new SectionKind<RetentionSection>(static () => new RetentionSection())
        .Key("events", new DurationKind(TimeSpan.FromHours(1), TimeSpan.FromDays(3660)), (s, v) => s with { Events = v }, "How long events are kept.", "90d")
        .Key("snapshots", new DurationKind(TimeSpan.FromHours(1), TimeSpan.FromDays(3660)), (s, v) => s with { Snapshots = v }, "How long their pictures are kept.", "30d")
        .Key("max_bytes", new NumberKind(1e7, 1e15, whole: true), (s, v) => s with { MaxBytes = (long)v }, "Bytes that events and pictures may take together; the oldest go first.", "4e9");

    private static readonly SectionKind<GpioSection> Gpio = new SectionKind<GpioSection>(static () => new GpioSection())
        .Key("led", Text, (s, v) => s with { Led = v }, "The line of a lamp that shows that the node runs.", example: "gpiochip0/17")
        .Key("output", Text, (s, v) => s with { Output = v }, "The line that is switched when a face was recognised.", example: "gpiochip0/27")
        .Key("input", Text, (s, v) => s with { Input = v }, "The line of a contact, such as a bell.", example: "gpiochip0/22");

    private static readonly SectionKind<WebhookSection> Webhook = new SectionKind<WebhookSection>(static () => new WebhookSection { Url = new Secret("") })
        .Key("url", new SecretKind(CheckWebhookUrl), (s, v) => s with { Url = v }, "Where events are posted, http or https; it may hold a token and is never shown.", example: "\"https://example.com/hook\"", required: true)
        .Key("secret", Secret, (s, v) => s with { Secret = v }, "The key that signs what is posted.", example: "{ file: /run/secrets/webhook }")
        .Key("on", new ListKind<WebhookTrigger>(new WordKind<WebhookTrigger>(), most: 8), (s, v) => s with { On = v }, "The statuses that are posted; all where it is empty.", "[]");

    private static readonly SectionKind<LimitsSection> Limits = new SectionKind<LimitsSection>(static () => new LimitsSection())
        .Key("viewers", new NumberKind(1, 10_000, whole: true), (s, v) => s with { Viewers = (int)v }, "Playback sessions at once.", "500")
        .Key("connections_per_address", new NumberKind(1, 10_000, whole: true), (s, v) => s with { ConnectionsPerAddress = (int)v }, "TCP connections at once from one address.", "64");

    private static readonly SectionKind<AnalyticsSection> Analytics = new SectionKind<AnalyticsSection>(static () => new AnalyticsSection())
        .Key("enabled", Flag, (s, v) => s with { Enabled = v }, "Whether faces are looked for.", "true")
        .Key("fps", new NumberKind(0.1, 60), (s, v) => s with { Fps = v }, "Pictures a second that are looked at.", "10")
        .Key("gate", new WordKind<AnalyticsGate>(), (s, v) => s with { Gate = v }, "When pictures are looked at: while something moves (motion), or always (off).", "motion")
        .Key("ignore", new ListKind<ValueList<PicturePoint>>(new ListKind<PicturePoint>(new PointKind(), 3, 64), most: 32), (s, v) => s with { Ignore = v }, "Polygons in which nothing is looked for: points [x, y] in fractions of the picture, from its top left corner.", "[]");

    private static readonly SectionKind<CameraConfiguration> Camera = new SectionKind<CameraConfiguration>(static () => new CameraConfiguration { Id = "", Name = "", Url = new Secret("") }, NameCamera)
        .Key("id", new TextKind(CameraPattern, CameraForm(), "1 to 63 of a-z, 0-9, '_' and '-', not beginning with '_' or '-'"), (s, v) => s with { Id = v }, "The camera's id, in URLs and topics.", example: "entrance", required: true)
        .Key("name", Text, (s, v) => s with { Name = v }, "What people call it; without it the id.", example: "Main entrance")
        .Key("url", CameraAddress, (s, v) => s with { Url = v }, "Its stream: rtsp, rtsps, http, https (HTTP-FLV, MPEG-TS) or file:. User and password may stand inside.", example: "rtsp://192.0.2.10:554/main", required: true)
        .Key("username", Text, (s, v) => s with { Username = v }, "User name, where it is not inside the URL.", example: "cam")
        .Key("password", Secret, (s, v) => s with { Password = v }, "Password, where it is not inside the URL.", example: "{ file: /run/secrets/entrance }")
        .Key("sub_url", CameraAddress, (s, v) => s with { SubUrl = v }, "A smaller rendition of the same picture: a second quality for viewers, and what faces are tracked on.", example: "rtsp://192.0.2.10:554/sub")
        .Key("transport", new WordKind<RtpTransport>(), (s, v) => s with { Transport = v }, "How RTP travels.", "tcp")
        .Key("client", new WordKind<RtspClient>(), (s, v) => s with { Client = v }, "Who speaks RTSP: the node itself, or FFmpeg, the way out for odd cameras.", "own")
        .Key("decoder", new WordKind<DecoderChoice>(), (s, v) => s with { Decoder = v }, "What decodes the pictures in which faces are looked for; auto: the best that works on this board.", "auto")
        .Key("analytics", Analytics, (s, v) => s with { Analytics = v }, "Looking for faces.");

    /// <summary>The whole file.</summary>
    public static SectionKind<NodeConfiguration> Root { get; } = new SectionKind<NodeConfiguration>(static () => new NodeConfiguration(), RefuseTwins)
        .Key("node", Node, (s, v) => s with { Node = v }, "Who this node is.")
        .Key("http", Http, (s, v) => s with { Http = v }, "Where it serves.")
        .Key("mqtt", Mqtt, (s, v) => s with { Mqtt = v }, "The broker that it reports to; without it, it reports to none.")
        .Key("site", Site, (s, v) => s with { Site = v }, "The gallery that the site's nodes share.")
        .Key("tokens", Tokens, (s, v) => s with { Tokens = v }, "Who may look, and for how long.")
        .Key("models", Models, (s, v) => s with { Models = v }, "The models, and what they run on.")
        .Key("faces", Faces, (s, v) => s with { Faces = v }, "How faces are judged.")
        .Key("retention", Retention, (s, v) => s with { Retention = v }, "How long what was recorded is kept.")
        .Key("gpio", Gpio, (s, v) => s with { Gpio = v }, "Lamps and contacts.")
        .Key("webhooks", new ListKind<WebhookSection>(Webhook, most: 16), (s, v) => s with { Webhooks = v }, "Who is called when a face was seen.")
        .Key("limits", Limits, (s, v) => s with { Limits = v }, "Bounds on what others may ask of the node.")
        .Key("cameras", new ListKind<CameraConfiguration>(Camera, most: 256), (s, v) => s with { Cameras = v }, "The cameras. Those of this file are read-only in the API.")
        .AsRoot();

    // Without its key HTTPS is served beside HTTP: who binds that to one address means both.
    private static HttpSection CheckHttp(HttpSection http, YamlMap map, KeyPlace at)
    {
        if (!map.Entries.TryGetValue("https", out (YamlValue Value, YamlPlace) https) || https.Value.IsNull)
            http = http with { Https = new ListenAddress(http.Host, http.Port == 0 ? 0 : 8443) };
        if (http.Https is { Port: > 0 } second && second.Port == http.Port && second.Host == http.Host)
            ErrorAt(map, at, "https", "must be another port than http.listen");
        if (http.Certificate is null != http.Key is null)
            ErrorAt(map, at, http.Key is null ? "certificate" : "key", "needs http.certificate and http.key together");
        return http;
    }

    private static MqttSection CheckMqtt(MqttSection mqtt, YamlMap map, KeyPlace at)
    {
        if (mqtt.Certificate is null != mqtt.Key is null)
            ErrorAt(map, at, mqtt.Key is null ? "certificate" : "key", "needs mqtt.certificate and mqtt.key together");
        if (mqtt.Password is not null && mqtt.Username is null)
            at.Findings.Notes.Add((map.Entries["password"].Place, $"'{at.Path}.password' is not used without mqtt.username."));
        return mqtt;
    }

    private static CameraConfiguration NameCamera(CameraConfiguration camera, YamlMap map, KeyPlace at) => camera.Name.Length > 0 ? camera : camera with { Name = camera.Id };

    private static NodeConfiguration RefuseTwins(NodeConfiguration configuration, YamlMap map, KeyPlace at)
    {
        if (!map.Entries.TryGetValue("cameras", out (YamlValue Value, YamlPlace Place) cameras) || cameras.Value is not YamlList list)
            return configuration;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < list.Items.Count; i++)
        {
            if (list.Items[i] is YamlMap camera && camera.Entries.TryGetValue("id", out (YamlValue Value, YamlPlace Place) id)
                && id.Value is YamlScalar { Text: string text } && CameraForm().IsMatch(text) && !seen.Add(text))
                at.Child("cameras", cameras.Place).Item(i, camera.Place).Child("id", id.Place).Error($"'{text}' is another camera's already");
        }

        return configuration;
    }

    private static void ErrorAt(YamlMap map, KeyPlace at, string key, string message) =>
        at.Child(key, map.Entries.TryGetValue(key, out (YamlValue, YamlPlace Place) entry) ? entry.Place : at.Place).Error(message);

    private static string? CheckCameraUrl(string url) =>
        CameraUrl.Check(url, CameraUrlOrigin.File) is string complaint ? complaint.Replace(CameraUrlSubject, "", StringComparison.Ordinal).TrimEnd('.') : null;

    private static string? CheckWebhookUrl(string url) => WebhookForm().IsMatch(url) ? null : "must be a URL that begins with http:// or https://";

    [GeneratedRegex(SitePattern, RegexOptions.ECMAScript)]
    private static partial Regex SiteForm();

    [GeneratedRegex(NodePattern, RegexOptions.ECMAScript)]
    private static partial Regex NodeForm();

    [GeneratedRegex(CameraPattern, RegexOptions.ECMAScript)]
    private static partial Regex CameraForm();

    [GeneratedRegex(WebPattern, RegexOptions.ECMAScript)]
    private static partial Regex WebForm();

    [GeneratedRegex(BrokerPattern, RegexOptions.ECMAScript)]
    private static partial Regex BrokerForm();

    [GeneratedRegex(OriginPattern, RegexOptions.ECMAScript)]
    private static partial Regex OriginForm();

    [GeneratedRegex(RolePattern, RegexOptions.ECMAScript)]
    private static partial Regex RoleForm();

    [GeneratedRegex(@"^https?://[^/?#\s]+[^\s]*\z", RegexOptions.ECMAScript)]
    private static partial Regex WebhookForm();
}
