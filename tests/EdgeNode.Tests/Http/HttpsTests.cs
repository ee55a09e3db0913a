using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using EdgeNode.Configuration;
using EdgeNode.Http;
using EdgeNode.Tests.Media;
using Microsoft.Extensions.Time.Testing;

namespace EdgeNode.Tests.Http;

public sealed class HttpsTests
{
    [Fact]
    public async Task A_node_serves_https_with_a_certificate_of_its_own_and_speaks_http_2()
    {
        await using NodeServer node = await NodeServer.StartAsync(http: http => http with { Https = new ListenAddress("127.0.0.1", 0) });
        X509Certificate2? shown = null;
        using var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                {
                    shown = new X509Certificate2(certificate!);
                    return true;
                },
            },
        };
        using var client = new HttpClient(handler);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"https://localhost:{node.Server.HttpsPort}/healthz") { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        using HttpResponseMessage answer = await client.SendAsync(request);
        answer.EnsureSuccessStatusCode();
        Assert.Equal(HttpVersion.Version20, answer.Version);
        Assert.True(shown!.MatchesHostname("edge-01") && shown.MatchesHostname("edgenode-edge-01.local") && shown.MatchesHostname("localhost") && shown.MatchesHostname("127.0.0.1"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(node.State, NodeCertificate.FileName)));

        // Plain HTTP goes on beside it.
        using var plain = new HttpClient();
        Assert.Equal("ok\n", await plain.GetStringAsync($"http://127.0.0.1:{node.Server.Port}/healthz"));
        Assert.Matches(new Regex("^https://"), (await SessionUrlAsync(node))!);
    }

    [Fact]
    public void The_own_certificate_lasts_and_is_renewed_before_it_ends()
    {
        using var folder = new TemporaryFolder();
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        string Thumbprint()
        {
            using NodeCertificate certificate = NodeCertificate.Own(folder.Path, "edge-01", _ => { }, time);
            return certificate.Current.TargetCertificate.Thumbprint;
        }

        string first = Thumbprint();
        Assert.Equal(first, Thumbprint());
        using (NodeCertificate running = NodeCertificate.Own(folder.Path, "edge-01", _ => { }, time))
        {
            time.Advance(TimeSpan.FromDays(370));
            Assert.NotEqual(first, running.Current.TargetCertificate.Thumbprint);
            Assert.Equal(running.Current.TargetCertificate.Thumbprint, Thumbprint());
        }

        File.WriteAllText(folder.File(NodeCertificate.FileName), "garbage");
        Assert.NotEqual(first, Thumbprint());
    }

    [Fact]
    public void A_given_certificate_is_read_anew_when_its_file_changes_and_kept_when_that_fails()
    {
        using var folder = new TemporaryFolder();
        var time = new FakeTimeProvider();
        var warnings = new List<string>();
        string first = Write(folder, DateTime.UtcNow.AddHours(-2));
        using NodeCertificate given = NodeCertificate.Given(folder.File("cert.pem"), folder.File("key.pem"), warnings.Add, time);
        Assert.Equal(first, given.Current.TargetCertificate.Thumbprint);
        string second = Write(folder, DateTime.UtcNow.AddHours(-1));
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(second, given.Current.TargetCertificate.Thumbprint);
        File.WriteAllText(folder.File("cert.pem"), "garbage");
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(second, given.Current.TargetCertificate.Thumbprint);
        Assert.NotEmpty(warnings);
    }

    [Fact]
    public async Task A_certificate_that_cannot_be_read_is_said_in_a_sentence()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("cert.pem"), "garbage");
        File.WriteAllText(folder.File("key.pem"), "garbage");
        IOException fault = await Assert.ThrowsAsync<IOException>(() => NodeServer.StartAsync(http: http => http with
        {
            Https = new ListenAddress("127.0.0.1", 0),
            Certificate = folder.File("cert.pem"),
            Key = folder.File("key.pem"),
        }));
        Assert.Contains("http.certificate", fault.Message);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_said_in_a_sentence()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        int port = ((IPEndPoint)taken.LocalEndpoint).Port;
        IOException fault = await Assert.ThrowsAsync<IOException>(() => NodeServer.StartAsync(http: http => http with { Https = new ListenAddress("127.0.0.1", port) }));
        Assert.StartsWith($"Cannot listen on 127.0.0.1:{port}: another program uses that port", fault.Message);
    }

    private static async Task<string?> SessionUrlAsync(NodeServer node)
    {
        using HttpClient admin = node.Client(EdgeNode.Access.Role.Admin);
        return (await (await admin.PostAsync("api/stream/playback/create-session", Answers.Json("{\"camera_id\": \"lobby\"}"))).JsonAsync()).GetProperty("view_url").GetString();
    }

    private static string Write(TemporaryFolder folder, DateTime at)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = new CertificateRequest("CN=x", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(folder.File("cert.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(folder.File("key.pem"), key.ExportPkcs8PrivateKeyPem());
        File.SetLastWriteTimeUtc(folder.File("cert.pem"), at);
        File.SetLastWriteTimeUtc(folder.File("key.pem"), at);
        return certificate.Thumbprint;
    }
}
