using EdgeNode.Ingest.Bitstream;
using EdgeNode.Ingest.H265;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>
/// Joins RTP packets into H.265 pictures (RFC 7798: single NAL unit packets, aggregation and fragmentation packets, in decoding
/// order: without DONL fields). Decoding may begin at an IRAP picture; RASL pictures behind the one at which the stream began are
/// left out, as they build on what came before it.
/// </summary>
internal sealed class H265Depacketizer(TimeProvider clock) : VideoDepacketizer(clock, NalUnitHeader.Length)
{
    private readonly ParameterSets _sets = new();
    private readonly PictureOrderCount _order = new();
    private NalUnitType? _type;
    private int _temporalId;
    private bool _sequenceEnds;

    /// <inheritdoc/>
    protected override bool IsKey => _type is { } type && NalUnitHeader.IsRandomAccess(type);

    /// <inheritdoc/>
    protected override void FeedPayload(ReadOnlySpan<byte> payload)
    {
        switch (NalUnitHeader.TypeOf(payload[0]))
        {
            case NalUnitType.Fragmentation:
                if (payload.Length <= NalUnitHeader.Length)
                {
                    Damage();
                    break;
                }

                byte fragment = payload[2];
                FeedFragment([(byte)((payload[0] & 0x81) | ((fragment & 0x3F) << 1)), payload[1]], (fragment & 0x80) != 0, (fragment & 0x40) != 0, payload[3..]);
                break;
            case NalUnitType.ContentInformation:
                Damage(); // pictures inside PACI packets, which no camera is known to send, are lost
                break;
            case NalUnitType.Aggregation:
                FeedAggregate(payload[NalUnitHeader.Length..]);
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
        if (type == NalUnitType.Filler || NalUnitHeader.LayerOf(unit[0], unit[1]) != 0)
            return UnitKind.Nothing;
        if (NalUnitHeader.IsSlice(type))
            return UnitKind.Slice;
        return NalUnitHeader.IsParameterSet(type) ? UnitKind.ParameterSet : UnitKind.Information;
    }

    /// <inheritdoc/>
    protected override bool PutParameterSet(ReadOnlySpan<byte> set) => _sets.Put(set);

    /// <inheritdoc/>
    protected override void BeginPicture()
    {
        if (_sequenceEnds)
            _order.Restart();
        _sequenceEnds = false;
        _type = null;
    }

    /// <inheritdoc/>
    protected override void ReadSlice(ReadOnlySpan<byte> slice)
    {
        // All slices of a picture have the same type (§7.4.2.2).
        _type ??= NalUnitHeader.TypeOf(slice[0]);
        _temporalId = NalUnitHeader.TemporalIdOf(slice[1]);
    }

    /// <inheritdoc/>
    protected override void ReadInformation(ReadOnlySpan<byte> unit) =>
        _sequenceEnds |= NalUnitHeader.TypeOf(unit[0]) is NalUnitType.EndOfSequence or NalUnitType.EndOfBitstream;

    /// <inheritdoc/>
    protected override bool BeginsPicture(ReadOnlySpan<byte> slice) => SliceSegmentHeader.BeginsPicture(slice);

    /// <inheritdoc/>
    protected override VideoFormat? FormatOf(ReadOnlySpan<byte> firstSlice) => _sets.FormatOf(firstSlice);

    /// <inheritdoc/>
    protected override void Restart() => _order.Restart();

    /// <inheritdoc/>
    protected override CodedPicture Describe(ReadOnlySpan<byte> firstSlice, bool isFirst)
    {
        NalUnitType type = _type!.Value;
        bool isReference = NalUnitHeader.IsReference(type);
        try
        {
            if (_sets.TryGet(firstSlice, out SequenceParameterSet sequence, out PictureParameterSet picture)
                && SliceSegmentHeader.Parse(firstSlice, sequence, picture).OrderCountLsb is { } lsb)
            {
                PictureOrder order = _order.Next(type, _temporalId, lsb, sequence.OrderCountBits, out bool isSkipped);
                return new CodedPicture { IsReference = isReference, IsUndecodable = isSkipped, Order = order, ReorderDepth = sequence.ReorderDepth };
            }
        }
        catch (InvalidDataException)
        {
            // Without its order it goes on behind the last.
        }

        return new CodedPicture { IsReference = isReference };
    }
}
