using EdgeNode.Ingest.Bitstream;

namespace EdgeNode.Ingest.H264;

/// <summary>What the picture order count needs of a slice header (ITU-T H.264 §7.3.3).</summary>
internal readonly struct SliceHeader
{
    private const int SliceTypes = 5;
    private const int MostReferences = 32;
    private const int MostOperations = 66;

    /// <summary>A slice of an IDR picture.</summary>
    public bool IsIdr { get; private init; }

    /// <summary>nal_ref_idc is not 0.</summary>
    public bool IsReference { get; private init; }

    /// <summary>frame_num.</summary>
    public int FrameNumber { get; private init; }

    /// <summary>field_pic_flag: one field of a frame.</summary>
    public bool IsField { get; private init; }

    /// <summary>bottom_field_flag.</summary>
    public bool IsBottomField { get; private init; }

    /// <summary>pic_order_cnt_lsb.</summary>
    public int OrderCountLsb { get; private init; }

    /// <summary>delta_pic_order_cnt_bottom.</summary>
    public int DeltaBottom { get; private init; }

    /// <summary>delta_pic_order_cnt[0].</summary>
    public int Delta0 { get; private init; }

    /// <summary>delta_pic_order_cnt[1].</summary>
    public int Delta1 { get; private init; }

    /// <summary>memory_management_control_operation 5: counts begin anew behind this picture.</summary>
    public bool ResetsOrder { get; private init; }

    /// <summary>pic_parameter_set_id of a slice NAL unit.</summary>
    /// <exception cref="InvalidDataException">The unit ends before it.</exception>
    public static int PictureSetOf(ReadOnlySpan<byte> unit)
    {
        RbspReader reader = Begin(unit);
        ReadType(ref reader);
        return (int)reader.ReadUnsigned(255);
    }

    /// <summary>Whether a slice NAL unit holds intra macroblocks alone (slice_type I or SI).</summary>
    /// <exception cref="InvalidDataException">The unit ends before it says so.</exception>
    public static bool IsIntra(ReadOnlySpan<byte> unit)
    {
        RbspReader reader = Begin(unit);
        return ReadType(ref reader) is SliceType.I or SliceType.Si;
    }

    /// <summary>Whether a slice NAL unit begins a picture: first_mb_in_slice 0 is a single 1 bit.</summary>
    public static bool BeginsPicture(ReadOnlySpan<byte> unit) => unit.Length > 1 && (unit[1] & 0x80) != 0;

    /// <summary>Reads the header of a slice NAL unit.</summary>
    /// <exception cref="InvalidDataException">The unit ends within it, or it makes no sense.</exception>
    public static SliceHeader Parse(ReadOnlySpan<byte> unit, SequenceParameterSet sequence, PictureParameterSet picture)
    {
        RbspReader reader = Begin(unit);
        bool isIdr = NalUnitHeader.TypeOf(unit[0]) == NalUnitType.IdrSlice;
        bool isReference = NalUnitHeader.IsReference(unit[0]);
        SliceType type = ReadType(ref reader);
        reader.ReadUnsigned(255);
        if (sequence.SeparatePlanes)
            reader.SkipBits(2);
        int frameNumber = (int)reader.ReadBits(sequence.FrameNumberBits);
        bool isField = !sequence.FramesOnly && reader.ReadBit();
        bool isBottom = isField && reader.ReadBit();
        if (isIdr)
            reader.ReadUnsigned(0xFFFF); // idr_pic_id

        int lsb = 0;
        int deltaBottom = 0;
        int delta0 = 0;
        int delta1 = 0;
        OrderCountCoding coding = sequence.OrderCount;
        if (coding.Type == 0)
        {
            lsb = (int)reader.ReadBits(coding.LsbBits);
            if (picture.HasBottomOrder && !isField)
                deltaBottom = reader.ReadSigned();
        }
        else if (coding.Type == 1 && !coding.DeltaAlwaysZero)
        {
            delta0 = reader.ReadSigned();
            if (picture.HasBottomOrder && !isField)
                delta1 = reader.ReadSigned();
        }

        return new SliceHeader
        {
            IsIdr = isIdr,
            IsReference = isReference,
            FrameNumber = frameNumber,
            IsField = isField,
            IsBottomField = isBottom,
            OrderCountLsb = lsb,
            DeltaBottom = deltaBottom,
            Delta0 = delta0,
            Delta1 = delta1,
            ResetsOrder = isReference && !isIdr && ReadReset(ref reader, type, sequence, picture),
        };
    }

    private static RbspReader Begin(ReadOnlySpan<byte> unit) =>
        unit.Length > 1 ? new RbspReader(unit[1..]) : throw new InvalidDataException("An H.264 slice is empty.");

    private static SliceType ReadType(ref RbspReader reader)
    {
        reader.ReadUnsigned(); // first_mb_in_slice
        return (SliceType)(reader.ReadUnsigned(2 * SliceTypes - 1) % SliceTypes);
    }

    // On to dec_ref_pic_marking (§7.3.3.3), and whether operation 5 is in it.
    private static bool ReadReset(ref RbspReader reader, SliceType type, SequenceParameterSet sequence, PictureParameterSet picture)
    {
        if (picture.HasRedundantCount)
            reader.ReadUnsigned();
        if (type == SliceType.B)
            reader.ReadBit(); // direct_spatial_mv_pred_flag
        int references0 = picture.References0;
        int references1 = picture.References1;
        bool predicted = type is SliceType.P or SliceType.Sp or SliceType.B;
        if (predicted && reader.ReadBit())
        {
            references0 = 1 + (int)reader.ReadUnsigned(MostReferences - 1);
            if (type == SliceType.B)
                references1 = 1 + (int)reader.ReadUnsigned(MostReferences - 1);
        }

        if (predicted)
            SkipListModification(ref reader);
        if (type == SliceType.B)
            SkipListModification(ref reader);
        if (type == SliceType.B ? picture.WeightsB : predicted && picture.WeightsP)
        {
            bool chroma = sequence.ChromaFormat != 0 && !sequence.SeparatePlanes;
            reader.ReadUnsigned(7); // luma_log2_weight_denom
            if (chroma)
                reader.ReadUnsigned(7);
            SkipWeights(ref reader, references0, chroma);
            if (type == SliceType.B)
                SkipWeights(ref reader, references1, chroma);
        }

        if (!reader.ReadBit())
            return false; // adaptive_ref_pic_marking_mode_flag
        bool resets = false;
        for (int i = 0; i < MostOperations; i++)
        {
            uint operation = reader.ReadUnsigned(6);
            if (operation == 0)
                return resets;
            resets |= operation == 5;
            if (operation is 1 or 2 or 3 or 4 or 6)
                reader.ReadUnsigned();
            if (operation == 3)
                reader.ReadUnsigned();
        }

        throw new InvalidDataException("An H.264 slice header marks more pictures than there can be.");
    }

    private static void SkipListModification(ref RbspReader reader)
    {
        if (!reader.ReadBit())
            return;
        for (int i = 0; i < MostOperations; i++)
        {
            if (reader.ReadUnsigned(5) == 3)
                return;
            reader.ReadUnsigned();
        }

        throw new InvalidDataException("An H.264 slice header reorders more pictures than there can be.");
    }

    private static void SkipWeights(ref RbspReader reader, int references, bool chroma)
    {
        for (int i = 0; i < references; i++)
        {
            for (int values = reader.ReadBit() ? 2 : 0; values > 0; values--)
                reader.ReadSigned();
            for (int values = chroma && reader.ReadBit() ? 4 : 0; values > 0; values--)
                reader.ReadSigned();
        }
    }

    // slice_type modulo 5, table 7-6.
    private enum SliceType
    {
        P,
        B,
        I,
        Sp,
        Si,
    }
}
