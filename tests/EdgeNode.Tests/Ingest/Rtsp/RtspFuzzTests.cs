using System.Globalization;
using System.Text;
using CsCheck;
using EdgeNode.Ingest.Rtsp;
using Microsoft.Extensions.Time.Testing;

namespace EdgeNode.Tests.Ingest.Rtsp;

/// <summary>
/// What comes from the network, mangled: it ends in the documented exception or in nothing, within bounded memory. 100,000 inputs in
/// all; EDGENODE_FUZZ says how many else (1000000 in the soak).
/// </summary>
[Trait("Category", "Repeated")]
public class RtspFuzzTests
{
    private const string Sdp =
        "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=Media\r\na=control:*\r\nm=video 0 RTP/AVP 96\r\nb=AS:5000\r\na=rtpmap:96 H264/90000\r\n"
        + "a=fmtp:96 packetization-mode=1; profile-level-id=4D401F;sprop-parameter-sets=Z01AH9sBQBbv/AAMABBAAAADAEAAAAYDxgy4,aOrDyyA=\r\na=control:trackID=1\r\n"
        + "m=audio 0 RTP/AVP 104\r\na=rtpmap:104 MPEG4-GENERIC/16000\r\na=fmtp:97 streamtype=5;mode=AAC-hbr;sizelength=13;config=1408\r\na=sendonly\r\n"
        + "m=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\n";

    private const string Answer =
        "RTSP/1.0 401 Unauthorized\r\nCSeq: 3\r\nServer: x\r\nWWW-Authenticate: Digest realm=\"a\\\"b\", nonce=\"1\", qop=\"auth,auth-int\", stale=\"FALSE\"\r\n"
        + "WWW-Authenticate: Basic realm=\"c\"\r\nSession: 12 34 ;timeout=60\r\nTransport: RTP/AVP;unicast;client_port=1-2;server_port=3-4;source=192.0.2.1;interleaved=0-1\r\n"
        + "RTP-Info: url=rtsp://cam/trackID=1;seq=1;rtptime=5,url=trackID=2;rtptime=6\r\nContent-Base: rtsp://rtsp://cam/x?y=1\r\nContent-Length: 4\r\n\r\nbody";

    private const long MostBytesPerInput = 4 << 20;

    private static readonly long Inputs = long.TryParse(Environment.GetEnvironmentVariable("EDGENODE_FUZZ"), NumberStyles.None, CultureInfo.InvariantCulture, out long inputs) ? inputs : 100_000;

    [Fact]
    public void Session_descriptions() => Fuzz(20, Encoding.UTF8.GetBytes(Sdp), bytes =>
    {
        var description = SessionDescription.Parse(bytes);
        foreach (MediaDescription media in description.Media)
        {
            SessionDescription.ResolveControl(media.Control, description.Control, null, "rtsp://cam/");
            foreach (MediaFormat format in media.Formats)
                Assert.True(media.NameOf(format).Length + format.ReadParameterSets().Count + format.PacketizationMode >= 0);
        }
    });

    [Fact]
    public void Answers_and_what_their_headers_say() => Fuzz(20, Encoding.UTF8.GetBytes(Answer), bytes =>
    {
        long length = RtspMessage.Measure(bytes, out int head);
        if (length == 0 || length > bytes.Length)
            return;
        RtspMessage message = RtspMessage.Parse(bytes.AsSpan(0, (int)length), head);
        TransportAnswer.Read(message.Header("Transport"));
        RtpInfo.TimestampOf(message.Header("RTP-Info"), "rtsp://cam/trackID=1");
        var authentication = new DigestAuthentication("user", "password");
        if (authentication.Accept(AuthenticationChallenge.ParseAll(message.Headers("WWW-Authenticate"))))
            authentication.Authorize("PLAY", "rtsp://cam/");
        RtspSession.Read(message);
        SessionDescription.ResolveControl("track", message.Header("Content-Base"), null, "rtsp://cam/");
    });

    [Fact]
    public void Interleaved_frames()
    {
        byte[] stream = [.. RtpBytes.Interleave(0, Rtp(200, key: true)), .. Encoding.UTF8.GetBytes(Answer), .. RtpBytes.Interleave(1, Report()), .. "junk\r\n"u8, .. RtpBytes.Interleave(0, Rtp(90, key: false))];
        Fuzz(20, stream, bytes =>
        {
            var framer = new InterleavedFramer();
            for (int at = 0; at < bytes.Length;)
            {
                Span<byte> free = framer.Free();
                int count = Math.Min(Math.Min(97, free.Length), bytes.Length - at);
                Assert.True(count > 0);
                bytes.AsSpan(at, count).CopyTo(free);
                framer.Received(count);
                at += count;
                while (framer.Next(out _) != InterleavedFrameKind.None)
                {
                }
            }
        });
    }

    [Fact]
    public void Rtp_packets_of_a_stream()
    {
        var clock = new FakeTimeProvider();
        byte[] stream = [.. Framed(Rtp(300, key: true, 1)), .. Framed(Fragment(2, 0x85)), .. Framed(Fragment(3, 0x05)), .. Framed(Fragment(4, 0x45)), .. Framed(Rtp(100, key: false, 5)), .. Framed(Rtp(100, key: false, 6))];
        Fuzz(30, stream, bytes =>
        {
            using var video = new RtspStream(isVideo: true, "rtsp://cam/1", new MediaFormat { PayloadType = RtpBytes.PayloadType }, new H264Depacketizer(clock), clock);
            var order = new ReorderBuffer(clock);
            ReadOnlySpan<byte> rest = bytes;
            while (rest.Length > 2)
            {
                int length = Math.Min(rest.Length - 2, (rest[0] << 8) | rest[1]);
                ReadOnlySpan<byte> packet = rest.Slice(2, length);
                rest = rest[(2 + length)..];
                bool any = order.Offer(packet) || order.TryTake(out packet);
                while (any)
                {
                    video.Feed(packet);
                    while (video.TryTake(out EdgeNode.Ingest.AccessUnit unit))
                        unit.Release();
                    any = order.TryTake(out packet);
                }
            }

            Assert.True(order.Waiting <= ReorderBuffer.Places);
        });
    }

    [Fact]
    public void Rtcp_packets()
    {
        var clock = new FakeTimeProvider();
        Fuzz(10, [.. Report(), .. Report()], bytes =>
        {
            using var video = new RtspStream(isVideo: true, "rtsp://cam/1", new MediaFormat { PayloadType = RtpBytes.PayloadType }, new H264Depacketizer(clock), clock);
            video.Feed(Rtp(20, key: true));
            video.ReceiveControl(bytes);
            Assert.Equal(56, video.WriteReport().Length);
        });
    }

    /// <summary>Runs a share (percent) of the inputs, each a sample with some bytes changed, pieces doubled, left out or torn apart.</summary>
    private static void Fuzz(int percent, byte[] sample, Action<byte[]> read) =>
        Gen.Int.Sample(
            seed =>
            {
                byte[] bytes = Mangle(sample, new Random(seed));
                long before = GC.GetAllocatedBytesForCurrentThread();
                try
                {
                    read(bytes);
                }
                catch (InvalidDataException)
                {
                    // The documented one.
                }

                long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
                return allocated < MostBytesPerInput;
            },
            iter: Inputs * percent / 100);

    private static byte[] Mangle(byte[] sample, Random random)
    {
        var bytes = new List<byte>(sample);
        for (int change = random.Next(1, 8); change > 0 && bytes.Count > 0; change--)
        {
            int at = random.Next(bytes.Count);
            int length = random.Next(1, Math.Min(64, bytes.Count - at) + 1);
            switch (random.Next(7))
            {
                case 0:
                    bytes.RemoveRange(at, length);
                    break;
                case 1:
                    bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, length));
                    break;
                case 2:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 3:
                    bytes[at] = (byte)(bytes[at] ^ (1 << random.Next(8)));
                    break;
                case 4:
                    bytes[at] = (byte)"=;,:/-\r\n \"$*9"[random.Next(13)];
                    break;
                case 5:
                    for (int i = 0; i < length; i++)
                        bytes[at + i] = (byte)random.Next(256);
                    break;
                default:
                    bytes[at] = (byte)random.Next(256);
                    break;
            }
        }

        return [.. bytes];
    }

    private static byte[] Framed(byte[] packet) => [(byte)(packet.Length >> 8), (byte)packet.Length, .. packet];

    private static byte[] Rtp(int length, bool key, ushort sequence = 1) =>
        new RtpBytes { Sequence = sequence, Timestamp = 3000u * sequence }.Packet(RtpBytes.Slice(key, length), marker: true);

    private static byte[] Fragment(ushort sequence, byte header) =>
        new RtpBytes { Sequence = sequence, Timestamp = 6000 }.Packet([0x7C, header, .. new byte[80]], marker: (header & 0x40) != 0);

    private static byte[] Report() => [0x80, 200, 0, 6, 0, 0, 0xCA, 0xFE, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 2];
}
