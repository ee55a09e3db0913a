using System.Buffers.Binary;
using EdgeNode.Ingest.H264;
using EdgeNode.Native.Memory;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>
/// Joins RTP packets into access units (RFC 6184: single NAL unit packets, STAP-A and FU-A, which are packetization
/// modes 0 and 1). A picture ends with the marker bit, or where the timestamp changes. The first unit handed out is a keyframe.
/// A unit holds slices only: parameter sets travel in the <see cref="VideoFormat"/>, delimiters and filler say nothing,
/// and SEI is read by nobody behind here, while vendors fill it with private data picture by picture.
/// </summary>
/// <remarks>At most two units come of one packet: take them with <see cref="TryTake"/> before the next.</remarks>
internal sealed class H264Depacketizer(TimeProvider clock) : IDepacketizer
{
    private const int DuplicatesAtMost = 16;

    private readonly ParameterSets _sets = new();
    private readonly AccessUnitBuilder _builder = new();
    private readonly RtpTimeline _timeline = new();
    private readonly DecodingClock _decodingClock = new();

    private AccessUnit? _first;
    private AccessUnit? _second;
    private VideoFormat? _format;

    private bool _anyPacket;
    private ushort _expectedSequence;
    private uint _source;

    private bool _unitOpen;
    private uint _unitTimestamp;
    private DateTime _unitCapturedAt;
    private bool _unitHasSlices;
    private bool _unitIsKey;
    private bool _unitIsReference;
    private bool _unitIsDamaged;

    private bool _skippingFragments;
    private bool _waitingForKey = true;
    private bool _damagedSinceKey;
    private bool _startsTimeline = true;
    private bool _anyUnit;
    private uint _lastTimestamp;
    private bool _markersLie;

    /// <summary>Packets that never came, by their sequence numbers.</summary>
    public long LostPackets { get; private set; }

    /// <summary>Pictures not handed out: before the first keyframe, without parameter sets, or larger than allowed.</summary>
    public long SkippedUnits { get; private set; }

    /// <summary>Highest sequence number with its cycles, as RTCP counts it (RFC 3550 §6.4.1).</summary>
    public uint HighestSequence { get; private set; }

    /// <summary>Synchronization source of the stream.</summary>
    public uint Source => _source;

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

    /// <summary>Whether <see cref="TryTake"/> has one.</summary>
    public bool HasUnit => _first is not null;

    /// <summary>Takes the next unit; the caller holds its reference.</summary>
    public bool TryTake(out AccessUnit unit)
    {
        unit = _first!;
        if (unit is null)
            return false;
        _first = _second;
        _second = null;
        return true;
    }

    /// <summary>Takes the stream's next packet.</summary>
    /// <exception cref="InvalidDataException">A keyframe needs an SPS that cannot be read.</exception>
    public void Feed(in RtpPacket packet)
    {
        if (!CheckSequence(packet))
            return;
        if (_unitOpen && packet.Timestamp != _unitTimestamp)
            FinishUnit();
        if (!_unitOpen)
            OpenUnit(packet.Timestamp);
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

    private bool CheckSequence(in RtpPacket packet)
    {
        if (!_anyPacket || packet.Source != _source)
        {
            if (_anyPacket)
                BeginOtherSource(packet.Timestamp);
            _anyPacket = true;
            _source = packet.Source;
            HighestSequence = packet.SequenceNumber;
        }
        else
        {
            int ahead = unchecked((short)(packet.SequenceNumber - _expectedSequence));
            if (ahead is < 0 and >= -DuplicatesAtMost)
                return false;
            if (ahead != 0)
            {
                LostPackets += Math.Max(1, ahead);
                MarkLoss(packet.Timestamp);
            }

            HighestSequence += (uint)Math.Max(1, ahead + 1);
        }

        _expectedSequence = unchecked((ushort)(packet.SequenceNumber + 1));
        return true;
    }

    private void BeginOtherSource(uint timestamp)
    {
        _builder.Clear();
        _unitOpen = false;
        _skippingFragments = false;
        _damagedSinceKey = true;
        _startsTimeline = true;
        _timeline.Rebase(timestamp);
    }

    private void MarkLoss(uint timestamp)
    {
        // What was lost may have ended the open picture, begun the next, or been pictures in between.
        _builder.Cancel();
        _skippingFragments = true;
        _damagedSinceKey = true;
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
        _unitHasSlices = false;
        _unitIsKey = false;
        _unitIsReference = false;
        _unitIsDamaged = false;
    }

    private void FeedPayload(ReadOnlySpan<byte> payload)
    {
        if (payload.IsEmpty)
            return;
        switch (NalUnitHeader.TypeOf(payload[0]))
        {
            case NalUnitType.FuA:
                FeedFragment(payload);
                break;
            case NalUnitType.StapA:
                EndFragments();
                FeedAggregate(payload[1..]);
                break;
            default:
                EndFragments();
                FeedUnit(payload);
                break;
        }
    }

    private void FeedAggregate(ReadOnlySpan<byte> rest)
    {
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
                FeedUnit(rest[..length]);
            rest = rest[length..];
        }
    }

    private void FeedFragment(ReadOnlySpan<byte> payload)
    {
        if (payload.Length < 2)
        {
            Damage();
            return;
        }

        byte fragment = payload[1];
        byte header = (byte)((payload[0] & 0xE0) | (fragment & 0x1F));
        if ((fragment & 0x80) != 0)
        {
            EndFragments(); // a camera that forgot the end bit; a loss would have cancelled the unit
            _skippingFragments = NalUnitHeader.TypeOf(header) is NalUnitType.Filler || !Begin(header);
        }
        else if (!_builder.IsWriting)
        {
            if (!_skippingFragments)
                Damage();
            return;
        }

        if (_skippingFragments)
            return;
        if (!_builder.Append(payload[2..]))
            Overflow();
        else if ((fragment & 0x40) != 0)
            EndFragments();
    }

    private void EndFragments()
    {
        _skippingFragments = false;
        if (!_builder.IsWriting)
            return;
        ReadOnlySpan<byte> unit = _builder.Writing;
        if (NalUnitHeader.IsSlice(NalUnitHeader.TypeOf(unit[0])))
        {
            _builder.End();
            return;
        }

        // Rare: parameter sets or SEI too large for a packet. They leave the block again.
        byte[] other = unit.ToArray();
        _builder.Cancel();
        FeedOther(other);
    }

    /// <summary>A whole NAL unit.</summary>
    private void FeedUnit(ReadOnlySpan<byte> unit)
    {
        if (!NalUnitHeader.IsSlice(NalUnitHeader.TypeOf(unit[0])))
        {
            FeedOther(unit);
        }
        else if (Begin(unit[0]))
        {
            if (_builder.Append(unit[1..]))
                _builder.End();
            else
                Overflow();
        }
    }

    private void FeedOther(ReadOnlySpan<byte> unit)
    {
        NalUnitType type = NalUnitHeader.TypeOf(unit[0]);
        if (type is NalUnitType.Filler)
            return;

        // Some cameras send a whole byte stream (annex B) as if it were one unit; inside a unit no start code can be.
        if (StartCode(unit) >= 0)
            SplitByteStream(unit);
        else if (type is NalUnitType.Sps or NalUnitType.Pps)
            TryPut(unit);
    }

    private void SplitByteStream(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int next = StartCode(bytes);
            ReadOnlySpan<byte> unit = (next < 0 ? bytes : bytes[..next]).TrimEnd((byte)0);
            bytes = next < 0 ? default : bytes[(next + 3)..];
            if (unit.IsEmpty)
                continue;
            if (_unitOpen)
                FeedUnit(unit);
            else if (NalUnitHeader.TypeOf(unit[0]) is NalUnitType.Sps or NalUnitType.Pps)
                TryPut(unit);
        }
    }

    private static int StartCode(ReadOnlySpan<byte> bytes) => bytes.IndexOf([(byte)0, (byte)0, (byte)1]);

    private void TryPut(ReadOnlySpan<byte> set)
    {
        if (NalUnitHeader.TypeOf(set[0]) is not (NalUnitType.Sps or NalUnitType.Pps))
            return;
        try
        {
            // Consumers get new sets with the next keyframe: a picture before it that uses them cannot be decoded.
            if (_sets.Put(set) && !_waitingForKey)
                _damagedSinceKey = true;
        }
        catch (InvalidDataException)
        {
            Damage();
        }
    }

    private bool Begin(byte header)
    {
        if (!_builder.Begin(header))
        {
            Overflow();
            return false;
        }

        NalUnitType type = NalUnitHeader.TypeOf(header);
        if (NalUnitHeader.IsSlice(type))
        {
            _unitHasSlices = true;
            _unitIsKey |= type == NalUnitType.IdrSlice;
            _unitIsReference |= NalUnitHeader.IsReference(header);
        }

        return true;
    }

    private void Damage()
    {
        _unitIsDamaged = true;
        _damagedSinceKey = true;
    }

    private void Overflow()
    {
        _builder.Clear();
        _skippingFragments = true;
        _unitHasSlices = false;
        SkippedUnits++;
        Damage();
    }

    private void FinishUnit()
    {
        EndFragments();
        _unitOpen = false;
        if (!_unitHasSlices || _builder.Length == 0)
        {
            _builder.Clear();
            return;
        }

        ReadOnlySpan<byte> firstSlice = _builder.First();
        CheckMarker(firstSlice);
        if ((_waitingForKey && !_unitIsKey) || !KnowFormat(firstSlice))
        {
            _builder.Clear();
            SkippedUnits++;
            return;
        }

        if (_unitIsKey && !_unitIsDamaged)
            _damagedSinceKey = false;
        AccessUnitFlags flags = AccessUnitFlags.None;
        if (_unitIsKey)
            flags |= AccessUnitFlags.Key;
        if (_unitIsReference)
            flags |= AccessUnitFlags.Reference;
        if (_unitIsDamaged || _damagedSinceKey)
            flags |= AccessUnitFlags.Damaged;
        if (_startsTimeline)
            flags |= AccessUnitFlags.StartsTimeline;

        long presentation = _timeline.Next(_unitTimestamp, _format!.ReorderDepth);
        long decoding = _decodingClock.Next(ref presentation, _format.ReorderDepth, _timeline.Interval);
        PacketMemory memory = _builder.Take(out int length);
        var unit = AccessUnit.Create(memory, length, _format, new AccessUnitTiming(decoding, presentation, _unitCapturedAt), flags);
        _waitingForKey = false;
        _startsTimeline = false;
        _anyUnit = true;
        _lastTimestamp = _unitTimestamp;
        if (_first is null)
            _first = unit;
        else
            _second = unit;
    }

    /// <summary>
    /// A marker bit on each slice splits pictures: seen by a unit of the same time that does not begin with the
    /// picture's first macroblock (first_mb_in_slice 0 is a single 1 bit). From then on only the timestamp ends a picture.
    /// </summary>
    private void CheckMarker(ReadOnlySpan<byte> firstSlice)
    {
        if (!_anyUnit || _unitTimestamp != _lastTimestamp || _unitIsDamaged || firstSlice.Length < 2 || (firstSlice[1] & 0x80) != 0)
            return;
        _markersLie = true;
        Damage();
    }

    private bool KnowFormat(ReadOnlySpan<byte> firstSlice)
    {
        if (!_unitIsKey)
            return true; // new sets take effect with a keyframe
        try
        {
            _format = _sets.FormatOf(firstSlice) ?? _format;
        }
        catch (InvalidDataException) when (_format is not null)
        {
            Damage();
        }

        return _format is not null;
    }
}
