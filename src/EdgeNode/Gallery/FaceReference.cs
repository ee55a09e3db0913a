namespace EdgeNode.Gallery;

/// <summary>One enrolled face: its embedding, and the model pack that made it (embeddings are never compared across packs).</summary>
public sealed class FaceReference
{
    /// <summary>Values of an embedding at most.</summary>
    public const int EmbeddingLengthAtMost = 4096;

    private const float UnitTolerance = 1e-3f;

    /// <summary>Takes over <paramref name="embedding"/>, which nobody changes afterwards.</summary>
    /// <exception cref="ArgumentException">It is not of unit length.</exception>
    public FaceReference(string modelPack, float[] embedding)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(modelPack);
        if (embedding.Length is 0 or > EmbeddingLengthAtMost)
            throw new ArgumentException($"An embedding has 1 to {EmbeddingLengthAtMost} values, not {embedding.Length}.");
        // Written so that NaN fails too.
        if (!(MathF.Abs(Cosine.Dot(embedding, embedding) - 1) <= UnitTolerance))
            throw new ArgumentException("An embedding must be of unit length: normalise it first.");
        ModelPack = modelPack;
        Embedding = embedding;
    }

    /// <summary>Name of the model pack.</summary>
    public string ModelPack { get; }

    /// <summary>float[512] with the default pack, of unit length.</summary>
    public float[] Embedding { get; }
}
