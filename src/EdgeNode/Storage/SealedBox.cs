using System.Security.Cryptography;

namespace EdgeNode.Storage;

/// <summary>
/// AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce: nonce (12 bytes), tag (16), cipher text. The context is authenticated and
/// not stored, so that a box that was put in another one's place does not open.
/// </summary>
internal static class SealedBox
{
    internal const int KeyBytes = 32;
    internal const int NonceBytes = 12;
    internal const int TagBytes = 16;

    /// <summary>Bytes that <see cref="Seal"/> adds to the plain text.</summary>
    internal const int Overhead = NonceBytes + TagBytes;

    internal static byte[] Seal(ReadOnlySpan<byte> key, ReadOnlySpan<byte> plain, ReadOnlySpan<byte> context)
    {
        byte[] box = new byte[Overhead + plain.Length];
        Span<byte> nonce = box.AsSpan(0, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(key, TagBytes);
        aes.Encrypt(nonce, plain, box.AsSpan(Overhead), box.AsSpan(NonceBytes, TagBytes), context);
        return box;
    }

    /// <exception cref="CryptographicException">It was changed, cut, sealed by another key or for another context.</exception>
    internal static byte[] Open(ReadOnlySpan<byte> key, ReadOnlySpan<byte> box, ReadOnlySpan<byte> context)
    {
        if (box.Length < Overhead)
            throw new CryptographicException("It is too short to be encrypted data.");
        byte[] plain = new byte[box.Length - Overhead];
        using var aes = new AesGcm(key, TagBytes);
        aes.Decrypt(box[..NonceBytes], box[Overhead..], box.Slice(NonceBytes, TagBytes), plain, context);
        return plain;
    }
}
