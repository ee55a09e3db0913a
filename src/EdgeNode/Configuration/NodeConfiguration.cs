namespace EdgeNode.Configuration;

/// <summary>The whole configuration of a node (contract §2), checked. What each key means is said in <see cref="ConfigurationKeys"/>, once.</summary>
public sealed record NodeConfiguration
{
    /// <summary>Who this node is.</summary>
    public NodeSection Node { get; init; } = new();

    /// <summary>Where it serves.</summary>
    public HttpSection Http { get; init; } = new();

    /// <summary>The broker; null when none is configured.</summary>
    public MqttSection? Mqtt { get; init; }

    /// <summary>The gallery that the site's nodes share.</summary>
    public SiteSection Site { get; init; } = new();

    /// <summary>Lifetime of tokens.</summary>
    public TokensSection Tokens { get; init; } = new();

    /// <summary>Where the models lie.</summary>
    public ModelsSection Models { get; init; } = new();

    /// <summary>How faces are judged.</summary>
    public FacesSection Faces { get; init; } = new();

    /// <summary>How long what was recorded is kept.</summary>
    public RetentionSection Retention { get; init; } = new();

    /// <summary>Lamps and contacts.</summary>
    public GpioSection Gpio { get; init; } = new();

    /// <summary>Who is called when a face was seen.</summary>
    public ValueList<WebhookSection> Webhooks { get; init; } = [];

    /// <summary>Bounds on what others may ask of the node.</summary>
    public LimitsSection Limits { get; init; } = new();

    /// <summary>The cameras of the file.</summary>
    public IReadOnlyList<CameraConfiguration> Cameras { get; init; } = [];
}

/// <summary>Section <c>node</c>.</summary>
public sealed record NodeSection
{
    /// <summary>The site, <c>[a-z0-9-]{1,50}</c>.</summary>
    public string Site { get; init; } = "default";

    /// <summary>The node's id, <c>[a-z0-9-]{1,50}</c>.</summary>
    public string Id { get; init; } = "edgenode";

    /// <summary>Folder of everything that lasts.</summary>
    public string State { get; init; } = "/var/lib/edgenode";

    /// <summary>The URL under which others reach the node; null: made from the address it listens on.</summary>
    public Uri? BaseUrl { get; init; }
}

/// <summary>An address of this machine and a TCP port.</summary>
/// <param name="Host">An IP address without brackets, or <c>localhost</c>.</param>
/// <param name="Port">0 lets the system choose.</param>
public sealed record ListenAddress(string Host, int Port)
{
    /// <summary>As it is written in the file.</summary>
    public override string ToString() => Host.Contains(':') ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}

/// <summary>Section <c>http</c>.</summary>
public sealed record HttpSection
{
    /// <summary>Host or address of <c>listen</c>, as written.</summary>
    public string Host { get; init; } = "0.0.0.0";

    /// <summary>TCP port of <c>listen</c>; 0 lets the system choose.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>Where HTTPS is served; null where it is off.</summary>
    public ListenAddress? Https { get; init; } = new("0.0.0.0", 8443);

    /// <summary>PEM file of the certificate and those that vouch for it; null: the node makes its own.</summary>
    public string? Certificate { get; init; }

    /// <summary>PEM file of the certificate's key; given together with it.</summary>
    public string? Key { get; init; }

    /// <summary>Origins whose pages may call the API, such as <c>https://dash.example</c>.</summary>
    public ValueList<string> Cors { get; init; } = [];
}

/// <summary>Section <c>mqtt</c>.</summary>
public sealed record MqttSection
{
    /// <summary><c>mqtt://host[:1883]</c> or <c>mqtts://host[:8883]</c>.</summary>
    public required Uri Broker { get; init; }

    /// <summary>User name, where the broker asks for one.</summary>
    public string? Username { get; init; }

    /// <summary>Password, where the broker asks for one.</summary>
    public Secret? Password { get; init; }

    /// <summary>PEM file of the authority that signed the broker's certificate; null: the system's.</summary>
    public string? Ca { get; init; }

    /// <summary>PEM file of the node's own certificate, where the broker asks for one.</summary>
    public string? Certificate { get; init; }

    /// <summary>PEM file of that certificate's key.</summary>
    public string? Key { get; init; }

    /// <summary>Whether Home Assistant is told of the node.</summary>
    public bool HomeAssistant { get; init; }
}

/// <summary>Section <c>site</c>.</summary>
public sealed record SiteSection
{
    /// <summary>The key under which the site's nodes share their gallery.</summary>
    public Secret? Key { get; init; }

    /// <summary>PEM file of the fleet's authority: whose nodes may sign.</summary>
    public string? Trust { get; init; }
}

/// <summary>Section <c>tokens</c>.</summary>
public sealed record TokensSection
{
    /// <summary>Lifetime of a playback session's token.</summary>
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>How long after its end a session that began in time and still polls goes on; null: not at all.</summary>
    public TimeSpan? Grace { get; init; }

    /// <summary>Services whose tokens are taken, too.</summary>
    public ValueList<IssuerSection> Issuers { get; init; } = [];
}

/// <summary>One entry of <c>tokens.issuers</c>.</summary>
public sealed record IssuerSection
{
    /// <summary>What logs call it.</summary>
    public required string Name { get; init; }

    /// <summary>The <c>iss</c> of its tokens.</summary>
    public required string Issuer { get; init; }

    /// <summary>File of its public keys (RFC 7517).</summary>
    public required string Jwks { get; init; }

    /// <summary>The most that its tokens may: <c>viewer</c>, <c>operator</c> or <c>admin</c>.</summary>
    public string Role { get; init; } = "viewer";
}

/// <summary>Section <c>models</c>.</summary>
public sealed record ModelsSection
{
    /// <summary>Folder of the model pack; null: <c>models</c> beside the program.</summary>
    public string? Folder { get; init; }

    /// <summary>What models run on: the first that this board has.</summary>
    public ValueList<ExecutionProvider> Execution { get; init; } = [ExecutionProvider.Tensorrt, ExecutionProvider.Cuda, ExecutionProvider.Xnnpack, ExecutionProvider.Cpu];

    /// <summary>The library of ONNX Runtime; null: the one beside the program.</summary>
    public string? Runtime { get; init; }

    /// <summary>Libraries with further execution providers.</summary>
    public ValueList<string> Plugins { get; init; } = [];
}

/// <summary>What models run on.</summary>
public enum ExecutionProvider
{
    /// <summary>NVIDIA TensorRT.</summary>
    Tensorrt,

    /// <summary>NVIDIA CUDA.</summary>
    Cuda,

    /// <summary>XNNPACK, for Arm.</summary>
    Xnnpack,

    /// <summary>ONNX Runtime's own kernels.</summary>
    Cpu,
}

/// <summary>Section <c>faces</c>.</summary>
public sealed record FacesSection
{
    /// <summary>Least cosine similarity for a name; null: the model pack's.</summary>
    public float? Threshold { get; init; }

    /// <summary>Least distance to the second identity; null: the model pack's.</summary>
    public float? Margin { get; init; }

    /// <summary>Smallest face, in pixels of its shorter side, that is recognised.</summary>
    public int MinFacePx { get; init; } = 32;

    /// <summary>Longest event; a face that stays longer begins another.</summary>
    public TimeSpan MaxEvent { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long the pictures and templates of strangers are kept; null: they are not.</summary>
    public TimeSpan? UnknownRetention { get; init; } = TimeSpan.FromDays(7);

    /// <summary>How often an event that stays as it is reports itself (contract §4); not in the file, the demo alone is quicker.</summary>
    public TimeSpan UpdateEvery { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>Section <c>retention</c>.</summary>
public sealed record RetentionSection
{
    /// <summary>How long events are kept.</summary>
    public TimeSpan Events { get; init; } = TimeSpan.FromDays(90);

    /// <summary>How long their pictures are kept.</summary>
    public TimeSpan Snapshots { get; init; } = TimeSpan.FromDays(30);

    /// <summary>Bytes that events and pictures may take; the oldest go first.</summary>
    public long MaxBytes { get; init; } = 4_000_000_000;
}

/// <summary>Section <c>gpio</c>.</summary>
public sealed record GpioSection
{
    /// <summary>The line of a lamp that shows that the node runs.</summary>
    public string? Led { get; init; }

    /// <summary>The line that is switched when a face was recognised.</summary>
    public string? Output { get; init; }

    /// <summary>The line of a contact.</summary>
    public string? Input { get; init; }
}

/// <summary>One entry of <c>webhooks</c>.</summary>
public sealed record WebhookSection
{
    /// <summary>Where to post; may hold a token and is never logged.</summary>
    public required Secret Url { get; init; }

    /// <summary>The key that signs what is posted.</summary>
    public Secret? Secret { get; init; }

    /// <summary>Which events; all where it is empty.</summary>
    public ValueList<WebhookTrigger> On { get; init; } = [];
}

/// <summary>The status of a face for which a webhook is called.</summary>
public enum WebhookTrigger
{
    /// <summary>Somebody who is enrolled.</summary>
    Recognized,

    /// <summary>A stranger.</summary>
    Unknown,

    /// <summary>No shot was good enough.</summary>
    Undetermined,
}

/// <summary>Section <c>limits</c>.</summary>
public sealed record LimitsSection
{
    /// <summary>Playback sessions at once.</summary>
    public int Viewers { get; init; } = 500;

    /// <summary>TCP connections at once from one address.</summary>
    public int ConnectionsPerAddress { get; init; } = 64;
}

/// <summary>One entry of <c>cameras</c>.</summary>
public sealed record CameraConfiguration
{
    /// <summary>The camera's id, <c>[a-z0-9][a-z0-9_-]{0,62}</c>.</summary>
    public required string Id { get; init; }

    /// <summary>What people call it.</summary>
    public required string Name { get; init; }

    /// <summary><c>rtsp(s)://…</c>, <c>http(s)://…</c> or <c>file:…</c>, as written: it may hold a password and is never logged.</summary>
    public required Secret Url { get; init; }

    /// <summary>User name, when not inside the URL.</summary>
    public string? Username { get; init; }

    /// <summary>Password, when not inside the URL.</summary>
    public Secret? Password { get; init; }

    /// <summary>A smaller rendition of the same picture; null where there is none.</summary>
    public Secret? SubUrl { get; init; }

    /// <summary>How RTP travels.</summary>
    public RtpTransport Transport { get; init; } = RtpTransport.Tcp;

    /// <summary>Who speaks RTSP.</summary>
    public RtspClient Client { get; init; } = RtspClient.Own;

    /// <summary>What decodes the pictures to be analysed.</summary>
    public DecoderChoice Decoder { get; init; } = DecoderChoice.Auto;

    /// <summary>Section <c>analytics</c>.</summary>
    public AnalyticsSection Analytics { get; init; } = new();
}

/// <summary>How RTP packets travel.</summary>
public enum RtpTransport
{
    /// <summary>Interleaved in the RTSP connection (RFC 2326 §10.12).</summary>
    Tcp,

    /// <summary>UDP.</summary>
    Udp,
}

/// <summary>Who speaks RTSP with a camera.</summary>
public enum RtspClient
{
    /// <summary>The node's own client.</summary>
    Own,

    /// <summary>libavformat: the way out for odd cameras.</summary>
    Ffmpeg,
}

/// <summary>What decodes a camera's pictures.</summary>
public enum DecoderChoice
{
    /// <summary>The best that really works on this board.</summary>
    Auto,

    /// <summary>Video4Linux memory to memory (Raspberry Pi).</summary>
    V4l2m2m,

    /// <summary>NVIDIA NVDEC on desktop cards.</summary>
    Nvdec,

    /// <summary>NVIDIA's Video4Linux on Jetson.</summary>
    Nvv4l2,

    /// <summary>jetson-ffmpeg's nvmpi.</summary>
    Nvmpi,

    /// <summary>VA-API (Intel, AMD).</summary>
    Vaapi,

    /// <summary>The processor.</summary>
    Software,
}

/// <summary>Section <c>analytics</c> of a camera.</summary>
public sealed record AnalyticsSection
{
    /// <summary>Whether faces are looked for.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Pictures a second that are looked at.</summary>
    public double Fps { get; init; } = 10;

    /// <summary>When pictures are looked at.</summary>
    public AnalyticsGate Gate { get; init; } = AnalyticsGate.Motion;

    /// <summary>Polygons in which nothing is looked for.</summary>
    public ValueList<ValueList<PicturePoint>> Ignore { get; init; } = [];
}

/// <summary>When a camera's pictures are looked at.</summary>
public enum AnalyticsGate
{
    /// <summary>While something moves.</summary>
    Motion,

    /// <summary>Always.</summary>
    Off,
}

/// <summary>A point of the picture, in fractions of its width and height from the top left corner.</summary>
/// <param name="X">0 to 1.</param>
/// <param name="Y">0 to 1.</param>
public readonly record struct PicturePoint(double X, double Y);
