using System.Buffers.Binary;

namespace EdgeNode.Gallery;

/// <summary>One enrolled face: its embedding, and the model pack that made it (embeddings are never compared across packs).</summary>
public sealed class FaceReference
{
    /// <summary>Values of an embedding at most.</summary>
    public const int EmbeddingLengthAtMost = 4096;

    /// <summary>Bytes of a crop at most.</summary>
    public const int CropBytesAtMost = 256 << 10;

    private const float UnitTolerance = 1e-3f;

    /// <summary>Takes over <paramref name="embedding"/> and <paramref name="crop"/>, which nobody changes afterwards.</summary>
    /// <exception cref="ArgumentException">It is not of unit length, or the crop is too large.</exception>
    public FaceReference(string modelPack, float[] embedding, byte[]? crop = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(modelPack);
        if (embedding.Length is 0 or > EmbeddingLengthAtMost)
            throw new ArgumentException($"An embedding has 1 to {EmbeddingLengthAtMost} values, not {embedding.Length}.");
        // Written so that NaN fails too.
        if (!(MathF.Abs(Cosine.Dot(embedding, embedding) - 1) <= UnitTolerance))
            throw new ArgumentException("An embedding must be of unit length: normalise it first.");
        if (crop is { Length: 0 or > CropBytesAtMost })
            throw new ArgumentException($"A crop has 1 to {CropBytesAtMost} bytes, not {crop.Length}.");
        ModelPack = modelPack;
        Embedding = embedding;
        Crop = crop;
    }

    /// <summary>Name of the model pack.</summary>
    public string ModelPack { get; }

    /// <summary>float[512] with the default pack, of unit length.</summary>
    public float[] Embedding { get; }

    /// <summary>The photo cut to the face, JPEG, from which another model pack can make its own embedding; null where it was not kept.</summary>
    public byte[]? Crop { get; }

    /// <summary>The embedding as float32, little-endian.</summary>
    internal byte[] ToBytes()
    {
        byte[] bytes = new byte[Embedding.Length * sizeof(float)];
        for (int i = 0; i < Embedding.Length; i++)
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), Embedding[i]);
        return bytes;
    }

    /// <exception cref="ArgumentException">It is no embedding.</exception>
    internal static FaceReference FromBytes(string modelPack, ReadOnlySpan<byte> bytes, byte[]? crop)
    {
        float[] values = new float[bytes.Length / sizeof(float)];
        for (int i = 0; i < values.Length; i++)
            values[i] = BinaryPrimitives.ReadSingleLittleEndian(bytes[(i * sizeof(float))..]);
        return new FaceReference(modelPack, values, crop);
    }
}
