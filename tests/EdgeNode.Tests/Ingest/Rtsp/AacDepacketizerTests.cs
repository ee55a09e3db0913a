using EdgeNode.Ingest;
using EdgeNode.Ingest.Rtsp;
using Microsoft.Extensions.Time.Testing;

namespace EdgeNode.Tests.Ingest.Rtsp;

public sealed class AacDepacketizerTests : IDisposable
{
    private readonly RtpBytes _rtp = new();
    private readonly FakeTimeProvider _clock = new();
    private readonly List<AccessUnit> _units = [];
    private readonly IDepacketizer _depacketizer;

    public AacDepacketizerTests() =>
        _depacketizer = Depacketizer.For(Format("streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1408"), _clock)!;

    public void Dispose()
    {
        _units.ForEach(unit => unit.Release());
        _depacketizer.Dispose();
    }

    [Fact]
    public void Several_frames_of_a_packet_follow_each_other()
    {
        byte[][] frames = [Frame(200, 1), Frame(300, 2), Frame(10, 3)];
        Feed(_rtp.Packet(Packet(frames), marker: true));
        _rtp.Timestamp += 3 * 1024;
        Feed(_rtp.Packet(Packet(frames[0]), marker: true));

        Assert.Equal([.. frames, frames[0]], _units.Select(unit => unit.Data.ToArray()));
        Assert.Equal(Enumerable.Range(0, 4).Select(i => i * 1024 * 90_000L / 16_000), _units.Select(unit => unit.Pts - _units[0].Pts));
        Assert.All(_units, unit => Assert.Equal((16_000, 1, unit.Pts), (unit.Audio!.SampleRate, unit.Audio.Channels, unit.Dts)));
        Assert.Same(_units[0].Audio, _units[3].Audio);
    }

    [Fact]
    public void A_fragmented_frame_is_joined_and_one_that_lacks_a_fragment_is_left_out()
    {
        byte[] frame = Frame(2500, 9);
        List<byte[]> whole = Fragments(frame);
        _rtp.Timestamp += 1024;
        List<byte[]> torn = Fragments(frame);
        _rtp.Timestamp += 1024;
        List<byte[]> last = Fragments(frame);
        torn.RemoveAt(1);
        Feed([.. whole, .. torn, .. last]);

        Assert.Equal([frame, frame], _units.Select(unit => unit.Data.ToArray()));
        Assert.Equal(2 * 1024 * 90_000L / 16_000, _units[1].Pts - _units[0].Pts);
        Assert.Equal(1, _depacketizer.LostPackets);
        Assert.Equal(1, _depacketizer.SkippedUnits);
    }

    [Fact]
    public void Stamps_rise_over_the_wrap_and_when_the_clock_goes_back()
    {
        _rtp.Timestamp = uint.MaxValue - 1023;
        for (int i = 0; i < 3; i++, _rtp.Timestamp += 1024)
            Feed(_rtp.Packet(Packet(Frame(20, 1)), marker: true));
        _rtp.Timestamp -= 100_000;
        for (int i = 0; i < 3; i++, _rtp.Timestamp += 1024)
            Feed(_rtp.Packet(Packet(Frame(20, 1)), marker: true));

        Assert.Equal(6, _units.Count);
        Assert.All(_units.Zip(_units.Skip(1)), pair => Assert.InRange(pair.Second.Pts - pair.First.Pts, 5759, 5761));
    }

    [Fact]
    public void Low_bit_rate_needs_no_lengths_said()
    {
        using IDepacketizer low = Depacketizer.For(Format("mode=AAC-lbr; config=1408"), _clock)!;
        RtpPacket.TryParse(_rtp.Packet([0, 16, 20 << 2, 10 << 2, .. Frame(20, 1), .. Frame(10, 2)]), out RtpPacket packet);
        low.Feed(packet);
        Assert.True(low.TryTake(out AccessUnit first));
        Assert.True(low.TryTake(out AccessUnit second));
        Assert.Equal((20, 10), (first.Length, second.Length));
        first.Release();
        second.Release();
    }

    [Theory]
    [InlineData("mode=AAC-hbr")]
    [InlineData("mode=AAC-hbr;config=xy")]
    [InlineData("mode=AAC-hbr;config=1408;maxDisplacement=5")]
    [InlineData("mode=AAC-hbr;config=1408;sizelength=20")]
    public void What_cannot_be_read_is_said_in_a_sentence(string parameters) =>
        Assert.EndsWith(".", Assert.Throws<InvalidDataException>(() => Depacketizer.For(Format(parameters), _clock)).Message);

    [Theory]
    [InlineData("PCMU")]
    [InlineData("opus")]
    [InlineData("MP4A-LATM")]
    public void Other_audio_is_not_read(string encoding) =>
        Assert.Null(Depacketizer.For(new MediaFormat { PayloadType = 97, Encoding = encoding }, _clock));

    private static MediaFormat Format(string parameters)
    {
        string sdp = $"v=0\r\nm=audio 0 RTP/AVP 97\r\na=rtpmap:97 MPEG4-GENERIC/16000/1\r\na=fmtp:97 {parameters}\r\n";
        return SessionDescription.Parse(System.Text.Encoding.UTF8.GetBytes(sdp)).Media[0].Formats[0];
    }

    private static byte[] Frame(int length, byte fill) => [.. Enumerable.Repeat(fill, length)];

    private static byte[] Packet(params byte[][] frames)
    {
        var payload = new List<byte> { 0, (byte)(16 * frames.Length) };
        foreach (byte[] frame in frames)
            payload.AddRange([(byte)(frame.Length >> 5), (byte)(frame.Length << 3)]);
        return [.. payload, .. frames.SelectMany(frame => frame)];
    }

    private List<byte[]> Fragments(byte[] frame)
    {
        var packets = new List<byte[]>();
        for (int at = 0; at < frame.Length; at += 1000)
        {
            int end = Math.Min(frame.Length, at + 1000);
            packets.Add(_rtp.Packet([0, 16, (byte)(frame.Length >> 5), (byte)(frame.Length << 3), .. frame[at..end]], end == frame.Length));
        }

        return packets;
    }

    private void Feed(params byte[][] packets)
    {
        foreach (byte[] packet in packets)
        {
            Assert.True(RtpPacket.TryParse(packet, out RtpPacket parsed));
            _depacketizer.Feed(parsed);
            while (_depacketizer.TryTake(out AccessUnit unit))
                _units.Add(unit);
        }
    }
}
