using EdgeNode.Ingest.Bitstream;

namespace EdgeNode.Ingest.H265;

/// <summary>The beginning of a slice segment's header (ITU-T H.265 §7.3.6.1), as far as the picture order count.</summary>
/// <param name="IsFirst">first_slice_segment_in_pic_flag.</param>
/// <param name="OrderCountLsb">slice_pic_order_cnt_lsb; 0 for IDR pictures, null in a dependent slice segment, which does not repeat it.</param>
internal readonly record struct SliceSegmentHeader(bool IsFirst, int? OrderCountLsb)
{
    /// <summary>slice_pic_parameter_set_id of a slice NAL unit.</summary>
    /// <exception cref="InvalidDataException">The unit ends before it.</exception>
    public static int PictureSetOf(ReadOnlySpan<byte> unit)
    {
        RbspReader reader = Begin(unit);
        return ReadPictureSet(ref reader, NalUnitHeader.TypeOf(unit[0]), out _);
    }

    /// <summary>Whether a slice NAL unit begins a picture.</summary>
    public static bool BeginsPicture(ReadOnlySpan<byte> unit) => unit.Length > NalUnitHeader.Length && (unit[NalUnitHeader.Length] & 0x80) != 0;

    /// <summary>Reads the header of a slice NAL unit.</summary>
    /// <exception cref="InvalidDataException">The unit ends within it.</exception>
    public static SliceSegmentHeader Parse(ReadOnlySpan<byte> unit, SequenceParameterSet sequence, PictureParameterSet picture)
    {
        RbspReader reader = Begin(unit);
        NalUnitType type = NalUnitHeader.TypeOf(unit[0]);
        ReadPictureSet(ref reader, type, out bool first);
        if (!first)
        {
            bool dependent = picture.DependentSlices && reader.ReadBit();
            reader.SkipBits(sequence.SliceAddressBits);
            if (dependent)
                return new SliceSegmentHeader(false, null);
        }

        reader.SkipBits(picture.ExtraSliceBits);
        reader.ReadUnsigned(2); // slice_type
        if (picture.OutputFlag)
            reader.ReadBit();
        if (sequence.SeparatePlanes)
            reader.SkipBits(2);
        return new SliceSegmentHeader(first, NalUnitHeader.IsIdr(type) ? 0 : (int)reader.ReadBits(sequence.OrderCountBits));
    }

    private static RbspReader Begin(ReadOnlySpan<byte> unit) =>
        unit.Length > NalUnitHeader.Length ? new RbspReader(unit[NalUnitHeader.Length..]) : throw new InvalidDataException("An H.265 slice is empty.");

    private static int ReadPictureSet(ref RbspReader reader, NalUnitType type, out bool first)
    {
        first = reader.ReadBit();
        if (NalUnitHeader.IsRandomAccess(type))
            reader.ReadBit(); // no_output_of_prior_pics_flag
        return (int)reader.ReadUnsigned(63);
    }
}
