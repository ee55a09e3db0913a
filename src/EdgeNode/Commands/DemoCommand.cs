using System.CommandLine;
using EdgeNode.Access;
using EdgeNode.Configuration;
using EdgeNode.Faces;
using EdgeNode.Gallery;
using EdgeNode.Storage;
using EdgeNode.Telemetry;
using Microsoft.Extensions.Logging;

namespace EdgeNode.Commands;

/// <summary><c>edgenode demo</c>: a node that needs nothing: two films as cameras, a broker of its own, state that goes with it.</summary>
internal static class DemoCommand
{
    private static readonly TimeSpan TokenLifetime = TimeSpan.FromHours(12);
    private static readonly (string Id, string Name)[] Films = [("demo", "Demo"), ("visitor", "Visitor")];

    public static Command Create()
    {
        var port = new Option<int>("--port") { Description = "Port to serve on, loopback only; 0 lets the system choose.", DefaultValueFactory = _ => 8080, HelpName = "N" };
        var command = new Command("demo", "Show what EdgeNode does: no camera, broker or configuration needed.") { port };
        command.SetAction((parsed, cancel) => RunAsync(parsed.GetValue(port), cancel));
        return command;
    }

    private static async Task<int> RunAsync(int port, CancellationToken cancel)
    {
        if (port is < 0 or > 65535)
            throw new CommandFailure(CommandFailure.WrongUsage, $"--port must be from 0 to 65535, not {port}.");
        string films = Path.Combine(AppContext.BaseDirectory, "demo", "films");
        foreach ((string id, _) in Films)
        {
            if (!File.Exists(Path.Combine(films, $"{id}.mp4")))
                throw new CommandFailure(CommandFailure.AtRunTime, $"The demo's film {Path.Combine(films, $"{id}.mp4")} is missing: build with 'make build', which puts it there.");
        }

        using ILoggerFactory logs = LoggerFactory.Create(ConsoleLog.Configure);
        DirectoryInfo state = Directory.CreateTempSubdirectory("edgenode-demo-");
        try
        {
            FaceModels models = EnrolGallery(Path.Combine(AppContext.BaseDirectory, "demo", "gallery"), state.FullName, logs.CreateLogger("edgenode"));
            await using EmbeddedBroker broker = await EmbeddedBroker.StartAsync();
            NodeConfiguration configuration = Configure(port, films, state.FullName, new Uri(broker.Url));
            await using NodeHost host = await NodeHost.StartAsync(configuration, models, logs, TimeProvider.System);
            (string page, _) = host.Tokens.Issue("demo", Role.Admin, null, metadata: false, TokenLifetime);
            (string view, _) = host.Tokens.Issue("demo", Role.Viewer, [Films[0].Id], metadata: false, TokenLifetime);
            Console.WriteLine($"ui: {ViewUrl.Base(configuration, host.Port)}/#token={page}");
            Console.WriteLine($"view: {ViewUrl.Of(configuration, host.Port, view, Films[0].Id)}");
            Console.WriteLine($"mqtt: {broker.Url}");
            Console.WriteLine("ready");
            await UntilStopped.WaitAsync(cancel);
            return 0;
        }
        finally
        {
            state.Delete(recursive: true);
        }
    }

    private static FaceModels EnrolGallery(string folder, string state, ILogger log)
    {
        FaceModels models = FaceModels.Load(Path.Combine(AppContext.BaseDirectory, "models"));
        using StateDatabase database = StateDatabase.Open(state, log);
        IdentityStore gallery = IdentityStore.Open(database, DeviceKey.LoadOrCreate(state), log);
        foreach (Identity person in PhotoEnrolment.FromFolder(models, folder, TimeProvider.System, refusal => log.LogWarning("{Refusal}", refusal)).List)
            gallery.Add(person);
        return models;
    }

    private static NodeConfiguration Configure(int port, string films, string state, Uri broker) => new()
    {
        Node = new NodeSection { Site = "demo", Id = "demo", State = state },
        Http = new HttpSection { Host = "127.0.0.1", Port = port, Https = null },
        Mqtt = new MqttSection { Broker = broker },
        // Whoever begins to listen should not wait for ten seconds to see who is there.
        Faces = new FacesSection { UpdateEvery = TimeSpan.FromSeconds(3) },
        Models = new ModelsSection { Folder = Path.Combine(AppContext.BaseDirectory, "models") },
        Cameras = [.. Films.Select(film => new CameraConfiguration
        {
            Id = film.Id,
            Name = film.Name,
            Url = new Secret($"file:{Path.Combine(films, $"{film.Id}.mp4")}"),
        })],
    };
}
