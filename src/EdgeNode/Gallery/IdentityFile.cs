using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using EdgeNode.Storage;
using Microsoft.Extensions.Logging;

namespace EdgeNode.Gallery;

/// <summary>
/// An identity as version 0.1 kept it, a file each in the folder <c>identities</c>: <c>"ENID" 1</c>, then JSON sealed by the device key with the
/// header and the identity's id as context. They are moved into the database once.
/// </summary>
internal static class IdentityFile
{
    internal const string FolderName = "identities";
    internal const string Extension = ".identity";

    /// <summary>What the name of a file that is damaged gets appended; such files are kept for a maintainer and not read again.</summary>
    internal const string SetAsideExtension = ".unreadable";

    /// <summary>Far above what <see cref="Identity.ReferencesAtMost"/> references of 4096 values take in base64.</summary>
    private const int BytesAtMost = 1 << 20;

    private static ReadOnlySpan<byte> Header => "ENID\u0001"u8;

    /// <summary>Hands the identities of all files to <paramref name="keep"/>, and deletes the files once that has returned. Damaged ones are set aside; those that cannot be read now wait for the next start.</summary>
    internal static void Import(string stateFolder, DeviceKey key, Action<IReadOnlyList<Identity>> keep, ILogger log)
    {
        string folder = Path.Combine(stateFolder, FolderName);
        if (!Directory.Exists(folder))
            return;
        try
        {
            foreach (string leftover in Directory.EnumerateFiles(folder, "*" + AtomicFile.TemporaryExtension))
                File.Delete(leftover);
            var read = new List<(string Path, Identity Identity)>();
            foreach (string path in Directory.EnumerateFiles(folder, "*" + Extension).Take(IdentityStore.IdentitiesAtMost))
            {
                try
                {
                    read.Add((path, Read(path, key)));
                }
                catch (InvalidDataException fault)
                {
                    File.Move(path, path + SetAsideExtension, overwrite: true);
                    log.LogWarning("The identity file {Path} was set aside as {Extension}, because {Reason}: enrol that person again.", path, SetAsideExtension, fault.Message);
                }
            }

            keep([.. read.Select(r => r.Identity)]);
            foreach ((string path, _) in read)
                File.Delete(path);
            if (!Directory.EnumerateFileSystemEntries(folder).Any())
                Directory.Delete(folder);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            log.LogWarning("The people in {Folder} could not be moved into the database; the next start tries again: see that it belongs to the node's user. ({Reason})", folder, fault.Message);
        }
    }

    internal static void DeleteSetAside(string stateFolder, Guid id)
    {
        string folder = Path.Combine(stateFolder, FolderName);
        if (!Directory.Exists(folder))
            return;
        File.Delete(Path.Combine(folder, $"{id:N}{Extension}{SetAsideExtension}"));
    }

    internal static byte[] Encode(Identity identity, DeviceKey key)
    {
        var record = new IdentityRecord(identity.Id, identity.Name, identity.CreatedAt,
            [.. identity.References.Select(r => new ReferenceRecord(r.ModelPack, FaceReference.ToBytes(r.Embedding)))]);
        byte[] plain = JsonSerializer.SerializeToUtf8Bytes(record, IdentityJson.Default.IdentityRecord);
        return [.. Header, .. key.Seal(plain, Context(identity.Id))];
    }

    private static Identity Read(string path, DeviceKey key)
    {
        if (!Guid.TryParseExact(Path.GetFileNameWithoutExtension(path), "N", out Guid id))
            throw new InvalidDataException("its name is not an identity's id");
        if (new FileInfo(path).Length > BytesAtMost)
            throw new InvalidDataException("it is too large");
        return Decode(File.ReadAllBytes(path), id, key);
    }

    private static Identity Decode(ReadOnlySpan<byte> content, Guid id, DeviceKey key)
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
                [.. record.References.Select(r => FaceReference.Stored(r.ModelPack, r.Embedding))]);
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
}

internal sealed record IdentityRecord(Guid Id, string Name, DateTime CreatedAt, ReferenceRecord[] References);

/// <summary>Embedding: float32, little-endian.</summary>
internal sealed record ReferenceRecord(string ModelPack, byte[] Embedding);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(IdentityRecord))]
internal sealed partial class IdentityJson : JsonSerializerContext;
