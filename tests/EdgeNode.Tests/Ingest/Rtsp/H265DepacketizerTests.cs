using EdgeNode.Ingest;
using EdgeNode.Ingest.Rtsp;
using EdgeNode.Tests.Media;
using Microsoft.Extensions.Time.Testing;

namespace EdgeNode.Tests.Ingest.Rtsp;

public sealed class H265DepacketizerTests : IDisposable
{
    private static readonly EncodedClip s_clip = EncodedClip.Make("libx265", "keyint=10:bframes=0", pictures: 20);

    private readonly RtpBytes _rtp = new();
    private readonly List<AccessUnit> _units = [];

    public void Dispose() => _units.ForEach(unit => unit.Release());

    [Fact]
    public void An_aggregate_of_parameter_sets_SEI_and_slice_is_one_picture_of_slices()
    {
        byte[] slice = SliceOf(0);
        byte[][] units = [[70, 1, 0x50], .. s_clip.ParameterSets(true), [78, 1, 5, 1, 0xAA, 0x80], slice];
        var payload = new List<byte> { 48 << 1, 1 };
        foreach (byte[] unit in units)
            payload.AddRange([(byte)(unit.Length >> 8), (byte)unit.Length, .. unit]);
        using var depacketizer = new H265Depacketizer(new FakeTimeProvider());
        Feed(depacketizer, _rtp.Packet([.. payload], marker: true));

        AccessUnit picture = Assert.Single(_units);
        Assert.Equal([0, 0, (byte)(slice.Length >> 8), (byte)slice.Length, .. slice], picture.Data.ToArray());
        Assert.True(picture is { IsKey: true, IsReference: true, IsDamaged: false });
        Assert.Equal(VideoCodec.H265, picture.Format.Codec);
    }

    [Fact]
    public void Sets_of_the_description_are_taken()
    {
        string[] sets = [.. s_clip.ParameterSets(true).Select(Convert.ToBase64String)];
        using IDepacketizer depacketizer = Depacketizer.For(Format($"sprop-vps={sets[0]}; sprop-sps={sets[1]}; sprop-pps={sets[2]}"), new FakeTimeProvider())!;
        Feed(depacketizer, _rtp.Packet(SliceOf(0), marker: true));
        Assert.Equal(192, Assert.Single(_units).Format.Width);
    }

    [Fact]
    public void Units_out_of_decoding_order_are_refused()
    {
        var refused = Assert.Throws<InvalidDataException>(() => Depacketizer.For(Format("sprop-max-don-diff=2"), new FakeTimeProvider()));
        Assert.Equal("The camera sends H.265 out of decoding order (sprop-max-don-diff): set its stream to be sent in order.", refused.Message);
    }

    [Fact]
    public void A_lost_fragment_damages_pictures_until_the_next_keyframe()
    {
        using var depacketizer = new H265Depacketizer(new FakeTimeProvider());
        depacketizer.AddParameterSets(s_clip.ParameterSets(true));
        for (int i = 0; i < 20; i++, _rtp.Timestamp += 3600)
        {
            List<byte[]> fragments = _rtp.Fragments265(SliceOf(i), 60);
            if (i == 4)
                fragments.RemoveAt(1);
            Feed(depacketizer, [.. fragments]);
        }

        Assert.Equal(1, depacketizer.LostPackets);
        Assert.Equal(19, _units.Count);
        Assert.Equal(5, _units.Count(unit => unit.IsDamaged));
        Assert.False(_units[9].IsDamaged);
    }

    [Fact]
    public void Other_layers_are_left_out()
    {
        using var depacketizer = new H265Depacketizer(new FakeTimeProvider());
        depacketizer.AddParameterSets(s_clip.ParameterSets(true));
        byte[] enhancement = [.. SliceOf(0)];
        enhancement[1] |= 8; // nuh_layer_id 1
        Feed(depacketizer, _rtp.Packet(SliceOf(0)), _rtp.Packet(enhancement, marker: true));
        Assert.Equal(4 + SliceOf(0).Length, Assert.Single(_units).Length);
    }

    private static byte[] SliceOf(int picture) => EncodedClip.UnitsOf(s_clip.Samples[picture].Bytes).First(unit => (unit[0] >> 1) < 32);

    private static MediaFormat Format(string parameters)
    {
        string sdp = $"v=0\r\nm=video 0 RTP/AVP 98\r\na=rtpmap:98 H265/90000\r\na=fmtp:98 {parameters}\r\n";
        return SessionDescription.Parse(System.Text.Encoding.UTF8.GetBytes(sdp)).Media[0].Formats[0];
    }

    private void Feed(IDepacketizer depacketizer, params byte[][] packets)
    {
        foreach (byte[] packet in packets)
        {
            Assert.True(RtpPacket.TryParse(packet, out RtpPacket parsed));
            depacketizer.Feed(parsed);
            while (depacketizer.TryTake(out AccessUnit unit))
                _units.Add(unit);
        }
    }
}
