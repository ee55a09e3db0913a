using System.Buffers.Binary;
using EdgeNode.Native.Memory;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>
/// What joining RTP packets into pictures has in common between H.264 and H.265. A picture ends with the marker bit, or where
/// the timestamp changes. The first unit handed out is one at which decoding may begin. A unit holds slices only: parameter
/// sets travel in the <see cref="VideoFormat"/>, delimiters and filler say nothing, and of SEI only the recovery point is
/// read by anybody behind here, while vendors fill it with private data picture by picture.
/// </summary>
/// <remarks>At most two units come of one packet: take them with <see cref="TryTake"/> before the next.</remarks>
internal abstract class VideoDepacketizer(TimeProvider clock, int headerLength) : IDepacketizer
{
    private readonly RtpSequence _sequence = new();
    private readonly AccessUnitBuilder _builder = new();
    private readonly RtpTimeline _timeline = new();
    private readonly DecodingClock _decodingClock = new();

    private AccessUnit? _first;
    private AccessUnit? _second;
    private VideoFormat? _format;

    private bool _unitOpen;
    private uint _unitTimestamp;
    private DateTime _unitCapturedAt;
    private bool _unitIsDamaged;

    private bool _skippingFragments;
    private bool _waitingForKey = true;
    private bool _damagedSinceKey;
    private int _untilRecovered = -1; // reference pictures until a gradual recovery is complete; -1: none is under way
    private bool _startsTimeline = true;
    private bool _anyUnit;
    private uint _lastTimestamp;
    private bool _markersLie;

    /// <inheritdoc/>
    public long LostPackets => _sequence.LostPackets;

    /// <summary>Pictures not handed out: before the first keyframe, without parameter sets, undecodable, or larger than allowed.</summary>
    public long SkippedUnits { get; private set; }

    /// <inheritdoc/>
    public uint HighestSequence => _sequence.Highest;

    /// <inheritdoc/>
    public uint Source => _sequence.Source;

    /// <summary>Whether <see cref="TryTake"/> has one.</summary>
    public bool HasUnit => _first is not null;

    /// <summary>Takes parameter sets from the session description; what cannot be read is left to the stream.</summary>
    public void AddParameterSets(IEnumerable<byte[]> sets)
    {
        foreach (byte[] set in sets)
        {
            if (StartCode(set) >= 0)
                SplitByteStream(set);
            else
                TryPut(set);
        }
    }

    /// <inheritdoc/>
    public bool TryTake(out AccessUnit unit)
    {
        unit = _first!;
        if (unit is null)
            return false;
        _first = _second;
        _second = null;
        return true;
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidDataException">A keyframe needs an SPS that cannot be read.</exception>
    public void Feed(in RtpPacket packet)
    {
        switch (_sequence.Check(packet))
        {
            case RtpArrival.Duplicate:
                return;
            case RtpArrival.OtherSource:
                BeginOtherSource(packet.Timestamp);
                break;
            case RtpArrival.AfterLoss:
                MarkLoss(packet.Timestamp);
                break;
        }

        if (_unitOpen && packet.Timestamp != _unitTimestamp)
            FinishUnit();
        if (!_unitOpen)
            OpenUnit(packet.Timestamp);
        if (packet.Payload.Length >= headerLength)
            FeedPayload(packet.Payload);
        if (packet.Marker && !_markersLie)
            FinishUnit();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        while (TryTake(out AccessUnit unit))
            unit.Release();
        _builder.Dispose();
    }

    /// <summary>Takes one packet's payload, at least a header long, apart: into <see cref="FeedUnit"/>, <see cref="FeedAggregate"/> or <see cref="FeedFragment"/>.</summary>
    protected abstract void FeedPayload(ReadOnlySpan<byte> payload);

    /// <summary>What a NAL unit, of which at least the header is given, is to the node.</summary>
    protected abstract UnitKind KindOf(ReadOnlySpan<byte> unit);

    /// <summary>Takes a parameter set; true when it differs from what was known.</summary>
    /// <exception cref="InvalidDataException">It cannot be read.</exception>
    protected abstract bool PutParameterSet(ReadOnlySpan<byte> set);

    /// <summary>A picture begins: what was read of slices and SEI belongs to the one before.</summary>
    protected abstract void BeginPicture();

    /// <summary>Takes a whole slice of the picture.</summary>
    protected abstract void ReadSlice(ReadOnlySpan<byte> slice);

    /// <summary>Takes a NAL unit that is neither slice nor parameter set.</summary>
    protected abstract void ReadInformation(ReadOnlySpan<byte> unit);

    /// <summary>Whether a slice holds the picture's first pixels.</summary>
    protected abstract bool BeginsPicture(ReadOnlySpan<byte> slice);

    /// <summary>Whether decoding may begin at the picture whose slices were read.</summary>
    protected abstract bool IsKey { get; }

    /// <summary>Everything known of the picture whose first slice is given; called once for each picture that is handed out, in decoding order.</summary>
    protected abstract CodedPicture Describe(ReadOnlySpan<byte> firstSlice, bool isFirst);

    /// <summary>The format of the picture; null while its sets are missing.</summary>
    /// <exception cref="InvalidDataException">Its sets cannot be read.</exception>
    protected abstract VideoFormat? FormatOf(ReadOnlySpan<byte> firstSlice);

    /// <summary>Another source begins: order counts start anew.</summary>
    protected abstract void Restart();

    /// <summary>NAL units of one packet, each behind a length of two bytes.</summary>
    protected void FeedAggregate(ReadOnlySpan<byte> rest)
    {
        EndFragments();
        while (rest.Length > 2)
        {
            int length = BinaryPrimitives.ReadUInt16BigEndian(rest);
            rest = rest[2..];
            if (length > rest.Length)
            {
                Damage();
                return;
            }

            if (length > 0)
                FeedWhole(rest[..length]);
            rest = rest[length..];
        }
    }

    /// <summary>A fragment of a NAL unit whose header is <paramref name="header"/>.</summary>
    protected void FeedFragment(ReadOnlySpan<byte> header, bool begins, bool ends, ReadOnlySpan<byte> bytes)
    {
        if (begins)
        {
            EndFragments(); // a camera that forgot the end bit; a loss would have cancelled the unit
            _skippingFragments = KindOf(header) == UnitKind.Nothing || !Begin(header);
        }
        else if (!_builder.IsWriting)
        {
            if (!_skippingFragments)
                Damage();
            return;
        }

        if (_skippingFragments)
            return;
        if (!_builder.Append(bytes))
            Overflow();
        else if (ends)
            EndFragments();
    }

    /// <summary>A packet that is one whole NAL unit.</summary>
    protected void FeedUnit(ReadOnlySpan<byte> unit)
    {
        EndFragments();
        FeedWhole(unit);
    }

    /// <summary>The picture, and those that build on it, are not to be trusted.</summary>
    protected void Damage()
    {
        _unitIsDamaged = true;
        TaintGop();
    }

    private void TaintGop()
    {
        _damagedSinceKey = true;
        _untilRecovered = -1;
    }

    private void BeginOtherSource(uint timestamp)
    {
        _builder.Clear();
        _unitOpen = false;
        _skippingFragments = false;
        TaintGop();
        _startsTimeline = true;
        _timeline.Rebase(timestamp);
        Restart();
    }

    private void MarkLoss(uint timestamp)
    {
        // What was lost may have ended the open picture, begun the next, or been pictures in between.
        _builder.Cancel();
        _skippingFragments = true;
        TaintGop();
        if (_unitOpen)
            _unitIsDamaged = true;
        if (!_unitOpen || timestamp != _unitTimestamp)
        {
            if (_unitOpen)
                FinishUnit();
            OpenUnit(timestamp);
            _unitIsDamaged = true;
        }
    }

    private void OpenUnit(uint timestamp)
    {
        _unitOpen = true;
        _unitTimestamp = timestamp;
        _unitCapturedAt = clock.GetUtcNow().UtcDateTime;
        _unitIsDamaged = false;
        BeginPicture();
    }

    private void EndFragments()
    {
        _skippingFragments = false;
        if (!_builder.IsWriting)
            return;
        ReadOnlySpan<byte> unit = _builder.Writing;
        if (KindOf(unit) == UnitKind.Slice)
        {
            EndSlice();
            return;
        }

        // Rare: parameter sets or SEI too large for a packet. They leave the block again.
        byte[] other = unit.ToArray();
        _builder.Cancel();
        FeedOther(other);
    }

    private void EndSlice()
    {
        ReadSlice(_builder.Writing);
        _builder.End();
    }

    private void FeedWhole(ReadOnlySpan<byte> unit)
    {
        if (unit.Length < headerLength)
            return;
        if (KindOf(unit) != UnitKind.Slice)
        {
            FeedOther(unit);
        }
        else if (Begin(unit[..headerLength]))
        {
            if (_builder.Append(unit[headerLength..]))
                EndSlice();
            else
                Overflow();
        }
    }

    private void FeedOther(ReadOnlySpan<byte> unit)
    {
        UnitKind kind = KindOf(unit);
        if (kind == UnitKind.Nothing)
            return;

        // Some cameras send a whole byte stream (annex B) as if it were one unit; inside a unit no start code can be.
        if (StartCode(unit) >= 0)
            SplitByteStream(unit);
        else if (kind == UnitKind.ParameterSet)
            TryPut(unit);
        else
            ReadInformation(unit);
    }

    private void SplitByteStream(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int next = StartCode(bytes);
            ReadOnlySpan<byte> unit = (next < 0 ? bytes : bytes[..next]).TrimEnd((byte)0);
            bytes = next < 0 ? default : bytes[(next + 3)..];
            if (unit.Length < headerLength)
                continue;
            if (_unitOpen)
                FeedWhole(unit);
            else
                TryPut(unit);
        }
    }

    private static int StartCode(ReadOnlySpan<byte> bytes) => bytes.IndexOf([(byte)0, (byte)0, (byte)1]);

    private void TryPut(ReadOnlySpan<byte> set)
    {
        if (set.Length < headerLength || KindOf(set) != UnitKind.ParameterSet)
            return;
        try
        {
            // Consumers get new sets with the next keyframe: a picture before it that uses them cannot be decoded.
            if (PutParameterSet(set) && !_waitingForKey)
                TaintGop();
        }
        catch (InvalidDataException)
        {
            Damage();
        }
    }

    private bool Begin(ReadOnlySpan<byte> header)
    {
        if (_builder.Begin(header))
            return true;
        Overflow();
        return false;
    }

    private void Overflow()
    {
        _builder.Clear();
        _skippingFragments = true;
        SkippedUnits++;
        Damage();
        BeginPicture();
    }

    private void FinishUnit()
    {
        EndFragments();
        _unitOpen = false;
        if (_builder.Length == 0)
            return;

        ReadOnlySpan<byte> firstSlice = _builder.First();
        CheckMarker(firstSlice);
        if ((_waitingForKey && !IsKey) || !KnowFormat(firstSlice))
        {
            Skip();
            return;
        }

        CodedPicture picture = Describe(firstSlice, _waitingForKey);
        if (picture.IsUndecodable)
        {
            Skip();
            return;
        }

        FollowRecovery(picture);
        AccessUnitFlags flags = AccessUnitFlags.None;
        if (IsKey)
            flags |= AccessUnitFlags.Key;
        if (picture.IsReference)
            flags |= AccessUnitFlags.Reference;
        if (_unitIsDamaged || _damagedSinceKey)
            flags |= AccessUnitFlags.Damaged;
        if (_startsTimeline)
            flags |= AccessUnitFlags.StartsTimeline;

        long presentation = _timeline.Next(_unitTimestamp, _decodingClock.IsReordered(picture.Order) ? DecodingClock.DeepestReorder : 0);
        long decoding = _decodingClock.Next(ref presentation, picture.Order, picture.ReorderDepth, _timeline.Interval);
        Span<byte> prefix = stackalloc byte[CodedPicture.PrefixLength];
        PacketMemory memory = _builder.Take(prefix[..(picture.Recovery?.Write(prefix) ?? 0)], out int length);
        var unit = AccessUnit.Create(memory, length, _format!, new AccessUnitTiming(decoding, presentation, _unitCapturedAt), flags);
        _waitingForKey = false;
        _startsTimeline = false;
        _anyUnit = true;
        _lastTimestamp = _unitTimestamp;
        if (_first is null)
            _first = unit;
        else
            _second = unit;
    }

    private void Skip()
    {
        _builder.Clear();
        SkippedUnits++;
    }

    // A keyframe makes good what was lost at once, the beginning of a gradual refresh when the refresh is complete.
    private void FollowRecovery(in CodedPicture picture)
    {
        int frames = picture.Recovery?.Frames ?? 0;
        if (IsKey && !_unitIsDamaged && frames == 0)
        {
            _damagedSinceKey = false;
        }
        else if (IsKey && !_unitIsDamaged && (_waitingForKey || (_damagedSinceKey && _untilRecovered < 0)))
        {
            _damagedSinceKey = true;
            _untilRecovered = frames;
        }
        else if (_untilRecovered == 0)
        {
            _damagedSinceKey = false;
        }

        if (!_damagedSinceKey)
            _untilRecovered = -1;
        else if (picture.IsReference && _untilRecovered > 0)
            _untilRecovered--;
    }

    /// <summary>
    /// A marker bit on each slice splits pictures: seen by a unit of the same time that does not begin with the
    /// picture's first pixels. From then on only the timestamp ends a picture.
    /// </summary>
    private void CheckMarker(ReadOnlySpan<byte> firstSlice)
    {
        if (!_anyUnit || _unitTimestamp != _lastTimestamp || _unitIsDamaged || firstSlice.Length <= headerLength || BeginsPicture(firstSlice))
            return;
        _markersLie = true;
        Damage();
    }

    private bool KnowFormat(ReadOnlySpan<byte> firstSlice)
    {
        if (!IsKey)
            return true; // new sets take effect with a keyframe
        try
        {
            _format = FormatOf(firstSlice) ?? _format;
        }
        catch (InvalidDataException) when (_format is not null)
        {
            Damage();
        }

        return _format is not null;
    }

    /// <summary>What a NAL unit is to the node.</summary>
    protected enum UnitKind
    {
        /// <summary>Filler, or of a layer that the node does not read.</summary>
        Nothing,

        /// <summary>Coded pixels.</summary>
        Slice,

        /// <summary>A parameter set.</summary>
        ParameterSet,

        /// <summary>Something else: SEI, delimiters, ends.</summary>
        Information,
    }
}
