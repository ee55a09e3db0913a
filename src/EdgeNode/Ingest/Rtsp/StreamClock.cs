namespace EdgeNode.Ingest.Rtsp;

/// <summary>
/// What is known of one stream's clock: which tick (90 kHz, unwrapped, as its units carry it) an RTP timestamp is, learnt from the units
/// that came, and the newest sender report.
/// </summary>
internal sealed class StreamClock(int clockRate)
{
    private readonly int _clockRate = clockRate > 0 ? clockRate : AccessUnit.TicksPerSecond;
    private uint _timestamp;
    private SenderReport _report;

    /// <summary>Whether any unit came.</summary>
    public bool IsKnown { get; private set; }

    /// <summary>Ticks of the newest unit.</summary>
    public long Latest { get; private set; }

    /// <summary>When that came, a timestamp of the time provider.</summary>
    public long LatestAt { get; private set; }

    /// <summary>Sender reports that came.</summary>
    public int Reports { get; private set; }

    /// <summary>The RTP timestamp of the first packet, as PLAY's answer told; null where it did not.</summary>
    public uint? Start { get; set; }

    /// <summary>A unit of that RTP timestamp got those ticks.</summary>
    public void Note(uint timestamp, long ticks, long now)
    {
        (IsKnown, _timestamp, Latest, LatestAt) = (true, timestamp, ticks, now);
    }

    /// <summary>A sender report came.</summary>
    public void Note(SenderReport report)
    {
        _report = report;
        Reports++;
    }

    /// <summary>The ticks of an RTP timestamp that is less than half a wrap away.</summary>
    public long TicksOf(uint timestamp) => Latest + (long)unchecked((int)(timestamp - _timestamp)) * AccessUnit.TicksPerSecond / _clockRate;

    /// <summary>What to add to this stream's ticks to have <paramref name="other"/>'s, by both sender reports.</summary>
    public long OffsetByReports(StreamClock other) =>
        other.TicksOf(other._report.Timestamp) - TicksOf(_report.Timestamp) + (long)_report.TicksSince(other._report);
}
