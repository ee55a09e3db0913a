using System.Buffers.Binary;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>
/// Writes RTCP receiver reports with a CNAME (RFC 3550 §6.4.2, §6.5) into one buffer, framed for the interleaved channel.
/// </summary>
internal sealed class ReceiverReport(TimeProvider clock)
{
    private const int ReceiverReportType = 201;
    private const int DescriptionType = 202;
    /// <summary>Bytes before the report proper: over UDP they are left away.</summary>
    public const int InterleavedHeader = 4;

    private const int ReportLength = 32;
    private const int DescriptionLength = 20;
    private const int FractionScale = 65536;

    private readonly byte[] _buffer = new byte[InterleavedHeader + ReportLength + DescriptionLength];
    private readonly uint _self = (uint)Random.Shared.Next(1, int.MaxValue);
    private uint _lastSenderReport;
    private long _lastSenderReportAt;
    private long _lostBefore;
    private uint _sequenceBefore;
    private bool _reportedBefore;

    /// <summary>Takes the camera's newest sender report; its time is echoed in the next report.</summary>
    public void Receive(SenderReport report)
    {
        _lastSenderReport = (uint)(report.Ntp >> 16); // the middle 32 bits
        _lastSenderReportAt = clock.GetTimestamp();
    }

    /// <summary>The report on a stream, framed; valid until the next call.</summary>
    public ReadOnlySpan<byte> Write(byte channel, uint source, uint highestSequence, long lostPackets)
    {
        Span<byte> frame = _buffer;
        frame[0] = (byte)'$';
        frame[1] = channel;
        BinaryPrimitives.WriteUInt16BigEndian(frame[2..], ReportLength + DescriptionLength);

        Span<byte> report = frame[InterleavedHeader..];
        report[0] = 0x81;
        report[1] = ReceiverReportType;
        BinaryPrimitives.WriteUInt16BigEndian(report[2..], ReportLength / 4 - 1);
        BinaryPrimitives.WriteUInt32BigEndian(report[4..], _self);
        BinaryPrimitives.WriteUInt32BigEndian(report[8..], source);
        long lost = Math.Min(lostPackets, 0x7FFFFF);
        BinaryPrimitives.WriteUInt32BigEndian(report[12..], (uint)lost);
        report[12] = FractionLost(highestSequence, lostPackets);
        BinaryPrimitives.WriteUInt32BigEndian(report[16..], highestSequence);
        BinaryPrimitives.WriteUInt32BigEndian(report[20..], 0); // jitter: over TCP it would tell of the socket, not of the network
        BinaryPrimitives.WriteUInt32BigEndian(report[24..], _lastSenderReport);
        double sinceReport = _lastSenderReport == 0 ? 0 : clock.GetElapsedTime(_lastSenderReportAt).TotalSeconds;
        BinaryPrimitives.WriteUInt32BigEndian(report[28..], (uint)Math.Min(uint.MaxValue, sinceReport * FractionScale));

        // One chunk: our source, CNAME "edgenode", an end octet and padding.
        Span<byte> description = report[ReportLength..];
        description[0] = 0x81;
        description[1] = DescriptionType;
        BinaryPrimitives.WriteUInt16BigEndian(description[2..], DescriptionLength / 4 - 1);
        BinaryPrimitives.WriteUInt32BigEndian(description[4..], _self);
        description[8] = 1;
        description[9] = 8;
        "edgenode"u8.CopyTo(description[10..]);
        description[18..].Clear();

        _reportedBefore = true;
        _lostBefore = lostPackets;
        _sequenceBefore = highestSequence;
        return frame;
    }

    private byte FractionLost(uint highestSequence, long lostPackets)
    {
        long expected = unchecked(highestSequence - _sequenceBefore);
        long lost = lostPackets - _lostBefore;
        return !_reportedBefore || expected <= 0 || lost <= 0 ? (byte)0 : (byte)Math.Min(255, lost * 256 / expected);
    }
}
