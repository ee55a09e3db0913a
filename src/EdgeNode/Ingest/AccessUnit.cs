using EdgeNode.Native.Memory;

namespace EdgeNode.Ingest;

/// <summary>
/// One coded picture or audio frame, the currency of the node. A picture: NAL units behind 4-byte big-endian lengths, as MP4 and libavcodec
/// (with avcC or hvcC extradata) take them. Audio: one raw AAC frame. Reference-counted: whoever keeps it past the call that handed it over takes
/// a reference and releases it. Nobody changes it once it is shared.
/// </summary>
public sealed class AccessUnit
{
    /// <summary>Ticks a second of <see cref="Dts"/> and <see cref="Pts"/> (RTP's clock for video, RFC 6184 §5.1).</summary>
    public const int TicksPerSecond = 90_000;

    private static readonly Lock PoolGate = new();
    private static readonly Stack<AccessUnit> Pool = new();

    private PacketMemory? _memory;
    private int _references;

    private AccessUnit()
    {
    }

    /// <summary>The coded bytes. Valid while a reference is held.</summary>
    public ReadOnlySpan<byte> Data => Memory.Span[..Length];

    /// <summary>Bytes of <see cref="Data"/>.</summary>
    public int Length { get; private set; }

    /// <summary>Bytes of memory that it takes while it is held: for a picture of a few bytes far more than those.</summary>
    public int MemoryBytes => Memory.Capacity;

    /// <summary>The block behind <see cref="Data"/>, for decoders that hold it themselves.</summary>
    public PacketMemory Memory => _memory ?? throw new ObjectDisposedException(nameof(AccessUnit));

    /// <summary>Decoding time, 90 kHz ticks on the camera's continuous timeline: strictly rising.</summary>
    public long Dts { get; private set; }

    /// <summary>Presentation time, 90 kHz ticks, the same timeline.</summary>
    public long Pts { get; private set; }

    /// <summary>When the picture was taken, by the node's clock, UTC.</summary>
    public DateTime CapturedAt { get; private set; }

    /// <summary>Decoding may begin here: an IDR or IRAP picture, or a recovery point (an I picture of an open GOP, the beginning of an intra refresh).</summary>
    public bool IsKey { get; private set; }

    /// <summary>Other pictures refer to this one (nal_ref_idc is not 0); false allows a decoder to leave it out.</summary>
    public bool IsReference { get; private set; }

    /// <summary>Packets were lost in this picture or since the last keyframe: its pixels are not to be trusted.</summary>
    public bool IsDamaged { get; private set; }

    /// <summary>The first picture after an interruption: players are told of a discontinuity.</summary>
    public bool StartsTimeline { get; private set; }

    /// <summary>The parameters this picture was coded with; no audio frame has any.</summary>
    public VideoFormat Format { get; private set; } = null!;

    /// <summary>The parameters of an audio frame; null for a picture.</summary>
    public AudioFormat? Audio { get; private set; }

    /// <summary>Makes an access unit around <paramref name="memory"/>, whose reference it takes over; the caller holds one reference to the unit.</summary>
    public static AccessUnit Create(PacketMemory memory, int length, VideoFormat format, in AccessUnitTiming timing, AccessUnitFlags flags)
    {
        AccessUnit unit = Take(memory, length, timing);
        unit.Format = format;
        unit.Audio = null;
        unit.IsKey = (flags & AccessUnitFlags.Key) != 0;
        unit.IsReference = (flags & AccessUnitFlags.Reference) != 0;
        unit.IsDamaged = (flags & AccessUnitFlags.Damaged) != 0;
        unit.StartsTimeline = (flags & AccessUnitFlags.StartsTimeline) != 0;
        return unit;
    }

    /// <summary>Makes an audio frame, as <see cref="Create"/> makes a picture.</summary>
    public static AccessUnit CreateAudio(PacketMemory memory, int length, AudioFormat format, in AccessUnitTiming timing)
    {
        AccessUnit unit = Take(memory, length, timing);
        unit.Format = null!;
        unit.Audio = format;
        unit.IsKey = unit.IsReference = unit.IsDamaged = unit.StartsTimeline = false;
        return unit;
    }

    private static AccessUnit Take(PacketMemory memory, int length, in AccessUnitTiming timing)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, memory.Capacity);
        AccessUnit? unit;
        lock (PoolGate)
            Pool.TryPop(out unit);
        unit ??= new AccessUnit();
        memory.ClearPadding(length);
        unit._memory = memory;
        unit.Length = length;
        unit.Dts = timing.Dts;
        unit.Pts = timing.Pts;
        unit.CapturedAt = timing.CapturedAt;
        unit._references = 1;
        return unit;
    }

    /// <summary>Moves the unit to another place in time, before it is shared.</summary>
    internal void Restamp(in AccessUnitTiming timing, bool startsTimeline)
    {
        Dts = timing.Dts;
        Pts = timing.Pts;
        CapturedAt = timing.CapturedAt;
        StartsTimeline = startsTimeline;
    }

    /// <summary>Holds the unit once more.</summary>
    public void AddReference() => Interlocked.Increment(ref _references);

    /// <summary>Lets go of the unit; the last one gives its memory back.</summary>
    public void Release()
    {
        int left = Interlocked.Decrement(ref _references);
        if (left > 0)
            return;
        ObjectDisposedException.ThrowIf(left < 0, this);
        PacketMemory memory = Memory;
        _memory = null;
        memory.Release();
        lock (PoolGate)
            Pool.Push(this);
    }
}

/// <summary>Where an access unit lies in time: 90 kHz ticks, and the node's clock.</summary>
public readonly record struct AccessUnitTiming(long Dts, long Pts, DateTime CapturedAt);

/// <summary>What is known of an access unit from its NAL unit headers and its way here.</summary>
[Flags]
public enum AccessUnitFlags
{
    /// <summary>A picture that others do not refer to.</summary>
    None = 0,

    /// <summary>Decoding may begin here.</summary>
    Key = 1,

    /// <summary>Other pictures refer to it.</summary>
    Reference = 2,

    /// <summary>Packets were lost in it or since the last keyframe.</summary>
    Damaged = 4,

    /// <summary>The first one after an interruption.</summary>
    StartsTimeline = 8,
}
