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

    /// <summary>Takes over <paramref name="embedding"/> and <paramref name="crop"/>, which nobody changes afterwards. <paramref name="id"/>: null makes one.</summary>
    /// <exception cref="ArgumentException">It is not of unit length, or the crop is too large.</exception>
    public FaceReference(string modelPack, float[] embedding, byte[]? crop = null, Guid? id = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(modelPack);
        if (embedding.Length is 0 or > EmbeddingLengthAtMost)
            throw new ArgumentException($"An embedding has 1 to {EmbeddingLengthAtMost} values, not {embedding.Length}.");
        // Written so that NaN fails too.
        if (!(MathF.Abs(Cosine.Dot(embedding, embedding) - 1) <= UnitTolerance))
            throw new ArgumentException("An embedding must be of unit length: normalise it first.");
        if (crop is { Length: 0 or > CropBytesAtMost })
            throw new ArgumentException($"A crop has 1 to {CropBytesAtMost} bytes, not {crop.Length}.");
        Id = id ?? Guid.CreateVersion7();
        ModelPack = modelPack;
        Embedding = embedding;
        Crop = crop;
        HasCrop = crop is not null;
    }

    /// <summary>What the API calls it.</summary>
    public Guid Id { get; }

    /// <summary>Name of the model pack.</summary>
    public string ModelPack { get; }

    /// <summary>float[512] with the default pack, of unit length.</summary>
    public float[] Embedding { get; }

    /// <summary>
    /// The photo cut to the face, JPEG, from which another model pack can make its own embedding. Null where it was not kept, and from
    /// when a store has it on disk (<see cref="IdentityStore.ReadCrop"/>): those of thousands of people do not stay in memory.
    /// </summary>
    public byte[]? Crop { get; private set; }

    /// <summary>Whether there is a crop, here or in the store.</summary>
    public bool HasCrop { get; private init; }

    /// <summary>An embedding as float32, little-endian.</summary>
    internal static byte[] ToBytes(float[] embedding)
    {
        byte[] bytes = new byte[embedding.Length * sizeof(float)];
        for (int i = 0; i < embedding.Length; i++)
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), embedding[i]);
        return bytes;
    }

    /// <summary>A reference as a store has it.</summary>
    /// <exception cref="ArgumentException">It is no embedding.</exception>
    internal static FaceReference Stored(string modelPack, ReadOnlySpan<byte> bytes, Guid? id = null, bool hasCrop = false) => new(modelPack, FromBytes(bytes), null, id) { HasCrop = hasCrop };

    /// <summary>A store has the crop now.</summary>
    internal void LetGoOfCrop() => Crop = null;

    /// <summary>What <see cref="ToBytes"/> made.</summary>
    internal static float[] FromBytes(ReadOnlySpan<byte> bytes)
    {
        float[] values = new float[bytes.Length / sizeof(float)];
        for (int i = 0; i < values.Length; i++)
            values[i] = BinaryPrimitives.ReadSingleLittleEndian(bytes[(i * sizeof(float))..]);
        return values;
    }
}
