using System.Numerics;
using EdgeNode.Ingest.Bitstream;

namespace EdgeNode.Ingest.H265;

/// <summary>What the node needs of a sequence parameter set (ITU-T H.265 §7.3.2.2, annex E).</summary>
public sealed class SequenceParameterSet
{
    /// <summary>Longest NAL unit that is read: real ones have some dozens of bytes.</summary>
    public const int LongestUnit = 4096;

    private const int SmallestSide = 16;
    private const int LargestSide = 8192;
    private const byte ExtendedSar = 255;
    private const int MostReferenceSets = 64;
    private const int MostPictures = 16;

    /// <summary>general_profile_idc: 1 Main, 2 Main 10, 3 Main Still Picture, 4 range extensions.</summary>
    public int Profile => General.Profile & 0x1F;

    /// <summary>general_level_idc as the stream states it: 30 times the level's number.</summary>
    public byte Level => General.Level;

    /// <summary>sps_seq_parameter_set_id, 0 to 15.</summary>
    public required int Id { get; init; }

    /// <summary>sps_video_parameter_set_id, 0 to 15.</summary>
    public required int VideoId { get; init; }

    /// <summary>sps_max_sub_layers_minus1 + 1, 1 to 7.</summary>
    public required int TemporalLayers { get; init; }

    /// <summary>sps_temporal_id_nesting_flag.</summary>
    public required bool TemporalNesting { get; init; }

    /// <summary>chroma_format_idc: 0 grey, 1 4:2:0, 2 4:2:2, 3 4:4:4.</summary>
    public required int ChromaFormat { get; init; }

    /// <summary>Bits of a luma sample, 8 to 16.</summary>
    public required int LumaDepth { get; init; }

    /// <summary>Bits of a chroma sample, 8 to 16.</summary>
    public required int ChromaDepth { get; init; }

    /// <summary>Width in pixels inside the conformance window, 16 to 8192.</summary>
    public required int Width { get; init; }

    /// <summary>Height in pixels inside the conformance window, 16 to 8192.</summary>
    public required int Height { get; init; }

    /// <summary>sps_max_num_reorder_pics of the highest sub-layer.</summary>
    public required int ReorderDepth { get; init; }

    /// <summary>Pictures a second by the VUI's timing; 0 when there is none or it makes no sense.</summary>
    public required double FrameRate { get; init; }

    /// <summary>Level that can hold the size: <see cref="Level"/>, or a higher one where the encoder understates.</summary>
    public required byte SufficientLevel { get; init; }

    /// <summary>The CODECS string after ISO/IEC 14496-15 annex E, with <see cref="SufficientLevel"/>.</summary>
    public string CodecString => General.CodecString(SufficientLevel);

    /// <summary>Profile, tier, compatibility, constraints and level.</summary>
    internal ProfileTierLevel General { get; private init; }

    /// <summary>separate_colour_plane_flag: each slice says its plane.</summary>
    internal bool SeparatePlanes { get; private init; }

    /// <summary>Bits of slice_pic_order_cnt_lsb, 4 to 16.</summary>
    internal int OrderCountBits { get; private init; }

    /// <summary>Bits of slice_segment_address: Ceil(Log2(PicSizeInCtbsY)).</summary>
    internal int SliceAddressBits { get; private init; }

    /// <summary>Reads an SPS NAL unit without start code or length.</summary>
    /// <exception cref="InvalidDataException">It is no SPS of the base layer, ends early, or states a size outside 16 to 8192 pixels a side.</exception>
    public static SequenceParameterSet Parse(ReadOnlySpan<byte> unit)
    {
        if (unit.Length < NalUnitHeader.Length + 1 || NalUnitHeader.TypeOf(unit[0]) != NalUnitType.Sps || NalUnitHeader.LayerOf(unit[0], unit[1]) != 0)
            throw new InvalidDataException("The H.265 sequence parameter set is missing.");
        if (unit.Length > LongestUnit)
            throw new InvalidDataException($"The H.265 sequence parameter set has {unit.Length} bytes; {LongestUnit} are the most.");

        var reader = new RbspReader(unit[NalUnitHeader.Length..]);
        int video = (int)reader.ReadBits(4);
        int subLayersMinusOne = (int)reader.ReadBits(3);
        if (subLayersMinusOne > 6)
            throw new InvalidDataException("The H.265 sequence parameter set states more than 7 temporal layers.");
        bool nesting = reader.ReadBit();
        ProfileTierLevel general = ProfileTierLevel.Read(ref reader, subLayersMinusOne);
        int id = (int)reader.ReadUnsigned(15);
        int chromaFormat = (int)reader.ReadUnsigned(3);
        bool separatePlanes = chromaFormat == 3 && reader.ReadBit();
        int codedWidth = (int)reader.ReadUnsigned(LargestSide + 64);
        int codedHeight = (int)reader.ReadUnsigned(LargestSide + 64);
        int width = codedWidth;
        int height = codedHeight;
        if (reader.ReadBit())
            Crop(ref reader, chromaFormat, ref width, ref height);
        if (width is < SmallestSide or > LargestSide || height is < SmallestSide or > LargestSide)
            throw new InvalidDataException($"The H.265 stream states a picture of {width}×{height}; {SmallestSide} to {LargestSide} pixels a side are allowed.");

        int lumaDepth = 8 + (int)reader.ReadUnsigned(8);
        int chromaDepth = 8 + (int)reader.ReadUnsigned(8);
        int orderCountBits = 4 + (int)reader.ReadUnsigned(12);
        int reorderDepth = 0;
        for (int i = reader.ReadBit() ? 0 : subLayersMinusOne; i <= subLayersMinusOne; i++)
        {
            reader.ReadUnsigned(MostPictures); // sps_max_dec_pic_buffering_minus1
            reorderDepth = (int)reader.ReadUnsigned(MostPictures);
            reader.ReadUnsigned(); // sps_max_latency_increase_plus1
        }

        int smallestBlock = 3 + (int)reader.ReadUnsigned(3);
        int largestBlock = smallestBlock + (int)reader.ReadUnsigned(3);
        return new SequenceParameterSet
        {
            General = general,
            Id = id,
            VideoId = video,
            TemporalLayers = subLayersMinusOne + 1,
            TemporalNesting = nesting,
            ChromaFormat = chromaFormat,
            SeparatePlanes = separatePlanes,
            LumaDepth = lumaDepth,
            ChromaDepth = chromaDepth,
            Width = width,
            Height = height,
            OrderCountBits = orderCountBits,
            SliceAddressBits = AddressBits(codedWidth, codedHeight, largestBlock),
            ReorderDepth = reorderDepth,
            FrameRate = ReadFrameRate(ref reader, orderCountBits),
            SufficientLevel = HevcLevel.Raise(general.Level, codedWidth, codedHeight),
        };
    }

    private static void Crop(ref RbspReader reader, int chromaFormat, ref int width, ref int height)
    {
        // Table 6-1: SubWidthC, SubHeightC.
        int unitX = chromaFormat is 1 or 2 ? 2 : 1;
        int unitY = chromaFormat == 1 ? 2 : 1;
        int left = (int)reader.ReadUnsigned(LargestSide);
        int right = (int)reader.ReadUnsigned(LargestSide);
        int top = (int)reader.ReadUnsigned(LargestSide);
        int bottom = (int)reader.ReadUnsigned(LargestSide);
        width -= unitX * (left + right);
        height -= unitY * (top + bottom);
    }

    private static int AddressBits(int width, int height, int blockLog2)
    {
        int columns = (width + (1 << blockLog2) - 1) >> blockLog2;
        int rows = (height + (1 << blockLog2) - 1) >> blockLog2;
        return 32 - BitOperations.LeadingZeroCount((uint)(columns * rows - 1));
    }

    /// <summary>Steps over the coding tools to the VUI's timing. What is cut short or makes no sense there costs the rate alone.</summary>
    private static double ReadFrameRate(ref RbspReader reader, int orderCountBits)
    {
        try
        {
            for (int i = 0; i < 4; i++)
                reader.ReadUnsigned(4); // sizes of transform blocks, depths of their trees
            if (reader.ReadBit() && reader.ReadBit())
                SkipScalingLists(ref reader);
            reader.SkipBits(2); // amp_enabled_flag, sample_adaptive_offset_enabled_flag
            if (reader.ReadBit())
            {
                reader.SkipBits(8); // bit depths of PCM samples
                reader.ReadUnsigned(3);
                reader.ReadUnsigned(3);
                reader.ReadBit();
            }

            SkipReferenceSets(ref reader);
            if (reader.ReadBit())
            {
                int longTerm = (int)reader.ReadUnsigned(32);
                reader.SkipBits(longTerm * (orderCountBits + 1));
            }

            reader.SkipBits(2); // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
            return reader.ReadBit() ? ReadTiming(ref reader) : 0;
        }
        catch (InvalidDataException)
        {
            return 0;
        }
    }

    // scaling_list_data, §7.3.4.
    private static void SkipScalingLists(ref RbspReader reader)
    {
        for (int size = 0; size < 4; size++)
        {
            for (int matrix = 0; matrix < 6; matrix += size == 3 ? 3 : 1)
            {
                if (!reader.ReadBit())
                {
                    reader.ReadUnsigned(5); // scaling_list_pred_matrix_id_delta
                    continue;
                }

                if (size > 1)
                    reader.ReadSigned(); // scaling_list_dc_coef_minus8
                for (int i = Math.Min(64, 16 << (2 * size)); i > 0; i--)
                    reader.ReadSigned();
            }
        }
    }

    // st_ref_pic_set, §7.3.7; NumDeltaPocs after (7-61), (7-62) and (7-71).
    private static void SkipReferenceSets(ref RbspReader reader)
    {
        int count = (int)reader.ReadUnsigned(MostReferenceSets);
        int pictures = 0; // NumDeltaPocs of the set before
        for (int set = 0; set < count; set++)
        {
            if (set > 0 && reader.ReadBit())
            {
                reader.ReadBit(); // delta_rps_sign
                reader.ReadUnsigned(0x7FFF); // abs_delta_rps_minus1
                int kept = 0;
                for (int i = 0; i <= pictures; i++)
                {
                    // used_by_curr_pic_flag, else use_delta_flag: the picture stays in the set.
                    if (reader.ReadBit() || reader.ReadBit())
                        kept++;
                }

                pictures = kept;
                continue;
            }

            int negative = (int)reader.ReadUnsigned(MostPictures);
            int positive = (int)reader.ReadUnsigned(MostPictures);
            pictures = negative + positive;
            for (int i = 0; i < pictures; i++)
            {
                reader.ReadUnsigned(0x7FFF);
                reader.ReadBit();
            }
        }
    }

    // vui_parameters, E.2.1, as far as the timing.
    private static double ReadTiming(ref RbspReader reader)
    {
        if (reader.ReadBit() && reader.ReadBits(8) == ExtendedSar)
            reader.SkipBits(32);
        if (reader.ReadBit())
            reader.ReadBit(); // overscan
        if (reader.ReadBit())
        {
            reader.SkipBits(4); // video_format, video_full_range_flag
            if (reader.ReadBit())
                reader.SkipBits(24); // colours
        }

        if (reader.ReadBit())
        {
            reader.ReadUnsigned(5); // chroma_sample_loc_type_top_field
            reader.ReadUnsigned(5);
        }

        reader.SkipBits(3); // neutral_chroma_indication_flag, field_seq_flag, frame_field_info_present_flag
        if (reader.ReadBit())
        {
            for (int i = 0; i < 4; i++)
                reader.ReadUnsigned(LargestSide); // default display window
        }

        if (!reader.ReadBit())
            return 0;
        uint unitsInTick = reader.ReadBits(32);
        uint timeScale = reader.ReadBits(32);
        double rate = unitsInTick == 0 ? 0 : timeScale / (double)unitsInTick;
        return rate is >= 0.1 and <= 300 ? rate : 0;
    }
}
