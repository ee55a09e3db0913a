using EdgeNode.Ingest.Bitstream;
using EdgeNode.Ingest.H264;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>
/// Joins RTP packets into H.264 pictures (RFC 6184: single NAL unit packets, STAP-A and FU-A, which are packetization
/// modes 0 and 1). Decoding may begin at an IDR picture, and at a recovery point: an I picture of an open GOP, or the beginning
/// of a periodic intra refresh. The message of the latter goes with the picture, as decoders want it there.
/// </summary>
internal sealed class H264Depacketizer(TimeProvider clock) : VideoDepacketizer(clock, HeaderLength)
{
    private const int HeaderLength = 1;

    private readonly ParameterSets _sets = new();
    private readonly PictureOrderCount _order = new();
    private PictureOrder? _beganAt;
    private bool _isIdr;
    private bool _isReference;
    private bool _isIntra;
    private RecoveryPoint? _recovery;

    /// <inheritdoc/>
    protected override bool IsKey => _isIdr || (_recovery is { } point && (point.Frames > 0 || _isIntra));

    /// <inheritdoc/>
    protected override void FeedPayload(ReadOnlySpan<byte> payload)
    {
        switch (NalUnitHeader.TypeOf(payload[0]))
        {
            case NalUnitType.FuA:
                if (payload.Length < 2)
                    Damage();
                else
                    FeedFragment([(byte)((payload[0] & 0xE0) | (payload[1] & 0x1F))], (payload[1] & 0x80) != 0, (payload[1] & 0x40) != 0, payload[2..]);
                break;
            case NalUnitType.StapA:
                FeedAggregate(payload[1..]);
                break;
            default:
                FeedUnit(payload);
                break;
        }
    }

    /// <inheritdoc/>
    protected override UnitKind KindOf(ReadOnlySpan<byte> unit)
    {
        NalUnitType type = NalUnitHeader.TypeOf(unit[0]);
        if (NalUnitHeader.IsSlice(type))
            return UnitKind.Slice;
        return type switch
        {
            NalUnitType.Sps or NalUnitType.Pps => UnitKind.ParameterSet,
            NalUnitType.Filler => UnitKind.Nothing,
            _ => UnitKind.Information,
        };
    }

    /// <inheritdoc/>
    protected override bool PutParameterSet(ReadOnlySpan<byte> set) => _sets.Put(set);

    /// <inheritdoc/>
    protected override void BeginPicture()
    {
        _isIdr = false;
        _isReference = false;
        _isIntra = true;
        _recovery = null;
    }

    /// <inheritdoc/>
    protected override void ReadSlice(ReadOnlySpan<byte> slice)
    {
        _isIdr |= NalUnitHeader.TypeOf(slice[0]) == NalUnitType.IdrSlice;
        _isReference |= NalUnitHeader.IsReference(slice[0]);
        if (_recovery is null || !_isIntra)
            return; // asked for at recovery points alone
        try
        {
            _isIntra = SliceHeader.IsIntra(slice);
        }
        catch (InvalidDataException)
        {
            _isIntra = false;
        }
    }

    /// <inheritdoc/>
    protected override void ReadInformation(ReadOnlySpan<byte> unit)
    {
        if (_recovery is null && RecoveryPoint.TryRead(unit, out RecoveryPoint point))
            _recovery = point;
    }

    /// <inheritdoc/>
    protected override bool BeginsPicture(ReadOnlySpan<byte> slice) => SliceHeader.BeginsPicture(slice);

    /// <inheritdoc/>
    protected override VideoFormat? FormatOf(ReadOnlySpan<byte> firstSlice) => _sets.FormatOf(firstSlice);

    /// <inheritdoc/>
    protected override void Restart() => _order.Restart();

    /// <inheritdoc/>
    protected override CodedPicture Describe(ReadOnlySpan<byte> firstSlice, bool isFirst)
    {
        (PictureOrder? order, int? depth) = ReadOrder(firstSlice);
        if (isFirst)
            _beganAt = _isIdr ? null : order;
        else if (order > _beganAt || order?.Period != _beganAt?.Period)
            _beganAt = null;
        return new CodedPicture
        {
            IsReference = _isReference,
            IsUndecodable = order < _beganAt, // a B picture before the I picture of an open GOP
            Recovery = _isIdr || !IsKey ? null : _recovery,
            Order = order,
            ReorderDepth = depth,
        };
    }

    private (PictureOrder? Order, int? Depth) ReadOrder(ReadOnlySpan<byte> firstSlice)
    {
        try
        {
            if (!_sets.TryGet(firstSlice, out SequenceParameterSet? sequence, out PictureParameterSet? picture))
                return (null, null);
            PictureOrder order = _order.Next(SliceHeader.Parse(firstSlice, sequence, picture), sequence);
            return (order, sequence.IsReorderDepthKnown ? sequence.ReorderDepth : null);
        }
        catch (InvalidDataException)
        {
            return (null, null);
        }
    }
}
