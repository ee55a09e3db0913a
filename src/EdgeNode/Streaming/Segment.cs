using EdgeNode.Streaming.Fmp4;

namespace EdgeNode.Streaming;

/// <summary>A Media Segment: its parts, one behind the other. Grows until it is complete; guarded by its owner's lock.</summary>
public sealed class Segment
{
    private readonly List<Part> _parts = [];

    internal Segment(long sequence, InitializationSegment initialization, DateTime programDateTime, long decodeTime, bool startsWithKey, bool isDiscontinuity)
    {
        Sequence = sequence;
        Initialization = initialization;
        ProgramDateTime = programDateTime;
        DecodeTime = decodeTime;
        StartsWithKey = startsWithKey;
        IsDiscontinuity = isDiscontinuity;
    }

    /// <summary>Media Sequence Number, from 1 (hls.js takes 0 for none).</summary>
    public long Sequence { get; }

    /// <summary>What its pictures were coded with.</summary>
    public InitializationSegment Initialization { get; }

    /// <summary>When its first picture was taken, UTC.</summary>
    public DateTime ProgramDateTime { get; }

    /// <summary>Decode time of its first picture, 90 kHz ticks of the packaged timeline.</summary>
    public long DecodeTime { get; }

    /// <summary>Decoding may begin with it.</summary>
    public bool StartsWithKey { get; }

    /// <summary>It does not continue the one before: EXT-X-DISCONTINUITY stands before it.</summary>
    public bool IsDiscontinuity { get; }

    /// <summary>No part will be added.</summary>
    public bool IsComplete { get; internal set; }

    /// <summary>The parts so far.</summary>
    public IReadOnlyList<Part> Parts => _parts;

    /// <summary>Duration so far, 90 kHz ticks.</summary>
    public long DurationTicks { get; private set; }

    /// <summary>Bytes so far, as sent.</summary>
    public long TotalBytes { get; private set; }

    /// <summary>Memory held so far.</summary>
    public long MemoryBytes { get; private set; }

    internal void Add(Part part)
    {
        _parts.Add(part);
        DurationTicks += part.DurationTicks;
        TotalBytes += part.TotalBytes;
        MemoryBytes += part.MemoryBytes;
    }

    internal void Release()
    {
        foreach (Part part in _parts)
            part.Release();
        _parts.Clear();
    }
}
