using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using EdgeNode.Configuration;
using EdgeNode.Events;
using EdgeNode.Telemetry;
using EdgeNode.Tests.Events;
using Microsoft.Extensions.Time.Testing;
using MQTTnet.Protocol;

namespace EdgeNode.Tests.Telemetry;

public class MqttLinkTests
{
    private const string Status = "edgenode/hq/edge-01/status";
    private const string FaceEvents = "edgenode/hq/edge-01/events/face";
    private const string Health = "edgenode/hq/edge-01/health";
    private const string CameraState = "edgenode/hq/edge-01/cameras/entrance/state";

    private readonly ListLogger _log = new();

    [SkippableFact]
    public async Task The_status_is_retained_online_and_after_a_clean_stop_offline()
    {
        using Mosquitto broker = await new Mosquitto().StartAsync();
        await using (MqttLink link = Link(broker.Port))
        {
            link.Start();
            await Connected(link);
            Assert.Null(link.LastError);
            using Witness late = await Witness.JoinAsync(broker.Port);
            await late.HearsAsync(Status, "\"online\"");
            Assert.Equal((true, MqttQualityOfServiceLevel.AtLeastOnce), (late.All[0].Retain, late.All[0].Quality));
            Assert.Matches("""^{"state":"online","since":"20..-..-..T..:..:..\....Z","version":"1.2.3","boot_id":"boot","base_url":"https://edge-01.local:8443"}$""", late.On(Status)[0]);
            await link.StopAsync();
            await late.HearsAsync(Status, "\"offline\"");
            Assert.DoesNotContain(late.On(Status), p => p.Contains("\"since\":null"));
        }

        using Witness later = await Witness.JoinAsync(broker.Port);
        await later.HearsAsync(Status, "\"offline\"");
        Assert.True(later.All[0].Retain);
        Assert.Empty(_log.Lines);
    }

    [SkippableFact]
    public async Task When_the_connection_is_cut_hard_the_broker_says_offline()
    {
        using Mosquitto broker = await new Mosquitto().StartAsync();
        using var wire = new Wire(broker.Port);
        await using MqttLink link = Link(wire.Port);
        link.Start();
        await Connected(link);
        wire.CutForGood();
        using Witness witness = await Witness.JoinAsync(broker.Port);
        await witness.HearsAsync(Status, """{"state":"offline","since":null,""");
        await Eventually.TrueAsync(() => !link.IsConnected, "the link knows");

        using Witness late = await Witness.JoinAsync(broker.Port);
        await late.HearsAsync(Status, "\"offline\"");
        Assert.True(late.All[0].Retain);
    }

    [SkippableFact]
    public async Task A_broker_that_restarted_gets_everything_retained_again()
    {
        using Mosquitto broker = await new Mosquitto().StartAsync();
        await using MqttLink link = Link(broker.Port);
        link.PublishCameraState("entrance", new CameraStateMessage("connecting", DateTime.UnixEpoch, "nothing listens there"));
        link.Start();
        link.PublishCameraState("entrance", new CameraStateMessage("streaming", DateTime.UnixEpoch, null));
        using (Witness before = await Witness.JoinAsync(broker.Port))
            await before.HearsAsync(CameraState, "streaming");

        broker.Stop();
        await Eventually.TrueAsync(() => !link.IsConnected, "the link knows");
        await broker.StartAsync();
        await Connected(link);
        using Witness after = await Witness.JoinAsync(broker.Port);
        await after.HearsAsync(Status, "\"online\"");
        await after.HearsAsync(CameraState, """{"state":"streaming","since":"1970-01-01T00:00:00.000Z","reason":null}""");
        Assert.Null(link.LastError);
    }

    [SkippableFact]
    public async Task Events_from_while_the_broker_was_down_arrive_in_order()
    {
        using var broker = new Mosquitto();
        await using MqttLink link = Link(broker.Port);
        link.Start();
        for (int seq = 1; seq <= 200; seq++)
            link.Enqueue(SampleEvents.Event(seq));
        await Eventually.TrueAsync(() => link.LastError is not null, "the link has tried");
        Assert.Equal(200, link.QueueDepth);

        await broker.StartAsync();
        using Witness witness = await Witness.JoinAsync(broker.Port);
        await Eventually.TrueAsync(() => link.QueueDepth == 0, "all are acknowledged");
        await Eventually.TrueAsync(() => witness.On(FaceEvents).Length >= 200, "all arrived");
        Assert.Equal(Enumerable.Range(1, 200), Sequences(witness));
        Assert.All(witness.All.Where(h => h.Topic == FaceEvents), h => Assert.Equal(MqttQualityOfServiceLevel.AtLeastOnce, h.Quality));
        Assert.Equal(0, link.EventsLost);
    }

    [SkippableFact]
    public async Task Events_queued_before_a_stop_still_leave_ahead_of_the_goodbye()
    {
        using Mosquitto broker = await new Mosquitto().StartAsync();
        using Witness witness = await Witness.JoinAsync(broker.Port);
        await using MqttLink link = Link(broker.Port);
        link.Start();
        await Connected(link);
        for (int seq = 1; seq <= 20; seq++)
            link.Enqueue(SampleEvents.Event(seq));
        await link.StopAsync();
        await witness.HearsAsync(Status, "\"offline\"");
        Assert.Equal(Enumerable.Range(1, 20), Sequences(witness));
        Assert.Equal(0, link.QueueDepth);
    }

    [Fact]
    public async Task A_broker_that_is_away_blocks_nobody_and_costs_a_line_a_minute()
    {
        var clock = new FakeTimeProvider();
        await using MqttLink link = Link(Mosquitto.FreePort(), clock, o => o with { Username = "edge", Password = new Secret("s3cret"), QueueCapacity = 100 });
        link.Start();
        for (int i = 0; i < 1000; i++)
            link.Enqueue(SampleEvents.Event(i, (FaceEventPhase)(i % 3), id: Guid.CreateVersion7()));
        link.PublishHealth(Report());
        link.PublishCameraState("entrance", new CameraStateMessage("streaming", DateTime.UnixEpoch, null));
        Assert.Equal(100, link.QueueDepth);

        await Eventually.TrueAsync(() => _log.Lines.Length == 1, "the first line");
        Assert.Contains("nothing listens there", link.LastError);
        DateTimeOffset firstMinuteEnds = clock.GetUtcNow() + TimeSpan.FromSeconds(59);
        while (clock.GetUtcNow() < firstMinuteEnds)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(5);
        }

        Assert.Single(_log.Lines);
        await Eventually.TrueAsync(() => _log.Lines.Length == 2, "the second line", () => clock.Advance(TimeSpan.FromSeconds(1)));
        Assert.Contains("more since the last line", _log.Lines[1]);
        Assert.DoesNotContain("s3cret", string.Join('\n', _log.Lines) + link.LastError);
        Assert.False(link.IsConnected);
    }

    [SkippableFact]
    public async Task A_dead_connection_is_noticed_although_publishing_into_it_seems_to_work()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        using Mosquitto broker = await new Mosquitto().StartAsync();
        using var wire = new Wire(broker.Port);
        await using MqttLink link = Link(wire.Port, clock);
        link.Start();
        await Connected(link);

        wire.BlackHoleOpenConnections();
        DateTimeOffset since = clock.GetUtcNow();
        await Eventually.TrueAsync(() => !link.IsConnected, "the link knows", () =>
        {
            link.PublishHealth(Report());
            clock.Advance(TimeSpan.FromSeconds(1));
        });
        // One and a half keep-alives, and the steps in which this test looks.
        Assert.InRange(clock.GetUtcNow() - since, TimeSpan.Zero, TimeSpan.FromSeconds(60));

        wire.Heal();
        await Eventually.TrueAsync(() => link.IsConnected, "connected again", () => clock.Advance(TimeSpan.FromSeconds(1)));
        Assert.True(wire.Connections >= 2);
    }

    [SkippableFact]
    public async Task An_event_that_went_into_a_dead_connection_is_sent_again()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        using Mosquitto broker = await new Mosquitto().StartAsync();
        using Witness witness = await Witness.JoinAsync(broker.Port);
        using var wire = new Wire(broker.Port);
        await using MqttLink link = Link(wire.Port, clock);
        link.Start();
        await Connected(link);
        wire.BlackHoleOpenConnections();
        link.Enqueue(SampleEvents.Event(1));
        link.Enqueue(SampleEvents.Event(2));
        await Eventually.TrueAsync(() => !link.IsConnected, "the link knows", () => clock.Advance(TimeSpan.FromSeconds(1)));
        Assert.Equal(2, link.QueueDepth);
        wire.Heal();
        await Eventually.TrueAsync(() => link.QueueDepth == 0, "both are acknowledged", () => clock.Advance(TimeSpan.FromSeconds(1)));
        await Eventually.TrueAsync(() => witness.On(FaceEvents).Length >= 2, "both arrived");
        Assert.Equal([1, 2], Sequences(witness));
    }

    [SkippableFact]
    public async Task A_healthy_idle_connection_is_kept()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        using Mosquitto broker = await new Mosquitto().StartAsync();
        int pings = 0;
        using var wire = new Wire(broker.Port)
        {
            // PINGREQ: MQTT 5 §3.12.
            Intercept = bytes =>
            {
                if (bytes is [0xC0, 0x00])
                    Interlocked.Increment(ref pings);
                return null;
            },
        };
        await using MqttLink link = Link(wire.Port, clock);
        link.Start();
        await Connected(link);
        for (int ping = 1; ping <= 5; ping++)
        {
            await Eventually.TrueAsync(() => Volatile.Read(ref pings) >= ping, $"ping {ping}", () =>
            {
                if (Volatile.Read(ref pings) < ping)
                    clock.Advance(TimeSpan.FromSeconds(1));
            });
        }

        Assert.True(link.IsConnected);
        Assert.Equal(1, wire.Connections);
    }

    [SkippableFact]
    public async Task A_broker_that_speaks_only_3_1_1_is_spoken_to_in_3_1_1()
    {
        using Mosquitto broker = await new Mosquitto().StartAsync();
        var levels = new List<byte>();
        using var wire = new Wire(broker.Port)
        {
            // CONNECT begins with its type, and has the protocol level behind the name "MQTT" (§3.1.2.2).
            Intercept = bytes =>
            {
                if (bytes[0] != 0x10)
                    return null;
                byte level = bytes[bytes.AsSpan().IndexOf("MQTT"u8) + 4];
                levels.Add(level);
                // What a broker of 3.1.1 answers: unacceptable protocol version (MQTT 3.1.1 §3.2.2.3).
                return level == 5 ? [0x20, 0x02, 0x00, 0x01] : null;
            },
        };
        using Witness witness = await Witness.JoinAsync(broker.Port);
        await using MqttLink link = Link(wire.Port);
        link.Start();
        await Connected(link);
        link.Enqueue(SampleEvents.Event(1));
        await witness.HearsAsync(FaceEvents, "\"seq\":1");
        Assert.Equal([5, 4], levels);
        await link.StopAsync();
        await witness.HearsAsync(Status, "\"offline\"");
    }

    [SkippableFact]
    public async Task A_refused_node_says_what_to_check_and_no_secret()
    {
        using Mosquitto broker = await new Mosquitto(allowAnonymous: false).StartAsync();
        await using MqttLink link = Link(broker.Port, change: o => o with { Username = "edge", Password = new Secret("s3cret") });
        link.Start();
        await Eventually.TrueAsync(() => link.LastError is not null, "an answer");
        Assert.Contains("check mqtt.username and mqtt.password", link.LastError);
        Assert.DoesNotContain("s3cret", string.Join('\n', _log.Lines) + link.LastError);
    }

    [Fact]
    public async Task Two_nodes_of_one_id_are_told_so_and_do_not_evict_each_other_in_a_hurry()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        // Mosquitto 2.0 closes the connection without the reason.
        await using EmbeddedBroker broker = await EmbeddedBroker.StartAsync();
        using var wire = new Wire(broker.Port);
        await using MqttLink first = Link(wire.Port, clock);
        first.PublishCameraState("entrance", new CameraStateMessage("streaming", DateTime.UnixEpoch, null));
        first.PublishHealth(Report());
        first.Start();
        // Health goes out last: then nothing is on its way that would fail ahead of the broker's word.
        using Witness witness = await Witness.JoinAsync(broker.Port);
        await witness.HearsAsync(Health, "uptime_s");
        await using MqttLink second = Link(broker.Port);
        second.Start();
        await Eventually.TrueAsync(() => first.LastError is not null, "the first knows");
        Assert.Contains("give every node a node.id of its own", first.LastError);
        clock.Advance(TimeSpan.FromSeconds(14));
        await Connected(second);
        Assert.Equal(1, wire.Connections);
    }

    [SkippableFact]
    public async Task An_old_sessions_late_will_is_corrected()
    {
        using Mosquitto broker = await new Mosquitto().StartAsync();
        using Witness witness = await Witness.JoinAsync(broker.Port);
        await using MqttLink link = Link(broker.Port);
        link.PublishCameraState("entrance", new CameraStateMessage("streaming", DateTime.UnixEpoch, null));
        link.Start();
        // The camera's state goes out behind the subscription to our own status.
        await witness.HearsAsync(CameraState, "streaming");
        await witness.SayRetainedAsync(Status, """{"state":"offline","since":null,"version":"1.2.3","boot_id":"boot","base_url":null}""");
        await Eventually.TrueAsync(() => witness.On(Status) is [.., var last] && last.Contains("online") && witness.On(Status).Any(p => p.Contains("offline")), "online again");
    }

    [SkippableFact]
    public async Task A_removed_camera_leaves_nothing_on_the_broker()
    {
        using Mosquitto broker = await new Mosquitto().StartAsync();
        await using MqttLink link = Link(broker.Port);
        link.PublishCameraState("entrance", new CameraStateMessage("streaming", DateTime.UnixEpoch, null));
        link.PublishCameraState("yard", new CameraStateMessage("streaming", DateTime.UnixEpoch, null));
        link.Start();
        using Witness witness = await Witness.JoinAsync(broker.Port);
        await witness.HearsAsync(CameraState, "streaming");
        link.RemoveCamera("entrance");
        await Eventually.TrueAsync(() => witness.On(CameraState) is [.., ""], "taken off");

        using Witness late = await Witness.JoinAsync(broker.Port);
        await late.HearsAsync("edgenode/hq/edge-01/cameras/yard/state", "streaming");
        Assert.Empty(late.On(CameraState));
    }

    [SkippableFact]
    public async Task An_event_larger_than_the_broker_takes_does_not_stop_the_others()
    {
        using Mosquitto broker = await new Mosquitto("max_packet_size 2000").StartAsync();
        using Witness witness = await Witness.JoinAsync(broker.Port);
        await using MqttLink link = Link(broker.Port);
        link.Enqueue(SampleEvents.Event(1, camera: new string('x', 3000)));
        link.Enqueue(SampleEvents.Event(2));
        link.Start();
        await witness.HearsAsync(FaceEvents, "\"seq\":2");
        Assert.Equal([2], Sequences(witness));
        Assert.Equal(1, link.EventsLost);
        Assert.Contains("larger than it takes", Assert.Single(_log.Lines));
    }

    [SkippableFact]
    public async Task An_event_on_which_the_broker_hangs_up_again_and_again_is_set_aside()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        using Mosquitto broker = await new Mosquitto().StartAsync();
        int refusals = 0;
        using var wire = new Wire(broker.Port)
        {
            Intercept = bytes =>
            {
                if (!Encoding.Latin1.GetString(bytes).Contains("poison"))
                    return null;
                Interlocked.Increment(ref refusals);
                return [];
            },
        };
        using Witness witness = await Witness.JoinAsync(broker.Port);
        await using MqttLink link = Link(wire.Port, clock);
        link.Enqueue(SampleEvents.Event(1, camera: "poison"));
        link.Enqueue(SampleEvents.Event(2));
        link.Start();
        await Eventually.TrueAsync(() => link.QueueDepth == 0, "the others went out", () => clock.Advance(TimeSpan.FromSeconds(1)));
        Assert.Equal(MqttLink.HangUpsAtMost, refusals);
        Assert.Equal(1, link.EventsLost);
        await witness.HearsAsync(FaceEvents, "\"seq\":2");
    }

    [SkippableFact]
    public async Task Health_is_sent_unacknowledged_and_only_the_newest()
    {
        using Mosquitto broker = await new Mosquitto().StartAsync();
        using Witness witness = await Witness.JoinAsync(broker.Port);
        await using MqttLink link = Link(broker.Port);
        link.PublishHealth(Report() with { QueueDepth = 1 });
        link.PublishHealth(Report() with { QueueDepth = 2 });
        link.Start();
        await witness.HearsAsync(Health, "\"queue_depth\":2");
        Assert.Single(witness.On(Health));
        Assert.All(witness.All.Where(h => h.Topic == Health), h => Assert.Equal((MqttQualityOfServiceLevel.AtMostOnce, false), (h.Quality, h.Retain)));
    }

    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Over_tls_only_a_broker_vouched_for_by_the_authority_is_trusted(bool isTrusted)
    {
        using X509Certificate2 authority = CreateAuthority("the fleet"), stranger = CreateAuthority("a stranger");
        using X509Certificate2 certificate = IssueForLoopback(authority);
        int tlsPort = Mosquitto.FreePort();
        using var broker = new Mosquitto(); // Makes the folder in which the certificate must lie.
        string pem = Path.Combine(broker.Folder, "cert.pem"), key = Path.Combine(broker.Folder, "key.pem");
        File.WriteAllText(pem, certificate.ExportCertificatePem());
        File.WriteAllText(key, certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        // A broker started by root drops to an account of its own before it reads them.
        foreach (string path in new[] { pem, key })
            File.SetUnixFileMode(path, File.GetUnixFileMode(path) | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        File.SetUnixFileMode(broker.Folder, File.GetUnixFileMode(broker.Folder) | UnixFileMode.OtherExecute);
        File.AppendAllText(Path.Combine(broker.Folder, "mosquitto.conf"), $"listener {tlsPort} 127.0.0.1\ncertfile {pem}\nkeyfile {key}\n");
        await broker.StartAsync();

        await using MqttLink link = Link(tlsPort, change: o => o with
        {
            Broker = BrokerAddress.Parse($"mqtts://127.0.0.1:{tlsPort}"),
            Authorities = [X509CertificateLoader.LoadCertificate((isTrusted ? authority : stranger).RawData)],
        });
        link.Start();
        if (isTrusted)
        {
            await Connected(link);
            return;
        }

        await Eventually.TrueAsync(() => link.LastError is not null, "an answer");
        Assert.Contains("does not pass the TLS check", link.LastError);
        Assert.False(link.IsConnected);
    }

    [Fact]
    public async Task A_link_that_was_never_started_or_never_connected_stops_at_once()
    {
        await Link(1).StopAsync();
        MqttLink link = Link(Mosquitto.FreePort(), new FakeTimeProvider());
        link.Start();
        await Eventually.TrueAsync(() => link.LastError is not null, "the link has tried");
        await link.StopAsync();
        link.Enqueue(SampleEvents.Event(1));
        Assert.Equal(1, link.QueueDepth);
    }

    [Fact]
    public void Options_do_not_print_the_password() =>
        Assert.DoesNotContain("s3cret", Options(1) with { Password = new Secret("s3cret") } + "");

    internal static HealthReport Report() => new()
    {
        UptimeS = 1,
        CpuPercent = 2,
        Memory = new MemoryHealth(1, 2, 3),
        TemperatureC = null,
        Disk = new DiskHealth(4, 5),
        Clock = new ClockHealth(true, DateTime.UnixEpoch),
        QueueDepth = 0,
        EventsLost = 0,
        Ffmpeg = "5.1.9",
        Onnxruntime = null,
        Cameras = [],
    };

    internal static MqttLinkOptions Options(int port) => new()
    {
        Broker = BrokerAddress.Parse($"mqtt://127.0.0.1:{port}"),
        Site = "hq",
        Node = "edge-01",
        Version = "1.2.3",
        BootId = "boot",
        BaseUrl = "https://edge-01.local:8443",
    };

    private static Task Connected(MqttLink link) => Eventually.TrueAsync(() => link.IsConnected, "connected");

    private static int[] Sequences(Witness witness) =>
        [.. witness.On(FaceEvents).Select(p => System.Text.Json.JsonSerializer.Deserialize(p, FaceEventJson.Default.FaceEvent)!.Seq)];

    private static X509Certificate2 CreateAuthority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private static X509Certificate2 IssueForLoopback(X509Certificate2 authority)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=broker", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = request.Create(authority, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1), [1]);
        return certificate.CopyWithPrivateKey(key);
    }

    private MqttLink Link(int port, TimeProvider? clock = null, Func<MqttLinkOptions, MqttLinkOptions>? change = null) =>
        new((change ?? (o => o))(Options(port)), clock ?? TimeProvider.System, _log);
}
