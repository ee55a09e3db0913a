using System.Buffers.Binary;

namespace EdgeNode.Tests.Ingest.Rtsp;

/// <summary>Makes RTP packets of H.264 payloads, as a camera does.</summary>
internal sealed class RtpBytes
{
    public const byte PayloadType = 96;

    public ushort Sequence { get; set; } = 100;

    public uint Timestamp { get; set; } = 5000;

    public uint Source { get; set; } = 0xCAFE;

    /// <summary>The next packet.</summary>
    public byte[] Packet(ReadOnlySpan<byte> payload, bool marker = false)
    {
        byte[] packet = new byte[12 + payload.Length];
        packet[0] = 0x80;
        packet[1] = (byte)(PayloadType | (marker ? 0x80 : 0));
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), Sequence++);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(4), Timestamp);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(8), Source);
        payload.CopyTo(packet.AsSpan(12));
        return packet;
    }

    /// <summary>Several NAL units in one packet.</summary>
    public byte[] Aggregate(bool marker, params byte[][] units)
    {
        var payload = new List<byte> { 0x78 };
        foreach (byte[] unit in units)
            payload.AddRange([(byte)(unit.Length >> 8), (byte)unit.Length, .. unit]);
        return Packet(payload.ToArray(), marker);
    }

    /// <summary>One NAL unit in fragments of at most <paramref name="size"/> bytes.</summary>
    public List<byte[]> Fragments(byte[] unit, int size, bool marker = true)
    {
        var packets = new List<byte[]>();
        for (int at = 1; at < unit.Length; at += size)
        {
            int end = Math.Min(unit.Length, at + size);
            byte header = (byte)((unit[0] & 0x1F) | (at == 1 ? 0x80 : 0) | (end == unit.Length ? 0x40 : 0));
            packets.Add(Packet([(byte)((unit[0] & 0xE0) | 28), header, .. unit[at..end]], marker && end == unit.Length));
        }

        return packets;
    }

    /// <summary>One H.265 NAL unit in fragments of at most <paramref name="size"/> bytes.</summary>
    public List<byte[]> Fragments265(byte[] unit, int size, bool marker = true)
    {
        var packets = new List<byte[]>();
        for (int at = 2; at < unit.Length; at += size)
        {
            int end = Math.Min(unit.Length, at + size);
            byte header = (byte)(((unit[0] >> 1) & 0x3F) | (at == 2 ? 0x80 : 0) | (end == unit.Length ? 0x40 : 0));
            packets.Add(Packet([(byte)((unit[0] & 0x81) | (49 << 1)), unit[1], header, .. unit[at..end]], marker && end == unit.Length));
        }

        return packets;
    }

    /// <summary>A slice NAL unit of so many bytes whose first macroblock is 0; no byte of it is a start code's.</summary>
    public static byte[] Slice(bool key, int length, byte fill = 0xAA)
    {
        byte[] unit = new byte[length];
        unit.AsSpan().Fill(fill);
        unit[0] = key ? (byte)0x65 : (byte)0x41;
        unit[1] = 0x88;
        if (length > 2)
            unit[2] = 0x80;
        return unit;
    }

    /// <summary>A packet framed for an interleaved channel.</summary>
    public static byte[] Interleave(byte channel, byte[] packet) =>
        [(byte)'$', channel, (byte)(packet.Length >> 8), (byte)packet.Length, .. packet];
}
