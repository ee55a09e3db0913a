namespace EdgeNode.Configuration;

/// <summary>The whole configuration of a node (contract §2), checked.</summary>
public sealed record NodeConfiguration
{
    /// <summary>Who this node is.</summary>
    public NodeSection Node { get; init; } = new();

    /// <summary>Where it serves.</summary>
    public HttpSection Http { get; init; } = new();

    /// <summary>The broker; null when none is configured.</summary>
    public MqttSection? Mqtt { get; init; }

    /// <summary>Lifetime of tokens.</summary>
    public TokensSection Tokens { get; init; } = new();

    /// <summary>Where the models lie.</summary>
    public ModelsSection Models { get; init; } = new();

    /// <summary>How faces are judged.</summary>
    public FacesSection Faces { get; init; } = new();

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

/// <summary>Section <c>http</c>.</summary>
public sealed record HttpSection
{
    /// <summary>Host or address, as written.</summary>
    public string Host { get; init; } = "0.0.0.0";

    /// <summary>TCP port; 0 lets the system choose.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>Where HTTPS is served; null where it is off.</summary>
    public ListenAddress? Https { get; init; } = new("0.0.0.0", 8443);

    /// <summary>PEM file of the certificate and those that vouch for it; null: the node makes its own.</summary>
    public string? Certificate { get; init; }

    /// <summary>PEM file of the certificate's key; given together with it.</summary>
    public string? Key { get; init; }

    /// <summary>Origins whose pages may call the API, such as <c>https://dash.example</c>.</summary>
    public IReadOnlyList<string> Cors { get; init; } = [];
}

/// <summary>An address of this machine and a TCP port.</summary>
/// <param name="Host">An IP address without brackets, or <c>localhost</c>.</param>
/// <param name="Port">0 lets the system choose.</param>
public sealed record ListenAddress(string Host, int Port);

/// <summary>Section <c>limits</c>.</summary>
public sealed record LimitsSection
{
    /// <summary>TCP connections at once from one address.</summary>
    public int ConnectionsPerAddress { get; init; } = 64;
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
}

/// <summary>Section <c>tokens</c>.</summary>
public sealed record TokensSection
{
    /// <summary>Lifetime of a playback session's token.</summary>
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromMinutes(30);
}

/// <summary>Section <c>models</c>.</summary>
public sealed record ModelsSection
{
    /// <summary>Folder of the model pack; null: <c>models</c> beside the program.</summary>
    public string? Folder { get; init; }
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

    /// <summary>How often an event that stays as it is reports itself (contract §4); not in the file, the demo alone is quicker.</summary>
    public TimeSpan UpdateEvery { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>One entry of <c>cameras</c>.</summary>
public sealed record CameraConfiguration
{
    /// <summary>The camera's id, <c>[a-z0-9][a-z0-9_-]{0,62}</c>.</summary>
    public required string Id { get; init; }

    /// <summary>What people call it.</summary>
    public required string Name { get; init; }

    /// <summary><c>rtsp://…</c>, <c>http(s)://…</c> or <c>file:…</c>, as written: it may hold a password and is never logged.</summary>
    public required Secret Url { get; init; }

    /// <summary>User name, when not inside the URL.</summary>
    public string? Username { get; init; }

    /// <summary>Password, when not inside the URL.</summary>
    public Secret? Password { get; init; }

    /// <summary>How RTP travels.</summary>
    public RtpTransport Transport { get; init; } = RtpTransport.Tcp;

    /// <summary>Who speaks RTSP.</summary>
    public RtspClient Client { get; init; } = RtspClient.Own;

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

/// <summary>Section <c>analytics</c> of a camera.</summary>
public sealed record AnalyticsSection
{
    /// <summary>Whether faces are looked for.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Pictures a second that are looked at.</summary>
    public double Fps { get; init; } = 10;
}
