using System.Security.Cryptography;

namespace EdgeNode.Storage;

/// <summary>
/// The key under which this device encrypts what it keeps: 32 random bytes in <c>device.key</c> of the state folder,
/// mode 0600. Whoever takes the card can read it; it guards copies of the other files. AES-256-GCM (NIST SP 800-38D)
/// with random 96-bit nonces. Thread-safe.
/// </summary>
public sealed class DeviceKey
{
    /// <summary>Name of the key's file in the state folder.</summary>
    public const string FileName = "device.key";

    private const int KeyBytes = SealedBox.KeyBytes;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly byte[] _key;

    private DeviceKey(byte[] key) => _key = key;

    /// <summary>Bytes that <see cref="Seal"/> adds to the plain text: nonce and tag.</summary>
    public static int Overhead => SealedBox.Overhead;

    /// <summary>Reads the key of a state folder, or makes one (and the folder) at the first use.</summary>
    /// <exception cref="InvalidDataException">The file is no key.</exception>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static DeviceKey LoadOrCreate(string stateFolder)
    {
        StateFolder.Ensure(stateFolder);
        string path = Path.Combine(stateFolder, FileName);
        AtomicFile.WriteOnce(path, static () => RandomNumberGenerator.GetBytes(KeyBytes));
        byte[] key = ReadAtMost(path, KeyBytes + 1);
        if (key.Length != KeyBytes)
            throw new InvalidDataException($"{path} is not a device key of {KeyBytes} bytes: restore it from a backup, or delete it together with what it encrypted.");
        if (File.GetUnixFileMode(path) != OwnerOnly)
            File.SetUnixFileMode(path, OwnerOnly);
        return new DeviceKey(key);
    }

    /// <summary>Encrypts: nonce (12 bytes), tag (16), cipher text. <paramref name="context"/> must be the same at <see cref="Open"/>.</summary>
    public byte[] Seal(ReadOnlySpan<byte> plain, ReadOnlySpan<byte> context) => SealedBox.Seal(_key, plain, context);

    /// <summary>Decrypts what <see cref="Seal"/> made.</summary>
    /// <exception cref="CryptographicException">It was changed, cut, sealed by another key or for another context.</exception>
    public byte[] Open(ReadOnlySpan<byte> box, ReadOnlySpan<byte> context) => SealedBox.Open(_key, box, context);

    private static byte[] ReadAtMost(string path, int bytes)
    {
        using FileStream stream = File.OpenRead(path);
        byte[] content = new byte[bytes];
        int length = stream.ReadAtLeast(content, bytes, throwOnEndOfStream: false);
        return content[..length];
    }
}
