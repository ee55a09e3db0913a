using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using EdgeNode.Storage;

namespace EdgeNode.Gallery;

/// <summary>
/// One identity as it lies on disk: <c>"ENID" 1</c>, then JSON sealed by the device key with the header and the identity's id
/// as context, so that a file put in another one's place does not open.
/// </summary>
internal static class IdentityFile
{
    internal const string Extension = ".identity";

    /// <summary>Far above what <see cref="Identity.ReferencesAtMost"/> references of 4096 values take in base64.</summary>
    internal const int BytesAtMost = 1 << 20;

    private static ReadOnlySpan<byte> Header => "ENID\u0001"u8;

    internal static byte[] Encode(Identity identity, DeviceKey key)
    {
        var record = new IdentityRecord(identity.Id, identity.Name, identity.CreatedAt,
            [.. identity.References.Select(r => new ReferenceRecord(r.ModelPack, ToBytes(r.Embedding)))]);
        byte[] plain = JsonSerializer.SerializeToUtf8Bytes(record, IdentityJson.Default.IdentityRecord);
        try
        {
            return [.. Header, .. key.Seal(plain, Context(identity.Id))];
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plain);
        }
    }

    /// <exception cref="InvalidDataException">It is no identity of this device; the message is the end of a sentence.</exception>
    internal static Identity Decode(ReadOnlySpan<byte> content, Guid id, DeviceKey key)
    {
        if (!content.StartsWith(Header))
            throw new InvalidDataException("it is no identity file of this version");
        try
        {
            byte[] plain = key.Open(content[Header.Length..], Context(id));
            IdentityRecord record = JsonSerializer.Deserialize(plain, IdentityJson.Default.IdentityRecord)
                ?? throw new InvalidDataException("it holds no identity");
            CryptographicOperations.ZeroMemory(plain);
            return Identity.Restore(id, record.Name, DateTime.SpecifyKind(record.CreatedAt, DateTimeKind.Utc),
                [.. record.References.Select(r => new FaceReference(r.ModelPack, ToFloats(r.Embedding)))]);
        }
        catch (CryptographicException)
        {
            throw new InvalidDataException("it was damaged, changed, or encrypted under another device key");
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            // Their messages may quote the content.
            throw new InvalidDataException("its content is not that of an identity");
        }
    }

    private static byte[] Context(Guid id) => [.. Header, .. id.ToByteArray(bigEndian: true)];

    private static byte[] ToBytes(float[] values)
    {
        byte[] bytes = new byte[values.Length * sizeof(float)];
        for (int i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), values[i]);
        return bytes;
    }

    private static float[] ToFloats(byte[] bytes)
    {
        float[] values = new float[bytes.Length / sizeof(float)];
        for (int i = 0; i < values.Length; i++)
            values[i] = BinaryPrimitives.ReadSingleLittleEndian(bytes.AsSpan(i * sizeof(float)));
        return values;
    }
}

internal sealed record IdentityRecord(Guid Id, string Name, DateTime CreatedAt, ReferenceRecord[] References);

/// <summary>Embedding: float32, little-endian.</summary>
internal sealed record ReferenceRecord(string ModelPack, byte[] Embedding);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(IdentityRecord))]
internal sealed partial class IdentityJson : JsonSerializerContext;
