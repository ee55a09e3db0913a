using System.Net;
using System.Net.Sockets;
using EdgeNode.Access;
using EdgeNode.Cameras;
using EdgeNode.Configuration;
using EdgeNode.Events;
using EdgeNode.Streaming;
using EdgeNode.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EdgeNode.Http;

/// <summary>What the routes show.</summary>
public sealed record HttpSubjects(CameraSet Cameras, PlaybackSessions Sessions, AccessTokens Tokens, Revocations Revocations, EventLog Events, Func<HealthReport> Health);

/// <summary>The node's one front door: Kestrel with bounds on everything, and every route behind the <see cref="Guard"/>.</summary>
public sealed class HttpServer : IAsyncDisposable
{
    private const int LargestRequestBody = 1 << 20;
    private const int MostConnections = 2000;
    private const double SlowestReaderBytesPerSecond = 20_000;
    private readonly WebApplication _application;

    private HttpServer(WebApplication application) => _application = application;

    /// <summary>The port it listens on, also where the system chose it.</summary>
    public int Port { get; private set; }

    /// <summary>Starts to serve.</summary>
    /// <exception cref="IOException">The address cannot be had; the message says which and what to do.</exception>
    public static async Task<HttpServer> StartAsync(NodeConfiguration configuration, HttpSubjects subjects, Action<ILoggingBuilder> logging, TimeProvider time)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        logging(builder.Logging);
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel => Configure(kestrel, configuration.Http));
        WebApplication application = builder.Build();
        ILogger log = application.Services.GetRequiredService<ILoggerFactory>().CreateLogger("edgenode");
        application.Use(static (context, next) =>
        {
            context.Response.Headers["Referrer-Policy"] = "no-referrer";
            context.Response.Headers.XContentTypeOptions = "nosniff";
            return next(context);
        });
        application.Use(async (context, next) =>
        {
            try
            {
                await next(context);
            }
            catch (Microsoft.AspNetCore.Http.BadHttpRequestException fault) when (!context.Response.HasStarted)
            {
                await new Problem(fault.StatusCode, "Bad request", fault.Message).WriteAsync(context);
            }
            catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
            {
                // The client left.
            }
            catch (Exception fault) when (!context.Response.HasStarted)
            {
                log.LogError("{Method} of a {Route} failed: {Fault}", context.Request.Method, (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText, fault.GetType().Name);
                await new Problem(StatusCodes.Status500InternalServerError, "Internal error", "The node failed at this request; its log says where.").WriteAsync(context);
            }
        });
        application.UseRouting();
        var server = new HttpServer(application);
        var guard = new Guard(application, subjects.Tokens);
        PageRoutes.Map(guard);
        guard.Open("/healthz", static context => context.Response.WriteAsync("ok\n", context.RequestAborted));
        guard.Open("/readyz", static context => context.Response.WriteAsync("ready\n", context.RequestAborted));
        new LiveRoutes(subjects.Cameras, subjects.Sessions).Map(guard);
        new PlaybackRoutes(subjects.Cameras, subjects.Sessions, subjects.Tokens, subjects.Revocations, configuration, () => server.Port, time).Map(guard);
        new CameraRoutes(subjects.Cameras, configuration.Node, subjects.Health, time).Map(guard);
        new EventRoutes(subjects.Events, subjects.Tokens).Map(guard);
        application.MapFallback("{**path}", static context => Problem.NotFound("There is no such route.").WriteAsync(context));
        try
        {
            await application.StartAsync();
        }
        catch (Exception fault) when (fault is IOException or AddressInUseException or SocketException)
        {
            await application.DisposeAsync();
            HttpSection http = configuration.Http;
            string reason = (fault.InnerException ?? fault) is AddressInUseException or SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse }
                ? "another program uses that port; stop it, or choose another one (http.listen, or --port of the demo)"
                : fault.Message;
            throw new IOException($"Cannot listen on {http.Host}:{http.Port}: {reason}.", fault);
        }

        server.Port = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>() is { Addresses: var addresses }
            ? BindingAddress.Parse(addresses.First()).Port
            : configuration.Http.Port;
        return server;
    }

    /// <summary>Stops: requests that are held are let go.</summary>
    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _application.StopAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _application.DisposeAsync();
    }

    private static void Configure(KestrelServerOptions kestrel, HttpSection http)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = MostConnections;
        kestrel.Limits.MaxRequestBodySize = LargestRequestBody;
        kestrel.Limits.MaxRequestLineSize = 4096;
        kestrel.Limits.MaxRequestHeadersTotalSize = 16 << 10;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(60);
        // A viewer who takes less while something waits for him holds pictures that all others have let go of.
        kestrel.Limits.MinResponseDataRate = new MinDataRate(SlowestReaderBytesPerSecond, TimeSpan.FromSeconds(10));
        if (http.Host != "localhost")
            kestrel.Listen(IPAddress.Parse(http.Host), http.Port);
        else if (http.Port == 0)
            kestrel.Listen(IPAddress.Loopback, 0);
        else
            kestrel.ListenLocalhost(http.Port);
    }
}
