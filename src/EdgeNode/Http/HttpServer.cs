using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using EdgeNode.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeNode.Http;

/// <summary>The node's one front door: Kestrel with bounds on everything, and every route behind the <see cref="Guard"/>.</summary>
public sealed class HttpServer : IAsyncDisposable
{
    private const int LargestRequestBody = 1 << 20;
    private const int MostConnections = 2000;
    private const int MostStreamsAConnection = 100;
    private const double SlowestReaderBytesPerSecond = 20_000;
    private readonly WebApplication _application;
    private readonly NodeCertificate? _certificate;

    private HttpServer(WebApplication application, NodeCertificate? certificate)
    {
        _application = application;
        _certificate = certificate;
    }

    /// <summary>The port of plain HTTP, also where the system chose it.</summary>
    public int Port { get; private set; }

    /// <summary>The port of HTTPS; null where it is off.</summary>
    public int? HttpsPort { get; private set; }

    /// <summary>Starts to serve.</summary>
    /// <exception cref="IOException">An address or the certificate cannot be had; the message says which and what to do.</exception>
    public static async Task<HttpServer> StartAsync(NodeConfiguration configuration, HttpSubjects subjects, Action<ILoggingBuilder> logging, TimeProvider time)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        logging(builder.Logging);
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore();
        builder.WebHost.UseKestrelHttpsConfiguration();
        ILogger log = NullLogger.Instance;
        NodeCertificate? certificate = LoadCertificate(configuration, sentence => log.LogWarning("{Trouble}", sentence), time);
        builder.WebHost.ConfigureKestrel(kestrel => Configure(kestrel, configuration, certificate));
        WebApplication application = builder.Build();
        log = application.Services.GetRequiredService<ILoggerFactory>().CreateLogger("edgenode");
        var server = new HttpServer(application, certificate);
        try
        {
            server.Map(configuration, subjects, log, time);
            await application.StartAsync();
        }
        catch (Exception fault) when (fault is IOException or AddressInUseException or SocketException)
        {
            certificate?.Dispose();
            await application.DisposeAsync();
            throw new IOException(Describe(fault, configuration.Http), fault);
        }

        server.ReadPorts(configuration.Http);
        return server;
    }

    /// <summary>Stops: requests that are held are let go.</summary>
    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _application.StopAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _application.DisposeAsync();
        _certificate?.Dispose();
    }

    private static NodeCertificate? LoadCertificate(NodeConfiguration configuration, Action<string> warn, TimeProvider time)
    {
        if (configuration.Http.Https is null)
            return null;
        return configuration.Http is { Certificate: string certificate, Key: string key }
            ? NodeCertificate.Given(certificate, key, warn, time)
            : NodeCertificate.Own(configuration.Node.State, configuration.Node.Id, warn, time);
    }

    private void Map(NodeConfiguration configuration, HttpSubjects subjects, ILogger log, TimeProvider time)
    {
        var cors = new Cors(configuration.Http.Cors);
        _application.Use((context, next) => AnswerAsync(context, next, cors, log));
        _application.UseRouting();
        var guard = new Guard(_application, subjects.Tokens, time);
        PageRoutes.Map(guard);
        new NodeRoutes(subjects).Map(guard);
        new LiveRoutes(subjects.Registry.Cameras, subjects.Sessions, subjects.Audit).Map(guard);
        new PlaybackRoutes(subjects.Registry.Cameras, subjects.Sessions, subjects.Tokens, subjects.Revocations, configuration, () => HttpsPort ?? Port, subjects.Audit, time).Map(guard);
        new CameraRoutes(subjects.Registry, configuration.Node, subjects.Health, subjects.Audit, time).Map(guard);
        new EventRoutes(subjects.Events, subjects.Shots, subjects.Tokens, subjects.Audit).Map(guard);
        new IdentityRoutes(subjects.Identities, subjects.Shots, subjects.Models, subjects.Audit, time).Map(guard);
        new AttendanceRoutes(subjects.Events, subjects.Audit, time).Map(guard);
        new TokenRoutes(subjects.ApiTokens, subjects.Tokens, subjects.Sessions, subjects.Revocations, subjects.Audit).Map(guard);
    }

    // The outermost: whatever happens inside, an error leaves as a problem.
    private static async Task AnswerAsync(HttpContext context, RequestDelegate next, Cors cors, ILogger log)
    {
        context.Response.Headers["Referrer-Policy"] = "no-referrer";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        try
        {
            if (IsAmbiguous(context.Features.Get<IHttpRequestFeature>()?.RawTarget ?? ""))
                throw new RefusedException(Problem.BadRequest("The path holds encoded slashes or dot segments: write it plainly."));
            if (cors.Answer(context))
                return;
            await next(context);
            if (context.Response is { HasStarted: false, StatusCode: >= 400, ContentType: null })
                await Problem.OfStatus(context.Response.StatusCode).WriteAsync(context);
        }
        catch (RefusedException refused) when (!context.Response.HasStarted)
        {
            await refused.Problem.WriteAsync(context);
        }
        catch (Microsoft.AspNetCore.Http.BadHttpRequestException fault) when (!context.Response.HasStarted)
        {
            await (fault.StatusCode == StatusCodes.Status400BadRequest ? Problem.BadRequest(fault.Message) : Problem.OfStatus(fault.StatusCode)).WriteAsync(context);
        }
        catch (Exception fault) when (HasLeft(context, fault))
        {
            // The client left.
        }
        catch (IOException fault) when (!context.Response.HasStarted)
        {
            // A full disk, mostly; what it says holds no secret.
            log.LogError("{Method} of a {Route} failed: {Fault}", context.Request.Method, RouteOf(context), fault.Message);
            await Problem.Unavailable("Storage trouble", "The node's state cannot be read or written now; its log says why.").WriteAsync(context);
        }
        catch (Exception fault) when (!context.Response.HasStarted)
        {
            log.LogError("{Method} of a {Route} failed: {Fault}", context.Request.Method, RouteOf(context), fault.GetType().Name);
            await new Problem(StatusCodes.Status500InternalServerError, "Internal error", "The node failed at this request; its log says where.").WriteAsync(context);
        }
    }

    /// <summary>Whether a request failed because its client went away: over HTTP/2 that comes as an <see cref="IOException"/>, as a full disk does.</summary>
    internal static bool HasLeft(HttpContext context, Exception fault) =>
        fault is ConnectionResetException or ConnectionAbortedException
        || fault.InnerException is ConnectionResetException or ConnectionAbortedException
        || (fault is OperationCanceledException && context.RequestAborted.IsCancellationRequested);

    private static string? RouteOf(HttpContext context) => (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText;

    /// <summary>Whether a proxy and the node could take the path for two different ones: encoded slashes, and dot segments in any guise.</summary>
    internal static bool IsAmbiguous(string target)
    {
        int query = target.IndexOf('?');
        ReadOnlySpan<char> path = query < 0 ? target : target.AsSpan(0, query);
        if (path.Contains('\\') || path.Contains("%2f", StringComparison.OrdinalIgnoreCase) || path.Contains("%5c", StringComparison.OrdinalIgnoreCase) || path.Contains("%00", StringComparison.Ordinal))
            return true;
        foreach (Range segment in path.Split('/'))
        {
            string plain = path[segment].ToString().Replace("%2e", ".", StringComparison.OrdinalIgnoreCase);
            if (plain is "." or "..")
                return true;
        }

        return false;
    }

    private static void Configure(KestrelServerOptions kestrel, NodeConfiguration configuration, NodeCertificate? certificate)
    {
        HttpSection http = configuration.Http;
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = MostConnections;
        kestrel.Limits.MaxRequestBodySize = LargestRequestBody;
        kestrel.Limits.MaxRequestLineSize = 4096;
        kestrel.Limits.MaxRequestHeadersTotalSize = 16 << 10;
        kestrel.Limits.MaxRequestHeaderCount = 64;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(60);
        kestrel.Limits.Http2.MaxStreamsPerConnection = MostStreamsAConnection;
        kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(1000, TimeSpan.FromSeconds(10));
        // A viewer who takes less while something waits for him holds pictures that all others have let go of.
        kestrel.Limits.MinResponseDataRate = new MinDataRate(SlowestReaderBytesPerSecond, TimeSpan.FromSeconds(10));
        var perAddress = new ConnectionsPerAddress(configuration.Limits.ConnectionsPerAddress);
        Listen(kestrel, http.Host, http.Port, options => options.Use(perAddress.Limit));
        if (http.Https is null || certificate is null)
            return;
        Listen(kestrel, http.Https.Host, http.Https.Port, options =>
        {
            options.Use(perAddress.Limit);
            options.Protocols = HttpProtocols.Http1AndHttp2;
            options.UseHttps(new TlsHandshakeCallbackOptions
            {
                OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions
                {
                    ServerCertificateContext = certificate.Current,
                    EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                    ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
                }),
            });
        });
    }

    private static void Listen(KestrelServerOptions kestrel, string host, int port, Action<ListenOptions> configure)
    {
        if (host != "localhost")
            kestrel.Listen(IPAddress.Parse(host), port, configure);
        else if (port == 0)
            kestrel.Listen(IPAddress.Loopback, 0, configure);
        else
            kestrel.ListenLocalhost(port, configure);
    }

    private void ReadPorts(HttpSection http)
    {
        (Port, HttpsPort) = (http.Port, http.Https?.Port);
        foreach (string address in _application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses ?? [])
        {
            BindingAddress bound = BindingAddress.Parse(address);
            if (bound.Scheme == "https")
                HttpsPort = bound.Port;
            else
                Port = bound.Port;
        }
    }

    private static string Describe(Exception fault, HttpSection http)
    {
        if ((fault.InnerException ?? fault) is not (AddressInUseException or SocketException))
            return fault.Message;
        string[] both = http.Https is null ? [$"{http.Host}:{http.Port}"] : [$"{http.Host}:{http.Port}", $"{http.Https.Host}:{http.Https.Port}"];
        // Kestrel's words name the one that failed.
        string places = Array.Find(both, place => fault.Message.Contains($"{place}:", StringComparison.Ordinal)) ?? string.Join(" and ", both);
        string reason = (fault.InnerException ?? fault) is AddressInUseException or SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse }
            ? "another program uses that port; stop it, or choose another one (http.listen and http.https, or --port of the demo)"
            : fault.Message;
        return $"Cannot listen on {places}: {reason}.";
    }
}
