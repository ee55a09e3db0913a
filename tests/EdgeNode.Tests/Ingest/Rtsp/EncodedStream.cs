using EdgeNode.Ingest;
using EdgeNode.Ingest.Rtsp;
using EdgeNode.Tests.Media;
using EdgeNode.Tests.Streaming;
using Microsoft.Extensions.Time.Testing;

namespace EdgeNode.Tests.Ingest.Rtsp;

/// <summary>Sends an encoded clip through RTP as a camera does, presentation times only, and keeps what the depacketizer makes of it.</summary>
internal sealed class EncodedStream : IDisposable
{
    private const int PacketSize = 1100;

    private readonly RtpBytes _rtp = new();
    private readonly bool _hevc;

    private EncodedStream(VideoDepacketizer depacketizer)
    {
        Depacketizer = depacketizer;
        _hevc = depacketizer is H265Depacketizer;
    }

    public VideoDepacketizer Depacketizer { get; }

    public List<AccessUnit> Units { get; } = [];

    /// <summary>Sends the clip's samples; <paramref name="change"/> makes another NAL unit of each, or none.</summary>
    public static EncodedStream Send(EncodedClip clip, bool hevc, int skip = 0, bool setsFirst = true, Func<byte[], byte[]?>? change = null)
    {
        EncodedStream stream = new(hevc ? new H265Depacketizer(new FakeTimeProvider()) : new H264Depacketizer(new FakeTimeProvider()));
        if (setsFirst)
            stream.Depacketizer.AddParameterSets(clip.ParameterSets(hevc));
        foreach (TestClip.Sample sample in clip.Samples.Skip(skip))
            stream.Send(sample, change);
        return stream;
    }

    public void Send(TestClip.Sample sample, Func<byte[], byte[]?>? change = null)
    {
        _rtp.Timestamp = unchecked((uint)sample.Pts);
        byte[][] units = [.. EncodedClip.UnitsOf(sample.Bytes).Select(unit => change is null ? unit : change(unit)!).Where(unit => unit is not null)];
        for (int i = 0; i < units.Length; i++)
        {
            bool last = i == units.Length - 1;
            if (units[i].Length <= PacketSize)
                Feed(_rtp.Packet(units[i], last));
            else
                (_hevc ? _rtp.Fragments265(units[i], PacketSize, last) : _rtp.Fragments(units[i], PacketSize, last)).ForEach(Feed);
        }
    }

    /// <summary>Loses the next packets.</summary>
    public void Lose(int packets) => _rtp.Sequence += (ushort)packets;

    public void Dispose()
    {
        Units.ForEach(unit => unit.Release());
        Depacketizer.Dispose();
    }

    private void Feed(byte[] packet)
    {
        Assert.True(RtpPacket.TryParse(packet, out RtpPacket parsed));
        Depacketizer.Feed(parsed);
        while (Depacketizer.TryTake(out AccessUnit unit))
            Units.Add(unit);
    }
}
