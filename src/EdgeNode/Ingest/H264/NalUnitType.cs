namespace EdgeNode.Ingest.H264;

/// <summary>nal_unit_type, the low five bits of a NAL unit's first byte (ITU-T H.264 table 7-1), and RTP's packet types (RFC 6184 table 1).</summary>
public enum NalUnitType : byte
{
    /// <summary>A slice of a picture that is no IDR picture.</summary>
    Slice = 1,

    /// <summary>Data partition A of a slice.</summary>
    PartitionA = 2,

    /// <summary>Data partition B of a slice.</summary>
    PartitionB = 3,

    /// <summary>Data partition C of a slice.</summary>
    PartitionC = 4,

    /// <summary>A slice of an IDR picture: decoding may begin here.</summary>
    IdrSlice = 5,

    /// <summary>Supplemental enhancement information.</summary>
    Sei = 6,

    /// <summary>Sequence parameter set.</summary>
    Sps = 7,

    /// <summary>Picture parameter set.</summary>
    Pps = 8,

    /// <summary>Access unit delimiter.</summary>
    Delimiter = 9,

    /// <summary>End of sequence.</summary>
    EndOfSequence = 10,

    /// <summary>End of stream.</summary>
    EndOfStream = 11,

    /// <summary>Filler data.</summary>
    Filler = 12,

    /// <summary>RTP only: several whole NAL units of one time in one packet (RFC 6184 §5.7.1).</summary>
    StapA = 24,

    /// <summary>RTP only: a fragment of a NAL unit (RFC 6184 §5.8).</summary>
    FuA = 28,
}

/// <summary>Reads a NAL unit's first byte.</summary>
public static class NalUnitHeader
{
    /// <summary>nal_unit_type of the byte.</summary>
    public static NalUnitType TypeOf(byte header) => (NalUnitType)(header & 0x1F);

    /// <summary>Whether the unit carries coded pixels (a VCL NAL unit of the base layer).</summary>
    public static bool IsSlice(NalUnitType type) => type is >= NalUnitType.Slice and <= NalUnitType.IdrSlice;

    /// <summary>nal_ref_idc is not 0: other pictures refer to this one.</summary>
    public static bool IsReference(byte header) => (header & 0x60) != 0;
}
