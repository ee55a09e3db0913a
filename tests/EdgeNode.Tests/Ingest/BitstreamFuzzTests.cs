using System.Buffers.Binary;
using System.Globalization;
using CsCheck;
using EdgeNode.Ingest;
using EdgeNode.Ingest.Aac;
using EdgeNode.Ingest.Rtsp;
using EdgeNode.Tests.Ingest.H264;
using EdgeNode.Tests.Ingest.Rtsp;
using EdgeNode.Tests.Media;
using Microsoft.Extensions.Time.Testing;
using Avc = EdgeNode.Ingest.H264;
using Hevc = EdgeNode.Ingest.H265;

namespace EdgeNode.Tests.Ingest;

/// <summary>
/// Real headers and packets with bytes changed, cut and repeated: whatever comes is read, or refused with an
/// <see cref="InvalidDataException"/>. EDGENODE_FUZZ says how many inputs each test tries.
/// </summary>
[Trait("Category", "Repeated")]
public class BitstreamFuzzTests
{
    private static readonly long s_inputs = long.TryParse(Environment.GetEnvironmentVariable("EDGENODE_FUZZ"), NumberStyles.None, CultureInfo.InvariantCulture, out long inputs) ? inputs : 10_000;
    private static readonly EncodedClip s_h265 = EncodedClip.Make("libx265", "keyint=6:bframes=3:open-gop=1", pictures: 12, width: 64, height: 48);
    private static readonly EncodedClip s_h264 = EncodedClip.Make("libx264", "keyint=6:bframes=3:open-gop=1:slices=2", pictures: 12, width: 64, height: 48);

    private static readonly Gen<(int, byte)[]> s_changes = Gen.Select(Gen.Int[0, 4000], Gen.Byte).Array[0, 6];

    [Fact]
    public void H264_parameter_sets_and_slices()
    {
        byte[][] seeds = [.. new[] { ParameterSetVectors.High1080p, ParameterSetVectors.Interlaced576, ParameterSetVectors.High422TenBit }
            .SelectMany(vector => new[] { ParameterSetVectors.Sets(vector).Sps, ParameterSetVectors.Sets(vector).Pps }),
            .. s_h264.ParameterSets(false), .. Slices(s_h264, 12)];
        Mutated(seeds).Array[1, 5].Sample(units =>
        {
            var sets = new Avc.ParameterSets();
            var order = new Avc.PictureOrderCount();
            foreach (byte[] unit in (byte[][])[.. s_h264.ParameterSets(false), .. units])
            {
                Try(() => sets.Put(unit));
                Try(() => sets.FormatOf(unit));
                Avc.RecoveryPoint.TryRead(unit, out _);
                Try(() =>
                {
                    if (sets.TryGet(unit, out Avc.SequenceParameterSet? sps, out Avc.PictureParameterSet? pps))
                        order.Next(Avc.SliceHeader.Parse(unit, sps, pps), sps);
                });
            }
        }, iter: s_inputs);
    }

    [Fact]
    public void H265_parameter_sets_and_slices()
    {
        byte[][] seeds = [.. s_h265.ParameterSets(true), .. Slices(s_h265, 12)];
        Mutated(seeds).Array[1, 5].Sample(units =>
        {
            var sets = new Hevc.ParameterSets();
            var order = new Hevc.PictureOrderCount();
            foreach (byte[] unit in (byte[][])[.. s_h265.ParameterSets(true), .. units])
            {
                Try(() => sets.Put(unit));
                Try(() => sets.FormatOf(unit));
                Try(() =>
                {
                    if (sets.TryGet(unit, out Hevc.SequenceParameterSet sps, out Hevc.PictureParameterSet pps)
                        && Hevc.SliceSegmentHeader.Parse(unit, sps, pps).OrderCountLsb is { } lsb)
                        order.Next(Hevc.NalUnitHeader.TypeOf(unit[0]), 0, lsb, sps.OrderCountBits, out _);
                });
            }
        }, iter: s_inputs);
    }

    [Fact]
    public void Decoder_configurations()
    {
        byte[][] seeds = [s_h264.DecoderConfiguration, s_h265.DecoderConfiguration, [0x14, 0x08], [0x13, 0x10, 0x56, 0xE5, 0x98], [0x2B, 0x92, 0x08, 0]];
        Mutated(seeds).Sample(bytes =>
        {
            Try(() => Avc.H264Format.FromDecoderConfiguration(bytes));
            Try(() => Hevc.H265Format.FromDecoderConfiguration(bytes));
            Try(() => AudioSpecificConfig.Parse(bytes));
        }, iter: s_inputs);
    }

    [Fact]
    public void H264_packets() => Packets(Seeds(s_h264, hevc: false), () => new H264Depacketizer(new FakeTimeProvider()), s_h264.ParameterSets(false));

    [Fact]
    public void H265_packets() => Packets(Seeds(s_h265, hevc: true), () => new H265Depacketizer(new FakeTimeProvider()), s_h265.ParameterSets(true));

    [Fact]
    public void Aac_packets()
    {
        byte[][] seeds = [[0, 32, 0, 80, 0, 40, .. new byte[15]], [0, 16, 0x40, 0, .. new byte[900]], [0, 16, 0x40, 0, .. new byte[1148]], [0, 16, 0, 8, 1]];
        Gen.Select(Mutated(seeds), Gen.Int[-2, 6000], Gen.Int[0, 20], Gen.Bool).Array[1, 30].Sample(packets =>
        {
            var format = new MediaFormat { PayloadType = 96, Encoding = "mpeg4-generic", ClockRate = 16_000 };
            format.Parameters["config"] = "1408";
            using IDepacketizer depacketizer = Depacketizer.For(format, new FakeTimeProvider())!;
            Run(depacketizer, packets, unit => Assert.True(unit.Length > 0));
        }, iter: s_inputs / 10);
    }

    private static void Packets(byte[][] seeds, Func<VideoDepacketizer> make, IEnumerable<byte[]> sets) =>
        Gen.Select(Mutated(seeds), Gen.Int[-2, 6000], Gen.Int[0, 20], Gen.Bool).Array[1, 30].Sample(packets =>
        {
            using VideoDepacketizer depacketizer = make();
            depacketizer.AddParameterSets(sets);
            Run(depacketizer, packets, unit =>
            {
                for (ReadOnlySpan<byte> data = unit.Data; !data.IsEmpty;)
                {
                    int length = BinaryPrimitives.ReadInt32BigEndian(data);
                    Assert.InRange(length, 1, data.Length - 4);
                    data = data[(4 + length)..];
                }
            });
        }, iter: s_inputs / 10);

    // Sequence numbers mostly follow; times move, stay or go back; markers come and go.
    private static void Run(IDepacketizer depacketizer, (byte[] Payload, int Step, int Jump, bool Marker)[] packets, Action<AccessUnit> check)
    {
        var rtp = new RtpBytes();
        long last = long.MinValue;
        foreach ((byte[] payload, int step, int jump, bool marker) in packets)
        {
            rtp.Timestamp = unchecked(rtp.Timestamp + (uint)(step < 3000 ? 0 : step < 5900 ? step : -step));
            if (jump == 0)
                rtp.Sequence += (ushort)step;
            rtp.Source = jump == 1 ? (uint)step : rtp.Source;
            Assert.True(RtpPacket.TryParse(rtp.Packet(payload, marker), out RtpPacket packet));
            try
            {
                depacketizer.Feed(packet);
            }
            catch (InvalidDataException)
            {
                // said so
            }

            while (depacketizer.TryTake(out AccessUnit unit))
            {
                Assert.True(unit.Dts > last && unit.Dts <= unit.Pts);
                last = unit.Dts;
                check(unit);
                unit.Release();
            }
        }
    }

    private static Gen<byte[]> Mutated(byte[][] seeds) =>
        Gen.Select(Gen.Int[0, seeds.Length - 1], s_changes, Gen.Int[0, 40]).Select((index, changes, cut) =>
        {
            byte[] seed = seeds[index];
            byte[] bytes = cut is > 0 and < 8 && seed.Length > 0 ? seed[..(seed.Length * cut / 8)] : [.. seed];
            foreach ((int at, byte value) in changes)
            {
                if (bytes.Length > 0)
                    bytes[at % Math.Min(bytes.Length, 64)] = value;
            }

            return bytes;
        });

    private static IEnumerable<byte[]> Slices(EncodedClip clip, int bytes) =>
        clip.Samples.SelectMany(sample => EncodedClip.UnitsOf(sample.Bytes)).Select(unit => unit[..Math.Min(unit.Length, bytes)]);

    private static byte[][] Seeds(EncodedClip clip, bool hevc)
    {
        var rtp = new RtpBytes();
        var payloads = new List<byte[]>();
        foreach (byte[] unit in clip.Samples.SelectMany(sample => EncodedClip.UnitsOf(sample.Bytes)).Concat(clip.ParameterSets(hevc)))
        {
            payloads.Add(unit);
            if (unit.Length > 300)
                payloads.AddRange((hevc ? rtp.Fragments265(unit, 250) : rtp.Fragments(unit, 250)).Select(packet => packet[12..]));
        }

        byte[][] sets = [.. clip.ParameterSets(hevc)];
        payloads.Add(rtp.Aggregate(false, sets)[12..]);
        if (hevc)
            payloads.Add([48 << 1, 1, .. rtp.Aggregate(false, sets)[13..]]);
        return [.. payloads];
    }

    private static void Try(Action read)
    {
        try
        {
            read();
        }
        catch (InvalidDataException e)
        {
            Assert.EndsWith(".", e.Message);
        }
    }
}
