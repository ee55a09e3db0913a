namespace EdgeNode.Ingest.Rtsp;

/// <summary>One stream of a session: how its packets travel, and what they are made into.</summary>
internal sealed class RtspStream : IDisposable
{
    private const int ForeignPacketsAtMost = 50;
    private const int FirstDynamicPayloadType = 96;

    private readonly IDepacketizer _depacketizer;
    private readonly ReceiverReport _report;
    private readonly TimeProvider _clock;
    private int _payloadType;
    private int _foreignPackets;
    private bool _anyPacket;
    private uint _timestamp;
    private uint _timestampBefore;
    private bool _marker;
    private bool _noted = true;

    /// <summary>A stream that is set up at <paramref name="uri"/>; the depacketizer becomes its own.</summary>
    public RtspStream(bool isVideo, string uri, MediaFormat format, IDepacketizer depacketizer, TimeProvider clock)
    {
        IsVideo = isVideo;
        Uri = uri;
        _payloadType = format.PayloadType;
        _depacketizer = depacketizer;
        _clock = clock;
        _report = new ReceiverReport(clock);
        Clock = new StreamClock(format.ClockRate);
    }

    /// <summary>Pictures; else audio.</summary>
    public bool IsVideo { get; }

    /// <summary>What its codec is called.</summary>
    public string Name { get; init; } = "";

    /// <summary>Its control URL.</summary>
    public string Uri { get; set; }

    /// <summary>Interleaved channel of its RTP packets.</summary>
    public byte DataChannel { get; set; }

    /// <summary>Interleaved channel of its RTCP packets.</summary>
    public byte ControlChannel { get; set; }

    /// <summary>Its UDP sockets and the order of what they bring; null over TCP.</summary>
    public UdpPath? Udp { get; set; }

    /// <summary>Its clock.</summary>
    public StreamClock Clock { get; }

    /// <summary>Payload type of its packets.</summary>
    public int PayloadType => _payloadType;

    /// <summary>Payload type of the session's other stream, which is never taken for ours; -1: none.</summary>
    public int OtherPayloadType { get; set; } = -1;

    /// <summary>Packets that never came.</summary>
    public long LostPackets => _depacketizer.LostPackets;

    /// <summary>Units not handed out.</summary>
    public long SkippedUnits => _depacketizer.SkippedUnits;

    /// <summary>Takes an RTP packet, in order; false when it is none of this stream. Take all with <see cref="TryTake"/> before the next.</summary>
    /// <exception cref="InvalidDataException">The stream cannot be read at all.</exception>
    public bool Feed(ReadOnlySpan<byte> bytes)
    {
        if (!RtpPacket.TryParse(bytes, out RtpPacket packet) || !IsOurs(packet.PayloadType))
            return false;
        if (!_anyPacket || packet.Timestamp != _timestamp)
            (_timestampBefore, _timestamp) = (_anyPacket ? _timestamp : packet.Timestamp, packet.Timestamp);
        _anyPacket = true;
        _marker = packet.Marker;
        _noted = false;
        _depacketizer.Feed(packet);
        return true;
    }

    /// <summary>Takes the next unit, on this stream's own clock.</summary>
    public bool TryTake(out AccessUnit unit)
    {
        if (!_depacketizer.TryTake(out unit))
            return false;
        if (IsVideo)
        {
            // A picture ends with its marker, else with the next one's first packet.
            Clock.Note(_marker ? _timestamp : _timestampBefore, unit.Pts, _clock.GetTimestamp());
        }
        else if (!_noted)
        {
            // A packet's time is its first frame's (RFC 3640 §3.2.1).
            _noted = true;
            Clock.Note(_timestamp, unit.Pts, _clock.GetTimestamp());
        }

        return true;
    }

    /// <summary>Takes an RTCP packet.</summary>
    public void ReceiveControl(ReadOnlySpan<byte> packet)
    {
        if (!SenderReport.TryFind(packet, out SenderReport report))
            return;
        _report.Receive(report);
        Clock.Note(report);
    }

    /// <summary>A receiver report, framed for the control channel; empty before the first packet.</summary>
    public ReadOnlySpan<byte> WriteReport() =>
        _anyPacket ? _report.Write(ControlChannel, _depacketizer.Source, _depacketizer.HighestSequence, _depacketizer.LostPackets) : default;

    /// <inheritdoc/>
    public void Dispose()
    {
        Udp?.Dispose();
        _depacketizer.Dispose();
    }

    private bool IsOurs(int payloadType)
    {
        if (payloadType == _payloadType)
        {
            _foreignPackets = -1;
            return true;
        }

        // Firmware exists whose SDP tells another payload type than its packets.
        if (_foreignPackets < 0 || payloadType < FirstDynamicPayloadType || payloadType == OtherPayloadType || ++_foreignPackets < ForeignPacketsAtMost)
            return false;
        _payloadType = payloadType;
        return true;
    }
}
