using System.Net;
using System.Net.Sockets;
using EdgeNode.Configuration;
using EdgeNode.Ingest;
using EdgeNode.Ingest.Rtsp;
using Microsoft.Extensions.Time.Testing;

namespace EdgeNode.Tests.Ingest.Rtsp;

public sealed class RtspUdpTests : IDisposable
{
    private static readonly TimeSpan Long = TimeSpan.FromHours(1);

    private readonly StubCamera _camera = new();
    private readonly RtpBytes _rtp = new();
    private readonly FakeTimeProvider _clock = new();

    public void Dispose() => _camera.Dispose();

    [Fact]
    public void Asks_for_a_pair_of_ports_and_puts_packets_into_order()
    {
        using RtspSource source = Open();
        byte[][] frames = [Key(), Other(), Other(), Other()];
        foreach (int at in (int[])[0, 2, 1, 3])
            _camera.PushUdp(0, frames[at]);

        var times = new List<long>();
        for (int i = 0; i < frames.Length; i++)
            times.Add(Take(source));

        Assert.Equal([0, 3000, 6000, 9000], times.Select(time => time - times[0]));
        Assert.Equal(0, source.LostPackets);
        string ports = _camera.WaitFor("SETUP").Split("Transport: RTP/AVP;unicast;client_port=")[1].Split("\r\n")[0];
        int even = int.Parse(ports.Split('-')[0], System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal((0, $"{even}-{even + 1}"), (even % 2, ports));
    }

    [Fact]
    public void What_never_came_is_counted_as_lost()
    {
        using RtspSource source = Open();
        _camera.PushUdp(0, Key());
        Other();
        byte[] after = Other();
        Take(source);
        _camera.PushUdp(0, after);
        using var reading = new Thread(source);
        AdvanceUntil(() => source.LostPackets == 1);
    }

    [Fact]
    public void Packets_from_another_address_are_no_video()
    {
        using RtspSource source = Open();
        using var stranger = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        stranger.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.2"), 0));
        stranger.SendTo(new RtpBytes { Source = 1, Timestamp = 77_000_000 }.Packet(RtpBytes.Slice(key: true, 100), marker: true), _camera.UdpClientOf(0));
        _camera.PushUdp(0, Key());

        AccessUnit unit = source.Read()!;
        Assert.Equal(200 + 4, unit.Length);
        unit.Release();
    }

    [Fact]
    public void The_way_is_opened_and_reports_go_to_the_cameras_control_port()
    {
        using RtspSource source = Open();
        byte[] datagram = new byte[2000];
        _camera.UdpControl.ReceiveTimeout = 20_000;
        int length = _camera.UdpControl.Receive(datagram);
        Assert.Equal([0x80, 201, 0, 1], datagram[..4]);
        Assert.Equal(8, length);

        _camera.PushUdp(0, Key());
        Take(source);
        using var reading = new Thread(source);
        AdvanceUntil(() => _camera.UdpControl.Available > 0);
        Assert.Equal(52, _camera.UdpControl.Receive(datagram));
        Assert.Equal([0x81, 201, 0, 7], datagram[..4]);
        Assert.Equal([0, 0, 0xCA, 0xFE], datagram[8..12]);
    }

    [Fact]
    public void Where_nothing_arrives_the_sentence_says_what_to_set()
    {
        using RtspSource source = Open(FirstPacket: TimeSpan.FromSeconds(10));
        using var reading = new Thread(source);
        AdvanceUntil(() => reading.End is not null);
        Assert.Equal(SourceTrouble.Stalled, reading.End!.Trouble);
        Assert.Contains("transport: tcp", reading.End.Message);
    }

    [Theory]
    [InlineData("461 Unsupported Transport", null)]
    [InlineData("200 OK", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1")]
    public void A_camera_that_sends_over_tcp_only_says_so(string status, string? transport)
    {
        _camera.Answer = request => request.StartsWith("SETUP", StringComparison.Ordinal) ? StubCamera.Respond(request, status, transport is null ? [] : [transport]) : null;
        SourceException refused = Assert.Throws<SourceException>(() => Open());
        Assert.Equal(SourceTrouble.Unsupported, refused.Trouble);
        Assert.Contains("transport: tcp", refused.Message);
    }

    [Theory]
    [InlineData("461 Unsupported Transport", null)]
    [InlineData("200 OK", "Transport: RTP/AVP;unicast;client_port=0-1;server_port=5000-5001")]
    public void A_camera_that_sends_by_udp_only_says_so(string status, string? transport)
    {
        _camera.Answer = request => request.StartsWith("SETUP", StringComparison.Ordinal) ? StubCamera.Respond(request, status, transport is null ? [] : [transport]) : null;
        using var source = new RtspSource(RtspUrl.Parse(_camera.Url));
        SourceException refused = Assert.Throws<SourceException>(source.Open);
        Assert.Equal(SourceTrouble.Unsupported, refused.Trouble);
        Assert.Contains("transport: udp", refused.Message);
    }

    [Fact]
    public void Abort_ends_a_read_and_the_camera_still_gets_its_goodbye()
    {
        RtspSource source = Open();
        var reading = new Thread(source);
        reading.Dispose();
        Assert.Equal(SourceTrouble.Closed, reading.End!.Trouble);
        source.Dispose();
        _camera.WaitFor("TEARDOWN");
    }

    [Fact]
    public void A_closed_rtsp_connection_ends_the_stream()
    {
        using RtspSource source = Open();
        _camera.PushUdp(0, Key());
        Take(source);
        _camera.HangUp();
        Assert.Equal(SourceTrouble.Closed, Assert.Throws<SourceException>(() => source.Read()).Trouble);
    }

    [Fact]
    public void With_rtsps_udp_is_refused_before_anything_is_sent()
    {
        using var source = new RtspSource(RtspUrl.Parse(_camera.Url.Replace("rtsp:", "rtsps:", StringComparison.Ordinal)), new RtspSourceOptions { Transport = RtpTransport.Udp });
        Assert.Contains("transport: tcp", Assert.Throws<SourceException>(source.Open).Message);
        Assert.Equal(0, _camera.Connections);
    }

    private RtspSource Open(TimeSpan? FirstPacket = null)
    {
        var source = new RtspSource(
            RtspUrl.Parse(_camera.Url),
            new RtspSourceOptions { Transport = RtpTransport.Udp, ConnectWithin = Long, AnswerWithin = Long, FirstPacketWithin = FirstPacket ?? Long, StallAfter = Long },
            _clock);
        try
        {
            source.Open();
            return source;
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    private void AdvanceUntil(Func<bool> condition) =>
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                _clock.Advance(TimeSpan.FromMilliseconds(50));
                return condition();
            },
            TimeSpan.FromSeconds(20)));

    private static long Take(RtspSource source)
    {
        AccessUnit unit = source.Read()!;
        long time = unit.Dts;
        unit.Release();
        return time;
    }

    private byte[] Key() => Frame(key: true);

    private byte[] Other() => Frame(key: false);

    private byte[] Frame(bool key)
    {
        _rtp.Timestamp += 3000;
        return _rtp.Packet(RtpBytes.Slice(key, 200), marker: true);
    }

    /// <summary>Reads a source until it ends.</summary>
    private sealed class Thread : IDisposable
    {
        private readonly RtspSource _source;
        private readonly System.Threading.Thread _thread;

        public Thread(RtspSource source)
        {
            _source = source;
            _thread = new System.Threading.Thread(() =>
            {
                try
                {
                    while (source.Read() is { } unit)
                        unit.Release();
                }
                catch (SourceException end)
                {
                    End = end;
                }
            });
            _thread.Start();
        }

        public volatile SourceException? End;

        public void Dispose()
        {
            _source.Abort();
            _thread.Join();
        }
    }
}
