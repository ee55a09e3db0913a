using EdgeNode.Ingest;

namespace EdgeNode.Streaming;

/// <summary>
/// A Partial Segment (RFC 8216bis §3.2): a header of its own and the camera's access units, which are shared, never
/// copied. Reference-counted: a response may still be written when the playlist has long moved on. Immutable.
/// </summary>
public sealed class Part
{
    private readonly byte[] _header;
    private readonly AccessUnit[] _units;
    private int _references = 1;

    /// <summary>Makes a part; takes over one reference to each of <paramref name="units"/>. The maker holds one reference to the part.</summary>
    internal Part(long mediaSequence, int index, long decodeTime, long durationTicks, byte[] header, AccessUnit[] units)
    {
        MediaSequence = mediaSequence;
        Index = index;
        DecodeTime = decodeTime;
        DurationTicks = durationTicks;
        _header = header;
        _units = units;
        IsIndependent = units[0].IsKey || units[0].Audio is not null;
        TotalBytes = header.Length;
        MemoryBytes = header.Length;
        foreach (AccessUnit unit in units)
        {
            TotalBytes += unit.Length;
            MemoryBytes += unit.MemoryBytes;
        }
    }

    /// <summary>Media Sequence Number of the segment it belongs to.</summary>
    public long MediaSequence { get; }

    /// <summary>Its place in the segment, from 0.</summary>
    public int Index { get; }

    /// <summary>Decode time of its first picture, 90 kHz ticks of the packaged timeline (tfdt).</summary>
    public long DecodeTime { get; }

    /// <summary>Its duration, 90 kHz ticks.</summary>
    public long DurationTicks { get; }

    /// <summary>
    /// It begins with a keyframe, or is sound. A keyframe further in does not count: players that join at such a part drop what stands before it.
    /// </summary>
    public bool IsIndependent { get; }

    /// <summary>Bytes of header and pictures: what a response sends.</summary>
    public long TotalBytes { get; }

    /// <summary>Bytes of memory that it holds (blocks of pictures are a little larger than their content).</summary>
    public long MemoryBytes { get; }

    /// <summary>Pictures in it.</summary>
    public int PictureCount => _units.Length;

    /// <summary>Pieces that make up the part: the header, then each picture.</summary>
    public int ChunkCount => _units.Length + 1;

    /// <summary>One piece. Valid while a reference is held.</summary>
    public ReadOnlySpan<byte> Chunk(int index) => index == 0 ? _header : _units[index - 1].Data;

    /// <summary>Holds the part once more, unless it is gone already.</summary>
    public bool TryAcquire()
    {
        int seen = Volatile.Read(ref _references);
        while (seen > 0)
        {
            int was = Interlocked.CompareExchange(ref _references, seen + 1, seen);
            if (was == seen)
                return true;
            seen = was;
        }

        return false;
    }

    /// <summary>Lets go; the last one lets go of the pictures.</summary>
    public void Release()
    {
        int left = Interlocked.Decrement(ref _references);
        if (left > 0)
            return;
        ObjectDisposedException.ThrowIf(left < 0, this);
        foreach (AccessUnit unit in _units)
            unit.Release();
    }
}
