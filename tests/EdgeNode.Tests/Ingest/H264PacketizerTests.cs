using System.Buffers.Binary;
using EdgeNode.Ingest;
using EdgeNode.Ingest.H264;
using EdgeNode.Native.Memory;

namespace EdgeNode.Tests.Ingest;

public sealed class H264PacketizerTests
{
    private static readonly byte[] Sps = [0x67, 0x42, 0xC0, 0x1E, 0xD9, 0x00, 0xA0, 0x47, 0xFE, 0xC8];
    private static readonly byte[] Pps = [0x68, 0xCB, 0x83, 0xCB, 0x20];
    private static readonly byte[] Idr = [0x65, 0x88, 0x84, 0x21];
    private static readonly byte[] NonReference = [0x01, 0x9A, 0x55];
    private static readonly byte[] Delimiter = [0x09, 0xF0];
    private static readonly byte[] Filler = [0x0C, 0xFF, 0x80];
    private static readonly byte[] Sei = [0x06, 0x05, 0x01, 0x80];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void Lengths_of_any_size_become_lengths_of_four_bytes(int lengthSize)
    {
        var packetizer = new H264Packetizer();
        packetizer.SetParameters(Record(lengthSize));

        byte[] unit = Packetize(packetizer, Prefixed(lengthSize, Delimiter, Sei, Idr, Filler), out AccessUnitFlags flags);

        Assert.Equal(Prefixed(4, Sei, Idr), unit);
        Assert.Equal(AccessUnitFlags.Key | AccessUnitFlags.Reference, flags);
        Assert.Equal(3, packetizer.Format!.DecoderConfiguration[4] & 3);
    }

    [Fact]
    public void Start_codes_become_lengths_and_parameter_sets_become_the_format()
    {
        var packetizer = new H264Packetizer();
        packetizer.SetParameters([]);

        byte[] unit = Packetize(
            packetizer,
            [0, 0, 0, 1, .. Delimiter, 0, 0, 0, 1, .. Sps, 0, 0, 1, .. Pps, 0, 0, 1, .. Idr, 0, 0, 0, 0, 1, .. Idr, 0, 0],
            out AccessUnitFlags flags);

        Assert.Equal(Prefixed(4, Idr, Idr), unit);
        Assert.Equal(AccessUnitFlags.Key | AccessUnitFlags.Reference, flags);
        Assert.Equal(H264Format.FromParameterSets(Sps, Pps).DecoderConfiguration, packetizer.Format!.DecoderConfiguration);
    }

    [Fact]
    public void A_picture_that_no_other_refers_to_is_neither_key_nor_reference()
    {
        var packetizer = new H264Packetizer();
        packetizer.SetParameters(Record(4));

        Packetize(packetizer, Prefixed(4, NonReference), out AccessUnitFlags flags);

        Assert.Equal(AccessUnitFlags.None, flags);
    }

    [Fact]
    public void Repeated_parameter_sets_keep_the_format_and_changed_ones_make_a_new_one()
    {
        var packetizer = new H264Packetizer();
        packetizer.SetParameters(Record(4));
        VideoFormat first = packetizer.Format!;

        Packetize(packetizer, Prefixed(4, Sps, Pps, Idr), out _);
        Assert.Same(first, packetizer.Format);

        Packetize(packetizer, Prefixed(4, Sps, [0x68, 0xCB, 0x83, 0xCB, 0x40], Idr), out _);
        Assert.NotSame(first, packetizer.Format);
        Assert.NotEqual(first.DecoderConfiguration, packetizer.Format!.DecoderConfiguration);
    }

    [Fact]
    public void After_a_loss_pictures_are_damaged_up_to_the_next_keyframe()
    {
        var packetizer = new H264Packetizer();
        packetizer.SetParameters(Record(4));
        packetizer.MarkDamaged();

        Packetize(packetizer, Prefixed(4, NonReference), out AccessUnitFlags lost);
        Packetize(packetizer, Prefixed(4, Idr), out AccessUnitFlags key);
        Packetize(packetizer, Prefixed(4, NonReference), out AccessUnitFlags after);

        Assert.Equal((AccessUnitFlags.Damaged, AccessUnitFlags.Key | AccessUnitFlags.Reference, AccessUnitFlags.None), (lost, key, after));
    }

    [Fact]
    public void A_packet_without_slices_is_no_picture()
    {
        var packetizer = new H264Packetizer();
        packetizer.SetParameters(Record(4));

        Assert.Null(packetizer.Packetize(Prefixed(4, Sei), out _, out _));
    }

    [Theory]
    [InlineData(new byte[] { 0, 0, 0, 9, 0x65, 1 })]
    [InlineData(new byte[] { 0xFF, 0xFF, 0xFF, 0xFF, 0x65, 1 })]
    [InlineData(new byte[] { 0, 0, 0, 1, 0x65, 0, 0 })]
    public void Lengths_that_reach_beyond_the_packet_are_refused(byte[] packet)
    {
        var packetizer = new H264Packetizer();
        packetizer.SetParameters(Record(4));

        Assert.Throws<InvalidDataException>(() => packetizer.Packetize(packet, out _, out _));
    }

    private static byte[] Record(int lengthSize)
    {
        byte[] record = H264Format.FromParameterSets(Sps, Pps).DecoderConfiguration;
        record[4] = (byte)(0xFC | (lengthSize - 1));
        return record;
    }

    private static byte[] Prefixed(int lengthSize, params byte[][] units)
    {
        var packet = new List<byte>();
        byte[] length = new byte[4];
        foreach (byte[] unit in units)
        {
            BinaryPrimitives.WriteInt32BigEndian(length, unit.Length);
            packet.AddRange(length[(4 - lengthSize)..]);
            packet.AddRange(unit);
        }

        return [.. packet];
    }

    private static byte[] Packetize(H264Packetizer packetizer, byte[] packet, out AccessUnitFlags flags)
    {
        PacketMemory memory = packetizer.Packetize(packet, out int length, out flags)!;
        byte[] unit = memory.Span[..length].ToArray();
        memory.Release();
        return unit;
    }
}
