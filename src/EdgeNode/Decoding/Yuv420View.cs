namespace EdgeNode.Decoding;

/// <summary>Which matrix turns the picture's YCbCr into RGB.</summary>
public enum ColorMatrix
{
    /// <summary>ITU-R BT.601: standard definition, JPEG.</summary>
    Bt601,

    /// <summary>ITU-R BT.709: high definition.</summary>
    Bt709,
}

/// <summary>
/// A decoded picture as it lies in the decoder's memory: planar 4:2:0 (chroma step 1) or NV12 (chroma step 2), 8 bits.
/// Valid only while the decoder's picture is; nothing is copied.
/// </summary>
public readonly ref struct Yuv420View
{
    /// <summary>Width in pixels.</summary>
    public required int Width { get; init; }

    /// <summary>Height in pixels.</summary>
    public required int Height { get; init; }

    /// <summary>Luma, <see cref="Height"/> rows of <see cref="LumaStride"/> bytes (the last may be shorter).</summary>
    public required ReadOnlySpan<byte> Y { get; init; }

    /// <summary>Blue difference, (Height+1)/2 rows; sample x of a row lies at x * <see cref="ChromaStep"/>.</summary>
    public required ReadOnlySpan<byte> Cb { get; init; }

    /// <summary>Red difference, as <see cref="Cb"/>; for NV12 the same plane from its second byte.</summary>
    public required ReadOnlySpan<byte> Cr { get; init; }

    /// <summary>Bytes from one luma row to the next.</summary>
    public required int LumaStride { get; init; }

    /// <summary>Bytes from one chroma row to the next.</summary>
    public required int ChromaStride { get; init; }

    /// <summary>Bytes from one chroma sample to the next: 1 planar, 2 interleaved (NV12).</summary>
    public required int ChromaStep { get; init; }

    /// <summary>Luma uses 0–255 (JPEG) rather than 16–235.</summary>
    public required bool FullRange { get; init; }

    /// <summary>The matrix of the picture.</summary>
    public required ColorMatrix Matrix { get; init; }
}
