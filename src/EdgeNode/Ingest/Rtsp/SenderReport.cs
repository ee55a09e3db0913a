using System.Buffers.Binary;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>The clock part of an RTCP sender report (RFC 3550 §6.4.1): one moment by the camera's wall clock and by the stream's.</summary>
internal readonly record struct SenderReport(ulong Ntp, uint Timestamp)
{
    private const int Type = 200;
    private const int Length = 28;

    /// <summary>Looks for the last sender report in a compound packet; false when there is none, or when it has no time.</summary>
    public static bool TryFind(ReadOnlySpan<byte> packet, out SenderReport report)
    {
        report = default;
        while (packet.Length >= 8 && packet[0] >> 6 == 2)
        {
            int length = 4 * (1 + BinaryPrimitives.ReadUInt16BigEndian(packet[2..]));
            if (packet[1] == Type && packet.Length >= Length)
                report = new SenderReport(BinaryPrimitives.ReadUInt64BigEndian(packet[8..]), BinaryPrimitives.ReadUInt32BigEndian(packet[16..]));
            if (length > packet.Length)
                break;
            packet = packet[length..];
        }

        return report.Ntp != 0;
    }

    /// <summary>From <paramref name="earlier"/> to this one by the camera's wall clock, in 90 kHz ticks.</summary>
    public double TicksSince(SenderReport earlier) => unchecked((long)(Ntp - earlier.Ntp)) * (AccessUnit.TicksPerSecond / 4294967296.0);
}
