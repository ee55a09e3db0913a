using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using EdgeNode.Access;
using EdgeNode.Cameras;
using EdgeNode.Configuration;
using EdgeNode.Events;
using EdgeNode.Faces;
using EdgeNode.Gallery;
using EdgeNode.Http;
using EdgeNode.Storage;
using EdgeNode.Streaming;
using EdgeNode.Telemetry;
using EdgeNode.Tests.Media;
using EdgeNode.Tests.Telemetry;

namespace EdgeNode.Tests.Http;

/// <summary>All routes behind a real server on loopback, with real state and cameras without analytics.</summary>
internal sealed class NodeServer : IAsyncDisposable
{
    public const string FileCamera = "lobby";

    private readonly TemporaryFolder _folder;
    private readonly SigningKey _signingKey;
    private readonly StateDatabase _database;

    private NodeServer(TemporaryFolder folder, string url, FaceModels? models)
    {
        _folder = folder;
        _signingKey = SigningKey.LoadOrCreate(folder.Path);
        _database = StateDatabase.Open(folder.Path);
        TimeProvider time = TimeProvider.System;
        var revocations = new Revocations(_database, time);
        var apiTokens = new ApiTokens(_database, time);
        Tokens = new AccessTokens(_signingKey, revocations, "hq", "edge-01", time, apiTokens);
        CameraConfiguration[] ofTheFile = [new() { Id = FileCamera, Name = "Lobby", Url = new Secret(url) }];
        var store = new CameraStore(_database, DeviceKey.LoadOrCreate(folder.Path), time, Log);
        Registry = new CameraRegistry(
            ofTheFile, store, (camera, predecessor) => new Camera(camera, _ => { }, _ => null, time, Log, predecessor), Log);
        Sessions = new PlaybackSessions(time);
        Registry.Cameras.Removed += id => revocations.Add(Sessions.RemoveOfCamera(id).Select(ended => (ended.SessionId, ended.ExpiresAt.UtcDateTime)));
        IdentityStore identities = IdentityStore.Open(_database, DeviceKey.LoadOrCreate(folder.Path), Log);
        var shots = new EventShots(_database, DeviceKey.LoadOrCreate(folder.Path));
        Events = new EventLog(_database, id => identities.Find(id)?.Name, time, Log, shots: shots);
        Events.Start();
        var sampler = new HealthSampler(folder.Path, time);
        Subjects = new HttpSubjects
        {
            Registry = Registry,
            Sessions = Sessions,
            Tokens = Tokens,
            Revocations = revocations,
            ApiTokens = apiTokens,
            Audit = new AuditLog(_database, time),
            Events = Events,
            Shots = shots,
            Identities = identities,
            Models = () => models,
            Health = () => sampler.Sample(new HealthInputs { ClockSynced = true }),
            Version = "1.2.3",
        };
    }

    public ListLogger Log { get; } = new();

    public AccessTokens Tokens { get; }

    public CameraRegistry Registry { get; }

    public PlaybackSessions Sessions { get; }

    public EventLog Events { get; }

    public HttpSubjects Subjects { get; set; }

    public HttpServer Server { get; private set; } = null!;

    public string State => _folder.Path;

    public static async Task<NodeServer> StartAsync(
        string url = "rtsp://127.0.0.1:1/none", FaceModels? models = null, TemporaryFolder? folder = null, Func<HttpSection, HttpSection>? http = null, Func<HttpSubjects, HttpSubjects>? change = null)
    {
        var server = new NodeServer(folder ?? new TemporaryFolder(), url, models);
        if (change is not null)
            server.Subjects = change(server.Subjects);
        var plain = new HttpSection { Host = "127.0.0.1", Port = 0, Https = null };
        var configuration = new NodeConfiguration
        {
            Node = new NodeSection { Site = "hq", Id = "edge-01", State = server.State },
            Http = http?.Invoke(plain) ?? plain,
        };
        server.Server = await HttpServer.StartAsync(configuration, server.Subjects, _ => { }, TimeProvider.System);
        server.Registry.Cameras.Start();
        return server;
    }

    /// <summary>A client with a token; without a role it has none.</summary>
    public HttpClient Client(Role? role, params string[] cameras)
    {
        var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{Server.Port}/") };
        if (role is Role granted)
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token(granted, cameras));
        return client;
    }

    public string Token(Role role, params string[] cameras) =>
        Tokens.Issue("tester", role, cameras.Length == 0 ? null : cameras, metadata: false, TimeSpan.FromHours(1)).Token;

    /// <summary>Ends everything but the state folder.</summary>
    public async Task StopAsync()
    {
        await Server.DisposeAsync();
        Registry.Cameras.Dispose();
        Events.Dispose();
        await Subjects.Audit.DisposeAsync();
        Subjects.ApiTokens.Dispose();
        _database.Dispose();
        _signingKey.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _folder.Dispose();
    }
}

internal static class Answers
{
    public static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");

    public static async Task<JsonElement> JsonAsync(this HttpResponseMessage answer, HttpStatusCode expected = HttpStatusCode.OK)
    {
        string body = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == expected, $"{(int)answer.StatusCode}: {body}");
        return JsonDocument.Parse(body).RootElement;
    }

    /// <summary>The detail of a problem, which it must be.</summary>
    public static async Task<string> ProblemAsync(this HttpResponseMessage answer, HttpStatusCode expected)
    {
        JsonElement problem = await answer.JsonAsync(expected);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal((int)expected, problem.GetProperty("status").GetInt32());
        return problem.GetProperty("detail").GetString()!;
    }
}
