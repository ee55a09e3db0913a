using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeNode.Ingest;
using EdgeNode.Ingest.Rtsp;

namespace EdgeNode.Tests.Ingest.Rtsp;

public class RtspTlsTests
{
    private readonly RtpBytes _rtp = new();

    [Fact]
    public void A_camera_that_signed_its_own_certificate_streams_over_tls_with_a_login()
    {
        using X509Certificate2 certificate = Certificate();
        using var camera = new StubCamera(certificate)
        {
            FramesAfterPlayAnswer = () => [Frame(key: true), Frame(key: false)],
        };
        camera.Answer = request => request.Contains("Authorization: Digest", StringComparison.Ordinal)
            ? null
            : StubCamera.Respond(request, "401 Unauthorized", "WWW-Authenticate: Digest realm=\"cam\", nonce=\"abc\", qop=\"auth\"");
        using (var source = new RtspSource(RtspUrl.Parse(camera.Url, "user", "p@ss:w/rd#1")))
        {
            source.Open();
            for (int i = 0; i < 2; i++)
                source.Read()!.Release();
        }

        camera.WaitFor("TEARDOWN");
        Assert.StartsWith($"DESCRIBE {camera.Url} RTSP/1.0\r\n", camera.WaitFor("DESCRIBE"));
        Assert.Equal(1, camera.Connections);
    }

    [Fact]
    public void An_idle_tick_does_not_break_the_tls_stream()
    {
        using X509Certificate2 certificate = Certificate();
        using var camera = new StubCamera(certificate) { FramesAfterPlayAnswer = () => [Frame(key: true)] };
        var tick = TimeSpan.FromMilliseconds(50);
        var clock = new CountingClock();
        using var source = new RtspSource(RtspUrl.Parse(camera.Url), new RtspSourceOptions { StallAfter = tick, FirstPacketWithin = tick, RemarkWithoutPictureAfter = TimeSpan.MaxValue }, clock);
        source.Open();
        source.Read()!.Release();
        AccessUnit? unit = null;
        var reading = new Thread(() => unit = source.Read());
        reading.Start();
        int before = clock.Asked;
        Assert.True(SpinWait.SpinUntil(() => clock.Asked > before + 3, TimeSpan.FromSeconds(20))); // some ticks went by
        camera.Push(Frame(key: false));
        Assert.True(reading.Join(TimeSpan.FromSeconds(20)));
        unit!.Release();
    }

    [Fact]
    public void The_deadline_of_connecting_holds_for_the_handshake()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        using var source = new RtspSource(RtspUrl.Parse($"rtsps://127.0.0.1:{port}/"), new RtspSourceOptions { ConnectWithin = TimeSpan.FromMilliseconds(150) });
        Assert.Equal(SourceTrouble.Stalled, Assert.Throws<SourceException>(source.Open).Trouble);
    }

    [Fact]
    public void A_port_without_tls_is_told_in_one_sentence()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.AcceptTcpClientAsync().ContinueWith(client => client.Result.GetStream().Write("RTSP/1.0 400 Bad Request\r\nCSeq: 0\r\n\r\n"u8), TaskScheduler.Default);
        using var source = new RtspSource(RtspUrl.Parse($"rtsps://127.0.0.1:{port}/"));
        SourceException refused = Assert.Throws<SourceException>(source.Open);
        Assert.Equal(SourceTrouble.Unsupported, refused.Trouble);
        Assert.Contains("rtsp://", refused.Message);
    }

    private byte[] Frame(bool key)
    {
        _rtp.Timestamp += 3000;
        return RtpBytes.Interleave(4, _rtp.Packet(RtpBytes.Slice(key, 200), marker: true));
    }

    private static X509Certificate2 Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=another name", key, HashAlgorithmName.SHA256);
        using X509Certificate2 made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddYears(-20), DateTimeOffset.UtcNow.AddYears(-10));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }

    /// <summary>A clock that stands still and counts how often it is asked.</summary>
    private sealed class CountingClock : TimeProvider
    {
        private int _asked;

        public int Asked => Volatile.Read(ref _asked);

        public override long GetTimestamp()
        {
            Interlocked.Increment(ref _asked);
            return 0;
        }
    }
}
