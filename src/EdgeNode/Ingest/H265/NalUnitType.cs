namespace EdgeNode.Ingest.H265;

/// <summary>nal_unit_type, six bits of a NAL unit's first byte (ITU-T H.265 table 7-1), and RTP's packet types (RFC 7798 §4.4).</summary>
public enum NalUnitType : byte
{
    /// <summary>A slice of a trailing picture that no picture of its sub-layer refers to.</summary>
    TrailN = 0,

    /// <summary>A slice of a trailing picture.</summary>
    TrailR = 1,

    /// <summary>A slice of a decodable leading picture that no picture of its sub-layer refers to.</summary>
    RadlN = 6,

    /// <summary>A slice of a decodable leading picture.</summary>
    RadlR = 7,

    /// <summary>A slice of a skipped leading picture (RASL) that no picture of its sub-layer refers to.</summary>
    RaslN = 8,

    /// <summary>A slice of a skipped leading picture (RASL): it cannot be decoded where decoding begins at its CRA picture.</summary>
    RaslR = 9,

    /// <summary>The last of the types whose even numbers are sub-layer non-reference pictures (RSV_VCL_R15).</summary>
    LastSubLayerType = 15,

    /// <summary>A broken link (BLA) with leading pictures: the first of the random access types.</summary>
    BlaWithLeading = 16,

    /// <summary>A broken link without leading pictures.</summary>
    BlaWithoutLeading = 18,

    /// <summary>A slice of an IDR picture that may have decodable leading pictures.</summary>
    IdrWithRadl = 19,

    /// <summary>A slice of an IDR picture without leading pictures.</summary>
    IdrWithoutLeading = 20,

    /// <summary>A slice of a clean random access picture: leading pictures may refer to what came before it.</summary>
    Cra = 21,

    /// <summary>The last of the random access types (RSV_IRAP_VCL23).</summary>
    LastRandomAccess = 23,

    /// <summary>The last of the types that carry coded pixels (RSV_VCL31).</summary>
    LastSlice = 31,

    /// <summary>Video parameter set.</summary>
    Vps = 32,

    /// <summary>Sequence parameter set.</summary>
    Sps = 33,

    /// <summary>Picture parameter set.</summary>
    Pps = 34,

    /// <summary>Access unit delimiter.</summary>
    Delimiter = 35,

    /// <summary>End of sequence: the next picture begins anew.</summary>
    EndOfSequence = 36,

    /// <summary>End of bitstream.</summary>
    EndOfBitstream = 37,

    /// <summary>Filler data.</summary>
    Filler = 38,

    /// <summary>Supplemental enhancement information before the slices.</summary>
    PrefixSei = 39,

    /// <summary>Supplemental enhancement information behind the slices.</summary>
    SuffixSei = 40,

    /// <summary>RTP only: several whole NAL units of one time in one packet (RFC 7798 §4.4.2).</summary>
    Aggregation = 48,

    /// <summary>RTP only: a fragment of a NAL unit (RFC 7798 §4.4.3).</summary>
    Fragmentation = 49,

    /// <summary>RTP only: payload content information around one of the others (RFC 7798 §4.4.4).</summary>
    ContentInformation = 50,
}

/// <summary>Reads a NAL unit's two header bytes (ITU-T H.265 §7.3.1.2): type, nuh_layer_id, nuh_temporal_id_plus1.</summary>
public static class NalUnitHeader
{
    /// <summary>Bytes of the header.</summary>
    public const int Length = 2;

    /// <summary>nal_unit_type of the first byte.</summary>
    public static NalUnitType TypeOf(byte first) => (NalUnitType)((first >> 1) & 0x3F);

    /// <summary>nuh_layer_id: the node reads layer 0 alone.</summary>
    public static int LayerOf(byte first, byte second) => ((first & 1) << 5) | (second >> 3);

    /// <summary>TemporalId.</summary>
    public static int TemporalIdOf(byte second) => Math.Max(0, (second & 7) - 1);

    /// <summary>Whether the unit carries coded pixels (a VCL NAL unit).</summary>
    public static bool IsSlice(NalUnitType type) => type <= NalUnitType.LastSlice;

    /// <summary>IRAP: decoding may begin here.</summary>
    public static bool IsRandomAccess(NalUnitType type) => type is >= NalUnitType.BlaWithLeading and <= NalUnitType.LastRandomAccess;

    /// <summary>An IDR picture.</summary>
    public static bool IsIdr(NalUnitType type) => type is NalUnitType.IdrWithRadl or NalUnitType.IdrWithoutLeading;

    /// <summary>A leading picture that builds on what came before its random access picture.</summary>
    public static bool IsRasl(NalUnitType type) => type is NalUnitType.RaslN or NalUnitType.RaslR;

    /// <summary>A leading picture, decodable or not.</summary>
    public static bool IsLeading(NalUnitType type) => type is >= NalUnitType.RadlN and <= NalUnitType.RaslR;

    /// <summary>Whether pictures of the same sub-layer may refer to it (table 7-1: the even types below 16 are not referred to).</summary>
    public static bool IsReference(NalUnitType type) => type > NalUnitType.LastSubLayerType || ((int)type & 1) != 0;

    /// <summary>VPS, SPS or PPS.</summary>
    public static bool IsParameterSet(NalUnitType type) => type is >= NalUnitType.Vps and <= NalUnitType.Pps;
}
