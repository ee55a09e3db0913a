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
    /// <summary>The file in the state folder that holds the first admin token.</summary>
    internal const string FirstAdminTokenFile = "admin-token";

    private static readonly TimeSpan FirstAdminTokenLifetime = TimeSpan.FromDays(3650);
    private static readonly TimeSpan GalleryLook = TimeSpan.FromSeconds(2);

    // Sections that Apply carries out while the node runs.
    private static readonly string[] LiveSections = [];

    private readonly NodeConfiguration _configuration;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly NodeLock _lock;
    private readonly FFmpegMessages _ffmpegMessages;
    private readonly StateDatabase _database;
    private readonly StateCare _care;
    private readonly SigningKey _signingKey;
    private readonly Revocations _revocations;
    private readonly Lazy<FaceModels?> _models;
    private readonly ITimer _galleryWatch;
    private readonly ApiTokens _apiTokens;
    private readonly AuditLog _audit;
    private readonly IdentityStore _identities;
    private readonly RecentLog _recentLog;
    private readonly CameraRegistry _registry;
    private readonly PlaybackSessions _sessions;
    private readonly EventShots _shots;
    private readonly EventLog _events;
    private readonly HealthSampler _sampler;
    private MqttLink? _mqtt;
    private HealthReporter? _reporter;
    private HttpServer? _http;
    private readonly bool _hasSource;
    private volatile bool _isReady;

    private NodeHost(NodeConfiguration configuration, FaceModels? models, ILoggerFactory logs, TimeProvider time, ConfigurationSource? source, RecentLog recentLog)
    {
        _recentLog = recentLog;
        _configuration = configuration;
        _time = time;
        _log = logs.CreateLogger("edgenode");
        _lock = NodeLock.Take(configuration.Node.State);
        _database = StateDatabase.Open(configuration.Node.State, _log, time);
        _ffmpegMessages = new FFmpegMessages(_log, time);
        _signingKey = SigningKey.LoadOrCreate(configuration.Node.State);
        _revocations = new Revocations(_database, time);
        _apiTokens = new ApiTokens(_database, time);
        _audit = new AuditLog(_database, time);
        Tokens = new AccessTokens(_signingKey, _revocations, configuration.Node.Site, configuration.Node.Id, time, _apiTokens);
        Tokens.Grace = configuration.Tokens.Grace ?? TimeSpan.Zero;
        _hasSource = source is not null;
        Reload = new ConfigurationReload(configuration, source ?? Unchanged, Apply, LiveSections, _log);
        DeviceKey key = DeviceKey.LoadOrCreate(configuration.Node.State);
        IdentityStore identities = _identities = IdentityStore.Open(_database, key, _log);
        identities.Changed += () => _log.LogInformation("The gallery was changed: {People} enrolled.", identities.List.Count);
        _shots = new EventShots(_database, key, keepsStrangers: configuration.Faces.UnknownRetention is not null);
        _events = new EventLog(_database, id => identities.Find(id)?.Name, time, _log, shots: _shots);
        _events.Committed += e => _mqtt?.Enqueue(e);
        _care = new StateCare(_database, new RetentionLimits { Events = configuration.Retention.Events, MaxBytes = configuration.Retention.MaxBytes }, _events, time, _log)
        {
            Pictures = RetainedPictures(configuration),
        };
        _sessions = new PlaybackSessions(time, configuration.Limits.Viewers) { Grace = Tokens.Grace };
        _sampler = new HealthSampler(configuration.Node.State, time);
        _galleryWatch = time.CreateTimer(static gallery => TryRefresh((IdentityStore)gallery!), identities, GalleryLook, GalleryLook);
        // Opened for the first camera with analytics, which may come by the API, or for the first who is enrolled by it.
        _models = models is null ? new Lazy<FaceModels?>(LoadModels) : new Lazy<FaceModels?>(models);
        var recognition = new Lazy<FaceRecognition?>(() => _models.Value is FaceModels loaded ? new FaceRecognition(loaded, identities, configuration.Faces) : null);
        var store = new CameraStore(_database, key, time, _log);
        _registry = new CameraRegistry(configuration.Cameras, store, (camera, predecessor) => MakeCamera(camera, recognition, predecessor), _log);
        _registry.Cameras.Removed += Forget;
    }

    /// <summary>Makes and checks the node's tokens.</summary>
    public AccessTokens Tokens { get; }

    /// <summary>Reads the configuration anew and applies what can be.</summary>
    public ConfigurationReload Reload { get; }

    /// <summary>The port it is reached on: that of HTTPS where it is on.</summary>
    public int Port => _http!.HttpsPort ?? _http.Port;

    /// <summary>
    /// Starts a node. <paramref name="models"/>: loaded already, taken over; null: those of the configuration are loaded. <paramref name="source"/>: where
    /// a reload finds the configuration; null: it never changes.
    /// </summary>
    /// <exception cref="IOException">The state folder or the port cannot be had.</exception>
    public static async Task<NodeHost> StartAsync(NodeConfiguration configuration, FaceModels? models, ILoggerFactory logs, TimeProvider time, ConfigurationSource? source = null)
    {
        var recentLog = new RecentLog();
        logs.AddProvider(recentLog);
        var host = new NodeHost(configuration, models, logs, time, source, recentLog);
        try
        {
            host._http = await HttpServer.StartAsync(
                configuration,
                host.Subjects(),
                logging =>
                {
                    ConsoleLog.Configure(logging);
                    logging.AddProvider(recentLog);
                },
                time);
            host.KeepFirstAdminToken();
            if (configuration.Mqtt is not null)
                host.StartReporting(configuration.Mqtt);
            // After the link: it hears of the events that the restart ends.
            host._events.Start();
            host._care.Start();
            host._registry.Cameras.Start();
            host._isReady = true;
            host._log.LogInformation("Serving {Cameras} camera(s) at {Url}.", host._registry.Cameras.All.Count, ViewUrl.Base(configuration, host.Port));
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
        _registry.Cameras.Dispose();
        _care.Dispose();
        _events.Dispose();
        _ffmpegMessages.Dispose();
        if (_mqtt is not null)
            await _mqtt.DisposeAsync();
        if (_models.IsValueCreated)
            _models.Value?.Dispose();
        await _audit.DisposeAsync();
        _apiTokens.Dispose();
        _signingKey.Dispose();
        _database.Dispose();
        _lock.Dispose();
    }

    // No picture outlives its event. Where strangers are no longer to be kept, those from before go with the first look.
    private IReadOnlyList<RetainedPart> RetainedPictures(NodeConfiguration configuration)
    {
        TimeSpan all = Shorter(configuration.Retention.Snapshots, configuration.Retention.Events);
        return
        [
            new RetainedPart(_shots.Strangers, Shorter(configuration.Faces.UnknownRetention ?? TimeSpan.Zero, all), EventShots.StrangersAtMost),
            new RetainedPart(_shots.All, all),
        ];

        static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;
    }

    /// <summary>Reloads on behalf of nobody who has a token: a signal.</summary>
    public void ReloadByItself() =>
        _audit.Record(null, AuditAction.ConfigurationReload, "configuration", Reload.Reload().Success ? AuditOutcome.Done : AuditOutcome.Failed);

    private NodeConfiguration Unchanged(out IReadOnlyList<ConfigurationError> notes)
    {
        notes = [];
        return _configuration;
    }

    private void Apply(NodeConfiguration configuration, ConfigurationChange change) => _registry.Apply(configuration.Cameras);

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

    private HttpSubjects Subjects() => new()
    {
        Registry = _registry,
        Sessions = _sessions,
        Tokens = Tokens,
        Revocations = _revocations,
        ApiTokens = _apiTokens,
        Audit = _audit,
        Events = _events,
        Shots = _shots,
        Identities = _identities,
        Models = () => _models.Value,
        Health = SampleHealth,
        Version = ProductVersion.Number,
        Hindrances = Hindrances,
        Reload = _hasSource ? Reload.Reload : null,
        RecentLog = () => _recentLog.Lines,
    };

    private IReadOnlyList<string> Hindrances()
    {
        var hindrances = new List<string>();
        if (!_isReady)
            hindrances.Add("The node is starting.");
        if (_database.Trouble is string trouble)
            hindrances.Add(trouble);
        return hindrances;
    }

    // Its viewers' URLs end (410: players stop), and the broker forgets its state.
    private void Forget(string camera)
    {
        try
        {
            _revocations.Add(_sessions.RemoveOfCamera(camera).Select(ended => (ended.SessionId, ended.ExpiresAt.UtcDateTime)));
        }
        catch (IOException)
        {
            // A full disk: the database has said so, the sessions are ended, and the camera is away. A reload must not stop half-way for that.
        }

        _mqtt?.RemoveCamera(camera);
    }

    private Camera MakeCamera(CameraConfiguration camera, Lazy<FaceRecognition?> recognition, Camera? predecessor)
    {
        var origin = new EventOrigin(_configuration.Node.Site, _configuration.Node.Id, camera.Id);
        return new Camera(
            camera,
            status => _mqtt?.PublishCameraState(camera.Id, new CameraStateMessage(CameraStateNames.Of(status.State), status.Since, status.Reason)),
            feed => camera.Analytics.Enabled && recognition.Value is FaceRecognition faces
                ? new CameraAnalytics(camera, _configuration.Faces, feed, faces, origin, _time, _events.Append, _log)
                : null,
            _time,
            _log,
            predecessor);
    }

    private HealthReport SampleHealth()
    {
        lock (_sampler)
        {
            HealthInputs inputs = AskHealth();
            return _sampler.Sample(inputs with { QueueDepth = inputs.QueueDepth + (_mqtt?.QueueDepth ?? 0), EventsLost = inputs.EventsLost + (_mqtt?.EventsLost ?? 0) });
        }
    }

    private HealthInputs AskHealth() => new()
    {
        ClockSynced = KernelClock.IsSynchronized(),
        Storage = _database.Trouble,
        EventsLost = _events.Dropped,
        Ffmpeg = FFmpegLibrary.LoadedVersion,
        Onnxruntime = _models.IsValueCreated && _models.Value is not null ? FaceModels.RuntimeVersion : null,
        Cameras = [.. _registry.Cameras.All.Select(Describe)],
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
            Audio = camera.Ingest.Audio?.CodecString,
            AudioLeftOut = camera.Ingest.LeftOutAudio,
            Advice = camera.Ingest.Advice,
            Tries = camera.Ingest.Tries,
            Connections = camera.Ingest.Connections,
            LostPackets = camera.Ingest.LostPackets,
            DamagedGops = camera.Ingest.DamagedGops,
            DroppedGops = camera.Ingest.DroppedGops,
            RepairedStamps = camera.Ingest.RepairedStamps,
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
