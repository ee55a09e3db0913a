using EdgeNode.Ingest.Bitstream;

namespace EdgeNode.Ingest.H264;

/// <summary>What the node needs of a sequence parameter set (ITU-T H.264 §7.3.2.1, annex E).</summary>
public sealed class SequenceParameterSet
{
    /// <summary>Longest NAL unit that is read: real ones have some dozens of bytes.</summary>
    public const int LongestUnit = 4096;

    private const int SmallestSide = 16;
    private const int LargestSide = 8192;
    private const int MacroblockSide = 16;
    private const byte ExtendedSar = 255;
    private const int DeepestUnsaid = 2;

    /// <summary>profile_idc.</summary>
    public required byte Profile { get; init; }

    /// <summary>The constraint_set flags, first flag in the highest bit, and reserved zeros.</summary>
    public required byte Constraints { get; init; }

    /// <summary>level_idc as the stream states it.</summary>
    public required byte Level { get; init; }

    /// <summary>seq_parameter_set_id, 0 to 31.</summary>
    public required int Id { get; init; }

    /// <summary>chroma_format_idc: 0 grey, 1 4:2:0, 2 4:2:2, 3 4:4:4.</summary>
    public required int ChromaFormat { get; init; }

    /// <summary>Bits of a luma sample, 8 to 14.</summary>
    public required int LumaDepth { get; init; }

    /// <summary>Bits of a chroma sample, 8 to 14.</summary>
    public required int ChromaDepth { get; init; }

    /// <summary>Width in pixels after cropping, 16 to 8192.</summary>
    public required int Width { get; init; }

    /// <summary>Height in pixels after cropping, 16 to 8192.</summary>
    public required int Height { get; init; }

    /// <summary>max_num_reorder_frames: stated, or derived where the stream does not say.</summary>
    public required int ReorderDepth { get; init; }

    /// <summary>The stream says its reorder depth, or its profile or order count type allow none; false where <see cref="ReorderDepth"/> is a guess.</summary>
    public required bool IsReorderDepthKnown { get; init; }

    /// <summary>Pictures a second by the VUI's timing; 0 when there is none or it makes no sense.</summary>
    public required double FrameRate { get; init; }

    /// <summary>Level that can hold the size: <see cref="Level"/>, or a higher one where the encoder understates.</summary>
    public required byte SufficientLevel { get; init; }

    /// <summary>The CODECS string after RFC 6381 §3.3, with <see cref="SufficientLevel"/>.</summary>
    public string CodecString => $"avc1.{Profile:x2}{Constraints:x2}{SufficientLevel:x2}";

    /// <summary>separate_colour_plane_flag: each slice says its plane.</summary>
    internal bool SeparatePlanes { get; private init; }

    /// <summary>frame_mbs_only_flag: no fields.</summary>
    internal bool FramesOnly { get; private init; }

    /// <summary>Bits of frame_num, 4 to 16.</summary>
    internal int FrameNumberBits { get; private init; }

    /// <summary>How order counts are coded.</summary>
    internal OrderCountCoding OrderCount { get; private init; }

    /// <summary>Reads an SPS NAL unit without start code or length.</summary>
    /// <exception cref="InvalidDataException">It is no SPS, ends early, or states a size outside 16 to 8192 pixels a side.</exception>
    public static SequenceParameterSet Parse(ReadOnlySpan<byte> unit)
    {
        if (unit.Length < 4 || NalUnitHeader.TypeOf(unit[0]) != NalUnitType.Sps)
            throw new InvalidDataException("The H.264 sequence parameter set is missing.");
        if (unit.Length > LongestUnit)
            throw new InvalidDataException($"The H.264 sequence parameter set has {unit.Length} bytes; {LongestUnit} are the most.");

        var reader = new RbspReader(unit[1..]);
        byte profile = (byte)reader.ReadBits(8);
        byte constraints = (byte)reader.ReadBits(8);
        byte level = (byte)reader.ReadBits(8);
        int id = (int)reader.ReadUnsigned(31);
        int chromaFormat = 1;
        int lumaDepth = 8;
        int chromaDepth = 8;
        bool separatePlanes = false;
        if (HasChromaFormat(profile))
        {
            chromaFormat = (int)reader.ReadUnsigned(3);
            if (chromaFormat == 3)
                separatePlanes = reader.ReadBit();
            lumaDepth = 8 + (int)reader.ReadUnsigned(6);
            chromaDepth = 8 + (int)reader.ReadUnsigned(6);
            reader.ReadBit(); // qpprime_y_zero_transform_bypass_flag
            if (reader.ReadBit())
                SkipScalingMatrix(ref reader, chromaFormat);
        }

        int frameNumberBits = 4 + (int)reader.ReadUnsigned(12);
        OrderCountCoding orderCount = OrderCountCoding.Read(ref reader);
        int referenceFrames = (int)reader.ReadUnsigned(16);
        reader.ReadBit(); // gaps_in_frame_num_value_allowed_flag
        int widthInMacroblocks = 1 + (int)reader.ReadUnsigned(LargestSide / MacroblockSide);
        int heightInMapUnits = 1 + (int)reader.ReadUnsigned(LargestSide / MacroblockSide);
        bool framesOnly = reader.ReadBit();
        int heightInMacroblocks = framesOnly ? heightInMapUnits : 2 * heightInMapUnits;
        if (!framesOnly)
            reader.ReadBit(); // mb_adaptive_frame_field_flag
        reader.ReadBit(); // direct_8x8_inference_flag

        int width = widthInMacroblocks * MacroblockSide;
        int height = heightInMacroblocks * MacroblockSide;
        if (reader.ReadBit())
            Crop(ref reader, separatePlanes ? 0 : chromaFormat, framesOnly, ref width, ref height);
        if (width is < SmallestSide or > LargestSide || height is < SmallestSide or > LargestSide)
            throw new InvalidDataException($"The H.264 stream states a picture of {width}×{height}; {SmallestSide} to {LargestSide} pixels a side are allowed.");

        int bufferedFrames = AvcLevel.BufferedFrames(level, widthInMacroblocks * heightInMacroblocks);
        bool inOrder = ReordersNothing(profile, constraints, orderCount.Type, referenceFrames);
        double frameRate = 0;
        int? stated = null;
        if (reader.ReadBit())
            ReadVui(ref reader, ref frameRate, ref stated);

        return new SequenceParameterSet
        {
            Profile = profile,
            Constraints = constraints,
            Level = level,
            Id = id,
            ChromaFormat = chromaFormat,
            LumaDepth = lumaDepth,
            ChromaDepth = chromaDepth,
            Width = width,
            Height = height,
            ReorderDepth = stated ?? (inOrder ? 0 : Math.Clamp(Math.Min(bufferedFrames, referenceFrames - 1), 0, DeepestUnsaid)),
            IsReorderDepthKnown = stated is not null || inOrder,
            SeparatePlanes = separatePlanes,
            FramesOnly = framesOnly,
            FrameNumberBits = frameNumberBits,
            OrderCount = orderCount,
            FrameRate = frameRate,
            SufficientLevel = AvcLevel.Raise(level, widthInMacroblocks, heightInMacroblocks),
        };
    }

    /// <summary>Profiles whose parameter sets state chroma format and bit depth.</summary>
    internal static bool HasChromaFormat(byte profile) =>
        profile is 100 or 110 or 122 or 244 or 44 or 83 or 86 or 118 or 128 or 138 or 139 or 134 or 135;

    private static void SkipScalingMatrix(ref RbspReader reader, int chromaFormat)
    {
        int lists = chromaFormat == 3 ? 12 : 8;
        for (int list = 0; list < lists; list++)
        {
            if (!reader.ReadBit())
                continue;
            int size = list < 6 ? 16 : 64;
            int last = 8;
            for (int i = 0; i < size; i++)
            {
                last = (last + reader.ReadSigned()) & 0xFF;
                if (last == 0)
                    break; // the rest of the list repeats
            }
        }
    }

    private static void Crop(ref RbspReader reader, int chromaArray, bool framesOnly, ref int width, ref int height)
    {
        // Table 6-1 and (7-19) to (7-22).
        int unitX = chromaArray is 1 or 2 ? 2 : 1;
        int unitY = (chromaArray == 1 ? 2 : 1) * (framesOnly ? 1 : 2);
        int left = (int)reader.ReadUnsigned(LargestSide);
        int right = (int)reader.ReadUnsigned(LargestSide);
        int top = (int)reader.ReadUnsigned(LargestSide);
        int bottom = (int)reader.ReadUnsigned(LargestSide);
        width -= unitX * (left + right);
        height -= unitY * (top + bottom);
    }

    /// <summary>
    /// Where the VUI is silent (E.2.1 infers MaxDpbFrames, which would hold back cameras that reorder nothing): intra-only,
    /// Baseline and order count type 2 reorder nothing. Otherwise a picture that waits occupies a frame beside the one
    /// it refers to, so the depth is below max_num_ref_frames, and two is the deepest that encoders without VUI use.
    /// </summary>
    private static bool ReordersNothing(byte profile, byte constraints, int orderCountType, int referenceFrames)
    {
        bool intraOnly = (constraints & 0x10) != 0 && profile is 44 or 86 or 100 or 110 or 122 or 244;
        return profile == 66 || orderCountType == 2 || intraOnly || referenceFrames == 0;
    }

    private static void ReadVui(ref RbspReader reader, ref double frameRate, ref int? reorderDepth)
    {
        double rate = 0;
        int depth;
        try
        {
            if (reader.ReadBit() && reader.ReadBits(8) == ExtendedSar)
                reader.ReadBits(32);
            if (reader.ReadBit())
                reader.ReadBit(); // overscan
            if (reader.ReadBit())
            {
                reader.ReadBits(4); // video_format, video_full_range_flag
                if (reader.ReadBit())
                    reader.ReadBits(24); // colours
            }

            if (reader.ReadBit())
            {
                reader.ReadUnsigned(5); // chroma_sample_loc_type_top_field
                reader.ReadUnsigned(5);
            }

            if (reader.ReadBit())
            {
                uint unitsInTick = reader.ReadBits(32);
                uint timeScale = reader.ReadBits(32);
                reader.ReadBit(); // fixed_frame_rate_flag
                rate = unitsInTick == 0 ? 0 : timeScale / (2.0 * unitsInTick);
                frameRate = rate is >= 0.1 and <= 300 ? rate : 0;
            }

            bool nalHrd = reader.ReadBit();
            if (nalHrd)
                SkipHrd(ref reader);
            bool vclHrd = reader.ReadBit();
            if (vclHrd)
                SkipHrd(ref reader);
            if (nalHrd || vclHrd)
                reader.ReadBit(); // low_delay_hrd_flag
            reader.ReadBit(); // pic_struct_present_flag
            if (!reader.ReadBit())
                return;
            reader.ReadBit(); // motion_vectors_over_pic_boundaries_flag
            reader.ReadUnsigned(16); // max_bytes_per_pic_denom
            reader.ReadUnsigned(16); // max_bits_per_mb_denom
            reader.ReadUnsigned(16); // log2_max_mv_length_horizontal
            reader.ReadUnsigned(16); // log2_max_mv_length_vertical
            depth = (int)reader.ReadUnsigned(16);
        }
        catch (InvalidDataException)
        {
            // Cameras exist that cut their VUI short; what was read until then, and the picture's size, are good.
            return;
        }

        reorderDepth = depth;
    }

    private static void SkipHrd(ref RbspReader reader)
    {
        uint count = 1 + reader.ReadUnsigned(31);
        reader.ReadBits(8); // bit_rate_scale, cpb_size_scale
        for (uint i = 0; i < count; i++)
        {
            reader.ReadUnsigned();
            reader.ReadUnsigned();
            reader.ReadBit();
        }

        reader.ReadBits(20); // lengths of delays and of the time offset
    }
}
