using System.Buffers.Binary;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace EdgeNode.IntegrationTests;

/// <summary>
/// One node with a camera of every difficult kind, all at once: each must be streamed whatever the others do. Real encodes, served by
/// GStreamer's server; what a link or a firmware does to a stream is done by a <see cref="TamperingProxy"/> between them.
/// </summary>
public sealed partial class DifficultCameras : IAsyncLifetime
{
    private const string X264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p";
    private const string X265 = "-c:v libx265 -preset ultrafast -pix_fmt yuv420p -tag:v hvc1";

    private readonly string _folder = Directory.CreateTempSubdirectory("edgenode-difficult").FullName;
    private readonly Dictionary<string, TamperingProxy> _proxies = [];
    private GstRtspServer? _server;
    private NodeUnderTest? _node;
    private HttpClient? _admin;

    /// <summary>Films: name, what the source draws, how it is encoded.</summary>
    private static readonly (string Name, string Source, string Encoding)[] Films =
    [
        ("plain", "testsrc2=s=160x120:r=25:d=4", $"{X264} -g 50"),
        ("long-gop", "testsrc2=s=160x120:r=25:d=11", $"{X264} -g 1000 -sc_threshold 0"),
        ("irregular-gop", "testsrc2=s=160x120:r=25:d=6", $"{X264} -g 1000 -sc_threshold 0 -force_key_frames 0,0.4,2.9,3.1"),
        ("b-frames", "testsrc2=s=160x120:r=25:d=4", "-c:v libx264 -preset veryfast -pix_fmt yuv420p -g 50 -bf 3 -x264-params b-pyramid=normal:b-adapt=0"),
        ("variable-rate", "testsrc2=s=160x120:r=25:d=8", $@"-vf select='gte(mod(n\,40)\,20)+not(mod(n\,5))' -fps_mode vfr {X264} -g 30"),
        ("intra-refresh", "testsrc2=s=160x120:r=25:d=8", $"{X264} -x264-params intra-refresh=1:keyint=25"),
        ("slices", "testsrc2=s=160x120:r=25:d=4", $"{X264} -g 50 -x264-params slices=4"),
        ("10-bit", "testsrc2=s=160x120:r=25:d=4", "-c:v libx264 -preset ultrafast -pix_fmt yuv420p10le -g 50"),
        ("h265", "testsrc2=s=160x120:r=25:d=4", $"{X265} -x265-params keyint=50:bframes=0:log-level=none"),
        ("h265-b-frames", "testsrc2=s=160x120:r=25:d=4", $"{X265} -x265-params keyint=50:bframes=3:log-level=none"),
        ("h265-10-bit", "testsrc2=s=160x120:r=25:d=4", "-c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -tag:v hvc1 -x265-params keyint=50:log-level=none"),
        ("other-size", "testsrc2=s=320x240:r=15:d=3", $"{X264} -g 30"),
        ("4k", "testsrc2=s=3840x2160:r=10:d=2", $"{X264} -g 20"),
        ("tiny", "testsrc2=s=64x48:r=25:d=4", $"{X264} -g 50"),
    ];

    /// <summary>Cameras: id, the films it shows one after another, options of the mount, whether faces are looked for.</summary>
    private static readonly (string Id, string Films, string Options, bool Analytics)[] Cameras =
    [
        ("long-gop", "long-gop", "", false),
        ("irregular-gop", "irregular-gop", "", false),
        ("b-frames", "b-frames", "", true),
        ("variable-rate", "variable-rate", "", false),
        ("intra-refresh", "intra-refresh", "", true),
        ("slices", "slices", "", false),
        ("10-bit", "10-bit", "", true),
        ("sets-in-sdp", "plain", ",bare", false),
        ("sets-in-band", "plain", "", false),
        ("h265", "h265", ",codec=h265", true),
        ("h265-b-frames", "h265-b-frames", ",codec=h265", false),
        ("h265-10-bit", "h265-10-bit", ",codec=h265", false),
        ("h265-in-sdp", "h265", ",codec=h265,bare", false),
        ("audio-aac", "plain", ",audio=aac", false),
        ("audio-latm", "plain", ",audio=latm", false),
        ("audio-pcmu", "plain", ",audio=pcmu", false),
        ("audio-pcma", "plain", ",audio=pcma", false),
        ("audio-opus", "plain", ",audio=opus", false),
        ("audio-l16", "plain", ",audio=l16", false),
        ("size-change", "plain+other-size", "", true),
        ("4k", "4k", "", false),
        ("tiny", "tiny", "", true),
        ("udp", "plain", "", false),
        ("wrap", "plain", "", false),
        ("jump", "plain", "", false),
        ("rogue-stamps", "plain", "", false),
        ("loss", "plain", "", true),
        ("stall", "plain", "", false),
        ("closes", "plain", "", false),
        ("options-only", "plain", "", false),
        ("get-parameter-only", "plain", "", false),
    ];

    internal NodeUnderTest Node => _node!;

    internal TamperingProxy Proxy(string id) => _proxies[id];

    public async Task InitializeAsync()
    {
        await Parallel.ForEachAsync(Films, new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (film, _) => await EncodeAsync(film));
        _server = new GstRtspServer([.. Cameras.SelectMany(c => (string[])["--mount", $"/{c.Id}={string.Join('+', c.Films.Split('+').Select(PathOf))}{c.Options}"])]);
        await _server.StartAsync();
        foreach (string id in (string[])["sets-in-band", "wrap", "jump", "rogue-stamps", "loss", "stall", "closes", "options-only", "get-parameter-only"])
            _proxies[id] = new TamperingProxy(_server.Port);
        Tamper();
        _node = new NodeUnderTest(string.Join('\n', Cameras.Select(Describe)));
        await _node.StartAsync();
        _admin = await _node.ClientAsync();
    }

    public Task DisposeAsync()
    {
        _admin?.Dispose();
        _node?.Dispose();
        foreach (TamperingProxy proxy in _proxies.Values)
            proxy.Dispose();
        _server?.Dispose();
        Directory.Delete(_folder, recursive: true);
        return Task.CompletedTask;
    }

    /// <summary>What the node's health says of a camera, once it fulfils the condition.</summary>
    internal async Task<JsonNode> HealthAsync(string id, Func<JsonNode, bool> condition)
    {
        using var limit = new CancellationTokenSource(RunningProcess.Patience);
        JsonNode? camera = null;
        try
        {
            while (true)
            {
                JsonNode health = (await _admin!.GetFromJsonAsync<JsonNode>("api/stream/health", limit.Token))!;
                camera = health["cameras"]!.AsArray().First(c => (string?)c!["id"] == id)!;
                if (condition(camera))
                    return camera;
                await Task.Delay(100, limit.Token);
            }
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"Camera {id} never came to that: {camera?.ToJsonString()}\n{Node.Process.Output}");
        }
    }

    /// <summary>The state of a camera, with its reason, once it fulfils the condition.</summary>
    internal async Task<JsonNode> StateAsync(string id, Func<JsonNode, bool> condition)
    {
        using var limit = new CancellationTokenSource(RunningProcess.Patience);
        JsonNode? camera = null;
        try
        {
            while (true)
            {
                JsonNode list = (await _admin!.GetFromJsonAsync<JsonNode>("api/stream/cameras", limit.Token))!;
                camera = list["cameras"]!.AsArray().First(c => (string?)c!["camera_id"] == id)!;
                if (condition(camera))
                    return camera;
                await Task.Delay(100, limit.Token);
            }
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"Camera {id} never came to that: {camera?.ToJsonString()}\n{Node.Process.Output}");
        }
    }

    private string PathOf(string film) => Path.Combine(_folder, film + ".mp4");

    private async Task EncodeAsync((string Name, string Source, string Encoding) film)
    {
        string[] options = film.Encoding.Split(' ');
        (int code, string output, _) = await RunningProcess.RunAsync(
            "ffmpeg", ["-nostdin", "-v", "error", "-f", "lavfi", "-i", film.Source, .. options.Select(o => o.Replace("'", "", StringComparison.Ordinal)), PathOf(film.Name)]);
        Assert.True(code == 0, output);
    }

    private string Describe((string Id, string Films, string Options, bool Analytics) camera)
    {
        int port = _proxies.TryGetValue(camera.Id, out TamperingProxy? proxy) ? proxy.Port : _server!.Port;
        string transport = camera.Id == "udp" ? ", transport: udp" : "";
        return $"  - {{ id: {camera.Id}, url: \"rtsp://127.0.0.1:{port}/{camera.Id}\"{transport}, analytics: {{ enabled: {(camera.Analytics ? "true" : "false")}, fps: 2 }} }}";
    }

    // What a link or a firmware does.
    private void Tamper()
    {
        Proxy("sets-in-band").Answer = text => WithBody(text, body => Sprop().Replace(body, ""));
        uint? wrapFrom = null;
        Proxy("wrap").Video = (rtp, _) =>
        {
            uint stamp = BinaryPrimitives.ReadUInt32BigEndian(rtp.Span[4..]);
            wrapFrom ??= stamp + 2 * 90_000;
            BinaryPrimitives.WriteUInt32BigEndian(rtp.Span[4..], stamp - wrapFrom.Value);
            return true;
        };
        bool ended = false, jumped = false;
        Proxy("jump").Video = (rtp, number) =>
        {
            jumped |= number > 100 && ended;
            ended = (rtp.Span[1] & 0x80) != 0;
            if (jumped)
                BinaryPrimitives.WriteUInt32BigEndian(rtp.Span[4..], BinaryPrimitives.ReadUInt32BigEndian(rtp.Span[4..]) + 3600 * 90_000);
            return true;
        };
        var pictures = new Dictionary<uint, int>();
        Proxy("rogue-stamps").Video = (rtp, _) =>
        {
            uint stamp = BinaryPrimitives.ReadUInt32BigEndian(rtp.Span[4..]);
            pictures.TryAdd(stamp, pictures.Count);
            if (pictures[stamp] % 50 == 49)
                BinaryPrimitives.WriteUInt32BigEndian(rtp.Span[4..], stamp + 2u * 3600 * 90_000);
            return true;
        };
        Proxy("loss").Video = (_, number) => number % 53 != 0;
        Proxy("closes").CloseAfter = 150;
        Proxy("options-only").Answer = text => ShortSession(text).Replace("GET_PARAMETER, ", "", StringComparison.Ordinal);
        Proxy("options-only").Refuse = method => method == "GET_PARAMETER" ? "501 Not Implemented" : null;
        Proxy("get-parameter-only").Answer = ShortSession;
        bool played = false;
        Proxy("get-parameter-only").Refuse = method =>
        {
            played |= method == "PLAY";
            return played && method == "OPTIONS" ? "501 Not Implemented" : null;
        };
    }

    private static string ShortSession(string text) => SessionTimeout().Replace(text, "$1;timeout=4");

    private static string WithBody(string text, Func<string, string> change)
    {
        int end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
        if (end >= text.Length)
            return text;
        string body = change(text[end..]);
        return ContentLength().Replace(text[..end], $"Content-Length: {body.Length}") + body;
    }

    [GeneratedRegex("sprop-[a-z-]+=[^;\r\n]*;?")]
    private static partial Regex Sprop();

    [GeneratedRegex("(?m)^(Session: [^;\r\n]+)(;timeout=[0-9]+)?")]
    private static partial Regex SessionTimeout();

    [GeneratedRegex("Content-Length: *[0-9]+", RegexOptions.IgnoreCase)]
    private static partial Regex ContentLength();
}
