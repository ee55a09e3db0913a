using System.Buffers.Binary;
using CsCheck;
using EdgeNode.Ingest.Rtsp;
using Microsoft.Extensions.Time.Testing;

namespace EdgeNode.Tests.Ingest.Rtsp;

public class ReorderBufferTests
{
    private readonly FakeTimeProvider _clock = new();
    private readonly ReorderBuffer _order;
    private readonly List<int> _out = [];

    public ReorderBufferTests() => _order = new ReorderBuffer(_clock);

    [Fact]
    public void Packets_in_their_turn_pass_and_early_ones_wait()
    {
        Offer(65534, 65535, 1, 2, 0, 3);
        Assert.Equal([65534, 65535, 0, 1, 2, 3], _out);
    }

    [Fact]
    public void A_gap_is_given_up_after_its_time_and_a_late_packet_dropped()
    {
        Offer(10, 12, 13);
        _clock.Advance(TimeSpan.FromMilliseconds(99));
        Take();
        Assert.Equal([10], _out);
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        Take();
        Offer(11, 14);
        Assert.Equal([10, 12, 13, 14], _out);
        Assert.Equal(1, _order.Late);
    }

    [Fact]
    public void No_packet_waits_longer_for_a_second_gap()
    {
        Offer(10, 12, 14);
        _clock.Advance(TimeSpan.FromMilliseconds(60));
        Offer(16);
        _clock.Advance(TimeSpan.FromMilliseconds(40));
        Take();
        Assert.Equal([10, 12, 14], _out);
        _clock.Advance(TimeSpan.FromMilliseconds(60));
        Take();
        Assert.Equal([10, 12, 14, 16], _out);
    }

    [Fact]
    public void Doubled_packets_are_dropped_wherever_they_come()
    {
        Offer(10, 10, 12, 12, 11, 12);
        Assert.Equal([10, 11, 12], _out);
        Assert.Equal(3, _order.Late);
    }

    [Theory]
    [InlineData(300, 0xCAFEu)] // a long loss
    [InlineData(40000, 0xCAFEu)] // another numbering
    [InlineData(11, 0xBEEFu)] // another source
    public void Another_numbering_lets_go_of_what_waits_first(int sequence, uint source)
    {
        Offer(10, 12);
        OfferOne(sequence, source);
        OfferOne(sequence + 1, source);
        Assert.Equal([10, 12, sequence, sequence + 1], _out);
        Assert.Equal(0, _order.Waiting);
    }

    [Fact]
    public void Whatever_comes_leaves_in_rising_order_once_and_nothing_stays()
    {
        Gen.Int[-70, 70].Array[1, 300].Sample(
            steps =>
            {
                var order = new ReorderBuffer(_clock);
                int? last = null;
                int count = 0;
                int at = 5000;
                foreach (int step in steps)
                {
                    at += step / 8;
                    ReadOnlySpan<byte> packet = Packet(at, 1);
                    bool any = order.Offer(packet) || order.TryTake(out packet);
                    while (any)
                    {
                        int sequence = BinaryPrimitives.ReadUInt16BigEndian(packet[2..]);
                        if (last is not null && sequence <= last)
                            return false;
                        last = sequence;
                        count++;
                        any = order.TryTake(out packet);
                    }
                }

                return count > 0 && order.Waiting <= ReorderBuffer.Places;
            },
            iter: 2000);
    }

    private void Offer(params int[] sequences)
    {
        foreach (int sequence in sequences)
            OfferOne(sequence, 0xCAFE);
    }

    private void OfferOne(int sequence, uint source)
    {
        byte[] packet = Packet(sequence, source);
        if (_order.Offer(packet))
            _out.Add(sequence);
        Take();
    }

    private void Take()
    {
        while (_order.TryTake(out ReadOnlySpan<byte> packet))
            _out.Add(BinaryPrimitives.ReadUInt16BigEndian(packet[2..]));
    }

    private static byte[] Packet(int sequence, uint source)
    {
        byte[] packet = new byte[20];
        packet[0] = 0x80;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)sequence);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(8), source);
        return packet;
    }
}
