using System.Buffers.Binary;
using EdgeNode.Ingest;
using EdgeNode.Ingest.Rtsp;
using EdgeNode.Tests.Ingest.H264;
using Microsoft.Extensions.Time.Testing;

namespace EdgeNode.Tests.Ingest.Rtsp;

public sealed class H264DepacketizerTests : IDisposable
{
    private static readonly (byte[] Sps, byte[] Pps) s_sets = ParameterSetVectors.Sets(ParameterSetVectors.Main720p12);

    private readonly RtpBytes _rtp = new();
    private readonly FakeTimeProvider _clock = new();
    private readonly H264Depacketizer _depacketizer;
    private readonly List<AccessUnit> _units = [];

    public H264DepacketizerTests() => _depacketizer = new H264Depacketizer(_clock);

    public void Dispose()
    {
        foreach (AccessUnit unit in _units)
            unit.Release();
        _depacketizer.Dispose();
    }

    [Fact]
    public void Joins_an_aggregate_of_parameter_sets_and_a_fragmented_keyframe()
    {
        byte[] key = RtpBytes.Slice(key: true, 5000);
        Feed(_rtp.Aggregate(false, s_sets.Sps, s_sets.Pps));
        Feed(_rtp.Fragments(key, 1200));

        AccessUnit unit = Assert.Single(_units);
        Assert.Equal([.. Length(key), .. key], unit.Data.ToArray());
        Assert.True(unit is { IsKey: true, IsReference: true, IsDamaged: false, StartsTimeline: true });
        Assert.Equal((1280, "avc1.4d401f"), (unit.Format.Width, unit.Format.CodecString));
    }

    [Fact]
    public void Slices_and_nothing_else_stay_in_the_unit()
    {
        byte[] first = RtpBytes.Slice(key: true, 40);
        byte[] second = RtpBytes.Slice(key: true, 30, fill: 0x55);
        Feed(_rtp.Aggregate(false, [0x09, 0xF0], s_sets.Sps, s_sets.Pps, [0x06, 5, 1, 0x33, 0x80], first));
        Feed(_rtp.Packet([0x0C, 0xFF, 0xFF, 0x80]));
        Feed(_rtp.Packet(second, marker: true));

        Assert.Equal([.. Length(first), .. first, .. Length(second), .. second], Assert.Single(_units).Data.ToArray());
    }

    [Fact]
    public void Parameter_sets_of_the_description_are_enough()
    {
        _depacketizer.AddParameterSets([s_sets.Sps, s_sets.Pps]);
        Feed(_rtp.Packet(RtpBytes.Slice(key: true, 100), marker: true));

        Assert.Equal(720, Assert.Single(_units).Format.Height);
    }

    [Fact]
    public void Nothing_comes_before_the_first_keyframe_with_known_parameter_sets()
    {
        Picture(key: false);
        Picture(key: true); // no sets yet
        Feed(_rtp.Aggregate(false, s_sets.Sps, s_sets.Pps));
        Picture(key: true);
        Picture(key: false);

        Assert.Equal([true, false], _units.Select(unit => unit.IsKey));
        Assert.Equal([true, false], _units.Select(unit => unit.StartsTimeline));
        Assert.Equal(2, _depacketizer.SkippedUnits);
    }

    [Fact]
    public void Without_marker_a_picture_ends_where_the_time_changes()
    {
        Begin();
        _rtp.Timestamp += 7500;
        Feed(_rtp.Packet(RtpBytes.Slice(key: false, 50)));
        Assert.Single(_units);
        _rtp.Timestamp += 7500;
        Feed(_rtp.Packet(RtpBytes.Slice(key: false, 60), marker: true));

        Assert.Equal([54, 64], _units.Skip(1).Select(unit => unit.Length));
        Assert.Equal(7500, _units[2].Pts - _units[1].Pts);
    }

    [Fact]
    public void A_marker_on_each_slice_is_seen_through()
    {
        Begin();
        byte[] begin = RtpBytes.Slice(key: false, 50);
        byte[] rest = RtpBytes.Slice(key: false, 50);
        rest[1] = 0x44; // not the first macroblock
        for (int picture = 0; picture < 4; picture++)
        {
            _rtp.Timestamp += 7500;
            Feed(_rtp.Packet(begin, marker: true));
            Feed(_rtp.Packet(rest, marker: true));
        }

        Assert.Equal(2 * 54, _units[^1].Length);
        Assert.True(_units[^1].IsDamaged); // until the next keyframe
    }

    [Fact]
    public void A_lost_fragment_damages_pictures_until_the_next_keyframe()
    {
        Begin();
        _rtp.Timestamp += 3000;
        List<byte[]> fragments = _rtp.Fragments(RtpBytes.Slice(key: false, 5000), 1000);
        fragments.RemoveAt(2);
        Feed(fragments);
        Picture(key: false);
        Picture(key: true);
        Picture(key: false);

        Assert.Equal(1, _depacketizer.LostPackets);
        Assert.Equal(4, _units.Count); // the torn picture had no whole slice
        Assert.False(_units[^1].IsDamaged);
        Assert.False(_units[^2].IsDamaged);
        Assert.True(_units[^3].IsDamaged);
    }

    [Fact]
    public void A_lost_end_and_beginning_leave_no_mixed_picture()
    {
        Begin();
        _rtp.Timestamp += 3000;
        List<byte[]> first = _rtp.Fragments(RtpBytes.Slice(key: false, 3000, fill: 0x11), 1000);
        _rtp.Timestamp += 3000;
        List<byte[]> second = _rtp.Fragments(RtpBytes.Slice(key: false, 3000, fill: 0x22), 1000);
        Feed(first[..2]);
        Feed(second[1..]);
        Picture(key: false);

        Assert.Equal(2, _depacketizer.LostPackets);
        Assert.Equal(2, _units.Count); // neither half is handed out
        Assert.True(_units[1].IsDamaged);
    }

    [Fact]
    public void The_whole_slices_of_a_picture_with_a_loss_are_kept()
    {
        Begin();
        _rtp.Timestamp += 3000;
        Feed(_rtp.Packet(RtpBytes.Slice(key: false, 100)));
        _rtp.Sequence += 3;
        Feed(_rtp.Packet(RtpBytes.Slice(key: false, 50), marker: true));

        Assert.Equal(3, _depacketizer.LostPackets);
        Assert.Equal(104 + 54, _units[1].Length);
        Assert.True(_units[1].IsDamaged);
    }

    [Fact]
    public void Sequence_numbers_wrap_without_a_gap_and_duplicates_are_dropped()
    {
        _rtp.Sequence = 65533;
        Begin();
        for (int i = 0; i < 6; i++)
            Picture(key: false);
        _rtp.Sequence--;
        Feed(_rtp.Packet(RtpBytes.Slice(key: false, 99), marker: true));

        Assert.Equal(0, _depacketizer.LostPackets);
        Assert.Equal(7, _units.Count);
        Assert.All(_units, unit => Assert.False(unit.IsDamaged));
        Assert.Equal(65536u + 4, _depacketizer.HighestSequence);
    }

    [Fact]
    public void Changed_parameter_sets_make_a_new_format_and_repeated_ones_do_not()
    {
        Begin();
        Feed(_rtp.Aggregate(false, s_sets.Sps, s_sets.Pps));
        Picture(key: true);
        (byte[] sps, byte[] pps) = ParameterSetVectors.Sets(ParameterSetVectors.Baseline640x360);
        Feed(_rtp.Aggregate(false, sps, pps));
        Picture(key: true);
        Picture(key: false);

        Assert.Same(_units[0].Format, _units[1].Format);
        Assert.Equal(640, _units[2].Format.Width);
        Assert.Same(_units[2].Format, _units[3].Format);
        Assert.False(_units[3].IsDamaged);
    }

    [Fact]
    public void A_byte_stream_in_one_packet_is_taken_apart()
    {
        byte[] key = RtpBytes.Slice(key: true, 500);
        byte[] stream = [0x09, 0xF0, 0, 0, 0, 1, .. s_sets.Sps, 0, 0, 0, 1, .. s_sets.Pps, 0, 0, 1, .. key];
        Feed(_rtp.Fragments(stream, 100));

        Assert.Equal([.. Length(key), .. key], Assert.Single(_units).Data.ToArray());
    }

    [Fact]
    public void Capture_time_is_the_arrival_of_the_first_packet()
    {
        Begin();
        DateTime arrived = _clock.GetUtcNow().UtcDateTime;
        _rtp.Timestamp += 3000;
        List<byte[]> fragments = _rtp.Fragments(RtpBytes.Slice(key: false, 3000), 1000);
        Feed(fragments[0]);
        _clock.Advance(TimeSpan.FromMilliseconds(20));
        Feed(fragments[1..]);

        Assert.Equal(arrived, _units[1].CapturedAt);
    }

    [Fact]
    public void Another_source_starts_a_timeline_behind_the_last_picture()
    {
        Begin();
        Picture(key: false);
        _rtp.Source = 1;
        _rtp.Timestamp = 4;
        _rtp.Sequence = 9;
        Picture(key: true);

        Assert.Equal(0, _depacketizer.LostPackets);
        Assert.True(_units[2] is { StartsTimeline: true, IsDamaged: false });
        Assert.True(_units[2].Dts > _units[1].Dts);
    }

    [Fact]
    public void A_picture_without_bound_is_given_up_and_the_next_keyframe_is_whole()
    {
        Begin();
        _rtp.Timestamp += 3000;
        byte[] fill = new byte[60_000];
        fill.AsSpan().Fill(0xAA);
        Feed(_rtp.Packet([0x7C, 0x81, .. fill]));
        for (int sent = 0; sent <= AccessUnitBuilder.LargestUnit; sent += fill.Length)
            Feed(_rtp.Packet([0x7C, 0x01, .. fill]));
        Picture(key: true);

        Assert.Equal(2, _units.Count);
        Assert.False(_units[1].IsDamaged);
    }

    [Fact]
    public void Mutated_packets_never_break_out()
    {
        _depacketizer.AddParameterSets([s_sets.Sps, s_sets.Pps]);
        var random = new Random(42);
        var fields = new List<byte[]>();
        long last = long.MinValue;
        int taken = 0;
        for (int round = 0; round < 20_000; round++)
        {
            _rtp.Timestamp += (uint)random.Next(0, 6000);
            fields.Clear();
            fields.AddRange(_rtp.Fragments(RtpBytes.Slice(random.Next(8) == 0, random.Next(2, 3000), (byte)random.Next(256)), 700));
            fields.Add(_rtp.Aggregate(random.Next(2) == 0, s_sets.Sps, s_sets.Pps, [0x06, 0, 0, 1, 0x67, 1]));
            byte[] packet = fields[random.Next(fields.Count)];
            for (int change = random.Next(0, 8); change > 0; change--)
                packet[random.Next(packet.Length)] = (byte)random.Next(256);
            try
            {
                if (RtpPacket.TryParse(packet.AsSpan(0, random.Next(4) == 0 ? random.Next(packet.Length) : packet.Length), out RtpPacket parsed))
                    _depacketizer.Feed(parsed);
            }
            catch (InvalidDataException)
            {
            }

            while (_depacketizer.TryTake(out AccessUnit unit))
            {
                Assert.True(unit.Dts <= unit.Pts && unit.Dts > last);
                last = unit.Dts;
                AssertWellFormed(unit.Data);
                unit.Release();
                taken++;
            }
        }

        Assert.True(taken > 100);
    }

    private static void AssertWellFormed(ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(data);
            Assert.InRange(length, 1, data.Length - 4);
            data = data[(4 + length)..];
        }
    }

    private static byte[] Length(byte[] unit) => [0, 0, (byte)(unit.Length >> 8), (byte)unit.Length];

    private void Begin()
    {
        Feed(_rtp.Aggregate(false, s_sets.Sps, s_sets.Pps));
        Feed(_rtp.Packet(RtpBytes.Slice(key: true, 100), marker: true));
    }

    private void Picture(bool key)
    {
        _rtp.Timestamp += 3000;
        Feed(_rtp.Packet(RtpBytes.Slice(key, 100), marker: true));
    }

    private void Feed(IEnumerable<byte[]> packets)
    {
        foreach (byte[] packet in packets)
            Feed(packet);
    }

    private void Feed(byte[] packet)
    {
        Assert.True(RtpPacket.TryParse(packet, out RtpPacket parsed));
        _depacketizer.Feed(parsed);
        while (_depacketizer.TryTake(out AccessUnit unit))
            _units.Add(unit);
    }
}
