using EdgeNode.Ingest.Bitstream;
using EdgeNode.Ingest.H264;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>What a picture's slices and SEI say of it.</summary>
internal readonly struct CodedPicture
{
    /// <summary>Bytes that a recovery point may take before the slices.</summary>
    public const int PrefixLength = 16;

    /// <summary>Other pictures refer to it.</summary>
    public bool IsReference { get; init; }

    /// <summary>It builds on what came before the picture at which the stream began.</summary>
    public bool IsUndecodable { get; init; }

    /// <summary>Its recovery point, which goes with it; null where it needs none.</summary>
    public RecoveryPoint? Recovery { get; init; }

    /// <summary>Its place in output order; null where its header cannot be read.</summary>
    public PictureOrder? Order { get; init; }

    /// <summary>Pictures that may be held back, as the stream says; null where it does not.</summary>
    public int? ReorderDepth { get; init; }
}
