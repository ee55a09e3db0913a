using System.Numerics;
using EdgeNode.Ingest.Bitstream;

namespace EdgeNode.Ingest.H264;

/// <summary>What a slice header needs of a picture parameter set (ITU-T H.264 §7.3.2.2).</summary>
internal sealed class PictureParameterSet
{
    private const int MostReferences = 31;
    private const int MostMapUnits = 1 << 20;

    /// <summary>pic_parameter_set_id, 0 to 255.</summary>
    public required int Id { get; init; }

    /// <summary>seq_parameter_set_id, 0 to 31.</summary>
    public required int SequenceId { get; init; }

    /// <summary>bottom_field_pic_order_in_frame_present_flag.</summary>
    public required bool HasBottomOrder { get; init; }

    /// <summary>num_ref_idx_l0_default_active_minus1 + 1.</summary>
    public required int References0 { get; init; }

    /// <summary>num_ref_idx_l1_default_active_minus1 + 1.</summary>
    public required int References1 { get; init; }

    /// <summary>weighted_pred_flag.</summary>
    public required bool WeightsP { get; init; }

    /// <summary>weighted_bipred_idc is 1.</summary>
    public required bool WeightsB { get; init; }

    /// <summary>redundant_pic_cnt_present_flag.</summary>
    public required bool HasRedundantCount { get; init; }

    /// <summary>Reads a PPS NAL unit without start code or length.</summary>
    /// <exception cref="InvalidDataException">It is no PPS, or ends early.</exception>
    public static PictureParameterSet Parse(ReadOnlySpan<byte> unit)
    {
        if (unit.Length < 2 || NalUnitHeader.TypeOf(unit[0]) != NalUnitType.Pps)
            throw new InvalidDataException("The H.264 picture parameter set is missing.");
        var reader = new RbspReader(unit[1..]);
        int id = (int)reader.ReadUnsigned(255);
        int sequence = (int)reader.ReadUnsigned(31);
        reader.ReadBit(); // entropy_coding_mode_flag
        bool bottomOrder = reader.ReadBit();
        int groups = 1 + (int)reader.ReadUnsigned(7);
        if (groups > 1)
            SkipSliceGroups(ref reader, groups);
        int references0 = 1 + (int)reader.ReadUnsigned(MostReferences);
        int references1 = 1 + (int)reader.ReadUnsigned(MostReferences);
        bool weightsP = reader.ReadBit();
        bool weightsB = reader.ReadBits(2) == 1;
        reader.ReadSigned(); // pic_init_qp_minus26
        reader.ReadSigned(); // pic_init_qs_minus26
        reader.ReadSigned(); // chroma_qp_index_offset
        reader.SkipBits(2); // deblocking_filter_control_present_flag, constrained_intra_pred_flag
        return new PictureParameterSet
        {
            Id = id,
            SequenceId = sequence,
            HasBottomOrder = bottomOrder,
            References0 = references0,
            References1 = references1,
            WeightsP = weightsP,
            WeightsB = weightsB,
            HasRedundantCount = reader.ReadBit(),
        };
    }

    private static void SkipSliceGroups(ref RbspReader reader, int groups)
    {
        switch (reader.ReadUnsigned(6))
        {
            case 0:
                for (int i = 0; i < groups; i++)
                    reader.ReadUnsigned(); // run_length_minus1
                break;
            case 2:
                for (int i = 1; i < groups; i++)
                {
                    reader.ReadUnsigned(); // top_left
                    reader.ReadUnsigned(); // bottom_right
                }

                break;
            case 3 or 4 or 5:
                reader.ReadBit();
                reader.ReadUnsigned(); // slice_group_change_rate_minus1
                break;
            case 6:
                int units = 1 + (int)reader.ReadUnsigned(MostMapUnits);
                reader.SkipBits(units * (32 - BitOperations.LeadingZeroCount((uint)(groups - 1))));
                break;
        }
    }
}
