namespace EdgeNode.Ingest.Rtsp;

/// <summary>What a packet's sequence number says (RFC 3550 §5.1).</summary>
internal enum RtpArrival
{
    /// <summary>It follows the one before.</summary>
    Next,

    /// <summary>It came already.</summary>
    Duplicate,

    /// <summary>Packets before it never came.</summary>
    AfterLoss,

    /// <summary>It comes from another source than the one before: nothing can be said of what lies between.</summary>
    OtherSource,
}

/// <summary>Follows the sequence numbers of one stream, and counts for RTCP (RFC 3550 §6.4.1, appendix A.1).</summary>
internal sealed class RtpSequence
{
    private const int DuplicatesAtMost = 16;

    private bool _any;
    private ushort _expected;

    /// <summary>Packets that never came.</summary>
    public long LostPackets { get; private set; }

    /// <summary>Highest sequence number with its cycles.</summary>
    public uint Highest { get; private set; }

    /// <summary>Synchronization source of the last packet.</summary>
    public uint Source { get; private set; }

    /// <summary>Takes the next packet's number.</summary>
    public RtpArrival Check(in RtpPacket packet)
    {
        RtpArrival arrival = RtpArrival.Next;
        if (!_any || packet.Source != Source)
        {
            if (_any)
                arrival = RtpArrival.OtherSource;
            _any = true;
            Source = packet.Source;
            Highest = packet.SequenceNumber;
        }
        else
        {
            int ahead = unchecked((short)(packet.SequenceNumber - _expected));
            if (ahead is < 0 and >= -DuplicatesAtMost)
                return RtpArrival.Duplicate;
            if (ahead != 0)
            {
                LostPackets += Math.Max(1, ahead);
                arrival = RtpArrival.AfterLoss;
            }

            Highest += (uint)Math.Max(1, ahead + 1);
        }

        _expected = unchecked((ushort)(packet.SequenceNumber + 1));
        return arrival;
    }
}
