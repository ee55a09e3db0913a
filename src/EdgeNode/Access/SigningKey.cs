using System.Security.Cryptography;
using System.Text;
using EdgeNode.Storage;
using Microsoft.IdentityModel.Tokens;

namespace EdgeNode.Access;

/// <summary>The node's own ES256 key (P-256), made at first start and kept in the state folder, mode 0600.</summary>
public sealed class SigningKey : IDisposable
{
    private const string FileName = "signing-key.pem";
    private readonly ECDsa _ecdsa;

    private SigningKey(ECDsa ecdsa)
    {
        _ecdsa = ecdsa;
        Key = new ECDsaSecurityKey(ecdsa)
        {
            KeyId = Base64UrlEncoder.Encode(SHA256.HashData(ecdsa.ExportSubjectPublicKeyInfo()))[..16],
        };
        // The provider keeps a cache of signature providers that is keyed by the key id; ours is the only key.
        Key.CryptoProviderFactory = new CryptoProviderFactory { CacheSignatureProviders = true };
    }

    internal ECDsaSecurityKey Key { get; }

    /// <summary>Loads the key of <paramref name="stateFolder"/>, or makes it.</summary>
    /// <exception cref="IOException">The folder cannot be written, or the key in it cannot be read.</exception>
    public static SigningKey LoadOrCreate(string stateFolder)
    {
        StateFolder.Ensure(stateFolder);
        string path = Path.Combine(stateFolder, FileName);
        AtomicFile.WriteOnce(path, static () =>
        {
            using var fresh = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            return Encoding.ASCII.GetBytes(fresh.ExportPkcs8PrivateKeyPem());
        });
        var ecdsa = ECDsa.Create();
        try
        {
            ecdsa.ImportFromPem(File.ReadAllText(path));
            return new SigningKey(ecdsa);
        }
        catch (Exception fault) when (fault is ArgumentException or CryptographicException)
        {
            ecdsa.Dispose();
            throw new IOException($"The signing key {path} is damaged: restore it from a backup, or delete it (all tokens then end).", fault);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _ecdsa.Dispose();
}
