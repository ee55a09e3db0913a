using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using EdgeNode.Access;
using EdgeNode.Cameras;
using EdgeNode.Configuration;
using EdgeNode.Events;
using EdgeNode.Faces;
using EdgeNode.Gallery;
using EdgeNode.Http;
using EdgeNode.Ingest;
using EdgeNode.Native.FFmpeg;
using EdgeNode.Native.Linux;
using EdgeNode.Storage;
using EdgeNode.Streaming;
using EdgeNode.Telemetry;
using Microsoft.Extensions.Logging;

namespace EdgeNode.Commands;

/// <summary>A whole node: reads the state, starts the cameras, serves, and reports; ends in the opposite order.</summary>
internal sealed class NodeHost : IAsyncDisposable
{
    private const string FirstAdminTokenFile = "admin-token";
    private static readonly TimeSpan FirstAdminTokenLifetime = TimeSpan.FromDays(3650);
    private static readonly TimeSpan GalleryLook = TimeSpan.FromSeconds(2);

    // Sections that Apply carries out while the node runs.
    private static readonly string[] LiveSections = [];

    private readonly NodeConfiguration _configuration;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly SigningKey _signingKey;
    private readonly Revocations _revocations;
    private readonly FaceModels? _models;
    private readonly ITimer _galleryWatch;
    private readonly CameraSet _cameras;
    private readonly PlaybackSessions _sessions;
    private readonly EventLog _events;
    private readonly HealthSampler _sampler;
    private MqttLink? _mqtt;
    private readonly FFmpegMessages _ffmpegMessages;
    private HealthReporter? _reporter;
    private HttpServer? _http;

    private NodeHost(NodeConfiguration configuration, FaceModels? models, ILoggerFactory logs, TimeProvider time, ConfigurationSource? source)
    {
        _configuration = configuration;
        _time = time;
        _log = logs.CreateLogger("edgenode");
        _ffmpegMessages = new FFmpegMessages(_log, time);
        _signingKey = SigningKey.LoadOrCreate(configuration.Node.State);
        _revocations = new Revocations(configuration.Node.State, time);
        Tokens = new AccessTokens(_signingKey, _revocations, configuration.Node.Site, configuration.Node.Id, time);
        Tokens.Grace = configuration.Tokens.Grace ?? TimeSpan.Zero;
        Reload = new ConfigurationReload(configuration, source ?? Unchanged, Apply, LiveSections, _log);
        _events = new EventLog(time);
        _sessions = new PlaybackSessions(time) { Grace = Tokens.Grace };
        _sampler = new HealthSampler(configuration.Node.State, time);
        IdentityStore identities = IdentityStore.Open(configuration.Node.State, _log);
        identities.Changed += () =>
        {
            _events.ForgetNames(id => identities.Find(id) is not null);
            _log.LogInformation("The gallery was changed: {People} enrolled.", identities.List.Count);
        };
        _galleryWatch = time.CreateTimer(static gallery => TryRefresh((IdentityStore)gallery!), identities, GalleryLook, GalleryLook);
        _models = models ?? LoadModels();
        FaceRecognition? recognition = _models is null ? null : new FaceRecognition(_models, identities, configuration.Faces);
        _cameras = new CameraSet([.. configuration.Cameras.Select(camera => MakeCamera(camera, recognition))]);
    }

    /// <summary>Makes and checks the node's tokens.</summary>
    public AccessTokens Tokens { get; }

    /// <summary>Reads the configuration anew and applies what can be.</summary>
    public ConfigurationReload Reload { get; }

    /// <summary>The port it serves on.</summary>
    public int Port => _http!.Port;

    /// <summary>
    /// Starts a node. <paramref name="models"/>: loaded already, taken over; null: those of the configuration are loaded. <paramref name="source"/>: where
    /// a reload finds the configuration; null: it never changes.
    /// </summary>
    /// <exception cref="IOException">The state folder or the port cannot be had.</exception>
    public static async Task<NodeHost> StartAsync(NodeConfiguration configuration, FaceModels? models, ILoggerFactory logs, TimeProvider time, ConfigurationSource? source = null)
    {
        var host = new NodeHost(configuration, models, logs, time, source);
        try
        {
            var subjects = new HttpSubjects(host._cameras, host._sessions, host.Tokens, host._revocations, host._events, host.SampleHealth);
            host._http = await HttpServer.StartAsync(configuration, subjects, ConsoleLog.Configure, time);
            host.KeepFirstAdminToken();
            if (configuration.Mqtt is not null)
                host.StartReporting(configuration.Mqtt);
            host._cameras.Start();
            host._log.LogInformation("Serving {Cameras} cameras on port {Port}.", configuration.Cameras.Count, host.Port);
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops the node: cameras end, and with them their open events, before the broker is told goodbye.</summary>
    public async ValueTask DisposeAsync()
    {
        _galleryWatch.Dispose();
        _reporter?.Dispose();
        _log.LogInformation("Stopping.");
        if (_http is not null)
            await _http.DisposeAsync();
        _cameras.Dispose();
        _ffmpegMessages.Dispose();
        if (_mqtt is not null)
            await _mqtt.DisposeAsync();
        _models?.Dispose();
        _signingKey.Dispose();
    }

    private NodeConfiguration Unchanged(out IReadOnlyList<ConfigurationError> notes)
    {
        notes = [];
        return _configuration;
    }

    private static void Apply(NodeConfiguration configuration, ConfigurationChange change)
    {
        if (change.CamerasAdded.Count + change.CamerasRemoved.Count + change.CamerasChanged.Count > 0)
            throw new InvalidOperationException("Cameras do not change while the node runs: restart it.");
    }

    private static void TryRefresh(IdentityStore gallery)
    {
        try
        {
            gallery.Refresh();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // The folder is away for a moment, or being restored; the next look finds it.
        }
    }

    // Made once: who owns the state folder gets in, without any other token.
    private void KeepFirstAdminToken()
    {
        string path = Path.Combine(_configuration.Node.State, FirstAdminTokenFile);
        if (!File.Exists(path))
            AtomicFile.Write(path, Encoding.ASCII.GetBytes(Tokens.Issue("admin", Role.Admin, null, metadata: true, FirstAdminTokenLifetime).Token + "\n"));
    }

    // After the web server: the status names the port that it really has. Before the cameras: their states are to be told.
    private void StartReporting(MqttSection mqtt)
    {
        _mqtt = new MqttLink(LinkOptions(mqtt), _time, _log);
        _mqtt.Start();
        _reporter = new HealthReporter(new HealthSampler(_configuration.Node.State, _time), _mqtt, AskHealth, _time);
    }

    // Without models the node still shows its cameras; whoever reads log or health learns why no face comes.
    private FaceModels? LoadModels()
    {
        if (!_configuration.Cameras.Any(c => c.Analytics.Enabled))
            return null;
        try
        {
            return FaceModels.Load(CommonOptions.ModelFolder(_configuration));
        }
        catch (ModelPackException fault)
        {
            _log.LogError("No faces are looked for: {Reason}", fault.Message);
            return null;
        }
    }

    private Camera MakeCamera(CameraConfiguration camera, FaceRecognition? recognition)
    {
        var origin = new EventOrigin(_configuration.Node.Site, _configuration.Node.Id, camera.Id);
        return new Camera(
            camera,
            status => _mqtt?.PublishCameraState(camera.Id, new CameraStateMessage(CameraStateNames.Of(status.State), status.Since, status.Reason)),
            feed => recognition is not null && camera.Analytics.Enabled
                ? new CameraAnalytics(camera, _configuration.Faces, feed, recognition, origin, _time, Publish, _log)
                : null,
            _time,
            _log);
    }

    private void Publish(FaceEvent e)
    {
        _events.Append(e);
        _mqtt?.Enqueue(e);
    }

    private HealthReport SampleHealth()
    {
        lock (_sampler)
            return _sampler.Sample(AskHealth() with { QueueDepth = _mqtt?.QueueDepth ?? 0, EventsLost = _mqtt?.EventsLost ?? 0 });
    }

    private HealthInputs AskHealth() => new()
    {
        ClockSynced = KernelClock.IsSynchronized(),
        Ffmpeg = FFmpegLibrary.LoadedVersion,
        Onnxruntime = _models is null ? null : FaceModels.RuntimeVersion,
        Cameras = [.. _cameras.All.Select(Describe)],
    };

    private static CameraHealth Describe(Camera camera)
    {
        (double framesPerSecond, double bitsPerSecond, double gopSeconds) = camera.Ingest.Statistics.Rates;
        return new CameraHealth
        {
            Id = camera.Id,
            State = CameraStateNames.Of(camera.Ingest.Status.State),
            Fps = Math.Round(framesPerSecond, 2),
            BitrateKbps = Math.Round(bitsPerSecond / 1000, 1),
            GopS = Math.Round(gopSeconds, 2),
            Decoder = camera.Analytics?.DecoderName,
            Trouble = camera.Analytics?.Trouble,
            InferenceMs = camera.Analytics is { FramesProcessed: > 0 } analytics ? Math.Round(analytics.MeanAnalysisMs, 2) : null,
            Viewers = camera.Viewers.Count,
        };
    }

    private MqttLinkOptions LinkOptions(MqttSection mqtt) => new()
    {
        Broker = BrokerAddress.Parse(mqtt.Broker.OriginalString),
        Site = _configuration.Node.Site,
        Node = _configuration.Node.Id,
        Version = ProductVersion.Number,
        BootId = StatusMessage.ReadBootId(),
        BaseUrl = ViewUrl.Base(_configuration, Port),
        Username = mqtt.Username,
        Password = mqtt.Password,
        Authorities = mqtt.Ca is null ? null : ReadAuthorities(mqtt.Ca),
        ClientCertificate = mqtt is { Certificate: string certificate, Key: string key } ? ReadCertificate(certificate, key) : null,
    };

    private static X509Certificate2 ReadCertificate(string certificate, string key)
    {
        try
        {
            return X509Certificate2.CreateFromPemFile(certificate, key);
        }
        catch (CryptographicException)
        {
            throw new IOException($"mqtt.certificate and mqtt.key name '{certificate}' and '{key}', which hold no PEM certificate and its key.");
        }
    }

    private static X509Certificate2Collection ReadAuthorities(string file)
    {
        var authorities = new X509Certificate2Collection();
        try
        {
            authorities.ImportFromPemFile(file);
        }
        catch (CryptographicException)
        {
            throw new IOException($"mqtt.ca names '{file}', which holds no PEM certificate.");
        }

        return authorities;
    }
}
