using System.Buffers.Binary;
using EdgeNode.Ingest;
using EdgeNode.Ingest.Rtsp;
using EdgeNode.Streaming;
using EdgeNode.Tests.Ingest.Rtsp;
using EdgeNode.Tests.Media;

namespace EdgeNode.Tests.Ingest;

/// <summary>A camera that streams makes no garbage picture by picture: collections would halt all cameras.</summary>
public sealed class SteadyStateTests
{
    private const int Pictures = 1000;
    private const int PictureTicks = 3600;

    // A part is an object of its own, with a header, and lasts for some 8 pictures at 25 a second.
    private const int BytesAPartAndPicture = 100;

    // SEI with four bytes of a vendor's own, as many cameras send it with each picture.
    private static readonly byte[] Information = [0x06, 5, 4, 1, 2, 3, 4, 0x80];
    private static readonly byte[] Information265 = [0x4E, 1, 5, 4, 1, 2, 3, 4, 0x80];

    [Theory]
    [InlineData("libx264", false)]
    [InlineData("libx264", true)]
    [InlineData("libx265", false)]
    public void Pictures_go_from_packets_to_the_GOP_buffer_without_garbage_and_to_parts_with_little(string encoder, bool packaged)
    {
        bool hevc = encoder == "libx265";
        EncodedClip clip = EncodedClip.Make(encoder, "bframes=2:keyint=25", pictures: 50);
        using VideoDepacketizer depacketizer = hevc ? new H265Depacketizer(TimeProvider.System) : new H264Depacketizer(TimeProvider.System);
        depacketizer.AddParameterSets(clip.ParameterSets(hevc));
        using var stream = new RtspStream(true, "", new MediaFormat { PayloadType = RtpBytes.PayloadType }, depacketizer, TimeProvider.System);
        var order = new ReorderBuffer(TimeProvider.System);
        var timeline = new Timeline(TimeProvider.System);
        var statistics = new IngestStatistics(TimeProvider.System);
        using var gop = new GopBuffer();
        using var packager = new Packager(new PackagingOptions(), TimeSpan.FromSeconds(1), PackagingOrigin.First);
        using IDisposable? attachment = packaged ? gop.Attach(new Sink(packager)) : null;

        byte[][][] packets = Packets(clip, hevc);
        int sent = 0;
        ushort sequence = 0;
        int seen = 0;
        Send(2 * Pictures); // pools and queues grow to their size
        long before = GC.GetAllocatedBytesForCurrentThread();
        Send(Pictures);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(3 * Pictures - 1, seen); // the last waits for the next one's first packet
        Assert.InRange(allocated, 0, packaged ? BytesAPartAndPicture * Pictures : 0);

        void Send(int pictures)
        {
            for (int picture = 0; picture < pictures; picture++, sent++)
            {
                uint shift = (uint)(sent / clip.Samples.Count * clip.Samples.Count * PictureTicks);
                foreach (byte[] packet in packets[sent % clip.Samples.Count])
                {
                    uint timestamp = BinaryPrimitives.ReadUInt32BigEndian(packet.AsSpan(4));
                    BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), sequence++);
                    BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(4), timestamp + shift);
                    if (order.Offer(packet))
                        Take(packet);
                    BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(4), timestamp);
                }
            }
        }

        void Take(ReadOnlySpan<byte> packet)
        {
            Assert.True(stream.Feed(packet));
            while (stream.TryTake(out AccessUnit unit))
            {
                seen++;
                timeline.Place(unit);
                statistics.Count(unit);
                gop.Push(unit);
                unit.Release();
            }
        }
    }

    private static byte[][][] Packets(EncodedClip clip, bool hevc)
    {
        var rtp = new RtpBytes();
        return [.. clip.Samples.Select(sample =>
        {
            rtp.Timestamp = (uint)sample.Pts;
            IEnumerable<byte[]> packets = EncodedClip.UnitsOf(sample.Bytes).Prepend(hevc ? Information265 : Information).SelectMany(unit =>
                unit.Length <= 1100 ? [rtp.Packet(unit)] : hevc ? rtp.Fragments265(unit, 1100, marker: false) : rtp.Fragments(unit, 1100, marker: false));
            return packets.ToArray();
        })];
    }

    private sealed class Sink(Packager packager) : IAccessUnitSink
    {
        public void OnAccessUnit(AccessUnit unit) => packager.OnAccessUnit(unit);
    }
}
