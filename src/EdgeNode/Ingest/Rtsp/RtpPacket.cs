using System.Buffers.Binary;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>An RTP packet as it lies in the receive buffer (RFC 3550 §5.1).</summary>
internal readonly ref struct RtpPacket
{
    private const int FixedHeader = 12;

    /// <summary>The marker bit: for video, the last packet of a picture.</summary>
    public bool Marker { get; private init; }

    /// <summary>Payload type, 0 to 127.</summary>
    public int PayloadType { get; private init; }

    /// <summary>Sequence number.</summary>
    public ushort SequenceNumber { get; private init; }

    /// <summary>Timestamp, in ticks of the payload's clock.</summary>
    public uint Timestamp { get; private init; }

    /// <summary>Synchronization source.</summary>
    public uint Source { get; private init; }

    /// <summary>What lies behind header, contributing sources and extension, without padding.</summary>
    public ReadOnlySpan<byte> Payload { get; private init; }

    /// <summary>Reads a packet; false when it is none.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out RtpPacket packet)
    {
        packet = default;
        if (bytes.Length < FixedHeader || bytes[0] >> 6 != 2)
            return false;
        int start = FixedHeader + 4 * (bytes[0] & 0x0F);
        int end = bytes.Length;
        if ((bytes[0] & 0x10) != 0)
        {
            if (start + 4 > end)
                return false;
            start += 4 + 4 * BinaryPrimitives.ReadUInt16BigEndian(bytes[(start + 2)..]);
        }

        if ((bytes[0] & 0x20) != 0)
        {
            int padding = bytes[end - 1];
            if (padding == 0)
                return false;
            end -= padding;
        }

        if (start > end)
            return false;
        packet = new RtpPacket
        {
            Marker = (bytes[1] & 0x80) != 0,
            PayloadType = bytes[1] & 0x7F,
            SequenceNumber = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]),
            Timestamp = BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]),
            Source = BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]),
            Payload = bytes[start..end],
        };
        return true;
    }
}
