namespace EdgeNode.Ingest.Rtsp;

/// <summary>Joins the RTP packets of one stream into access units. Not thread-safe.</summary>
internal interface IDepacketizer : IDisposable
{
    /// <summary>Packets that never came, by their sequence numbers.</summary>
    long LostPackets { get; }

    /// <summary>Pictures or frames not handed out: before the first keyframe, or unusable.</summary>
    long SkippedUnits { get; }

    /// <summary>Highest sequence number with its cycles, as RTCP counts it (RFC 3550 §6.4.1).</summary>
    uint HighestSequence { get; }

    /// <summary>Synchronization source of the stream.</summary>
    uint Source { get; }

    /// <summary>Takes the stream's next packet, in order; take what it made with <see cref="TryTake"/> before the next.</summary>
    /// <exception cref="InvalidDataException">The stream cannot be read at all; the message says why.</exception>
    void Feed(in RtpPacket packet);

    /// <summary>Takes the next unit; the caller holds its reference. Stamps: 90 kHz, on the stream's own clock, unwrapped.</summary>
    bool TryTake(out AccessUnit unit);
}
