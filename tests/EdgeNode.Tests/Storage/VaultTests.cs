using System.Security.Cryptography;
using EdgeNode.Storage;
using EdgeNode.Tests.Media;

namespace EdgeNode.Tests.Storage;

public sealed class VaultTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly StateDatabase _database;
    private readonly Vault _vault;

    public VaultTests()
    {
        _database = StateDatabase.Open(_folder.Path);
        _vault = new Vault(DeviceKey.LoadOrCreate(_folder.Path));
    }

    public void Dispose()
    {
        _database.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_value_opens_for_its_owner_and_column_alone()
    {
        byte[] box = Seal("camera:a", "cameras.password", "secret"u8);
        Seal("camera:b", "cameras.password", "other"u8);
        Assert.Equal("secret"u8.ToArray(), Open("camera:a", "cameras.password", box));
        Assert.ThrowsAny<CryptographicException>(() => Open("camera:b", "cameras.password", box));
        Assert.ThrowsAny<CryptographicException>(() => Open("camera:a", "cameras.username", box));
        box[^1] ^= 1;
        Assert.ThrowsAny<CryptographicException>(() => Open("camera:a", "cameras.password", box));
        Assert.ThrowsAny<CryptographicException>(() => Open("camera:a", "cameras.password", box[..5]));
    }

    [Fact]
    public void An_owner_has_one_key_and_no_two_boxes_are_alike()
    {
        Assert.NotEqual(Seal("camera:a", "x", "secret"u8), Seal("camera:a", "x", "secret"u8));
        Assert.Equal(1L, _database.Read(c => Sql.Scalar(c, "SELECT count(*) FROM vault_keys")));
    }

    [Fact]
    public void What_a_destroyed_key_sealed_never_opens_again()
    {
        byte[] box = Seal("camera:a", "x", "secret"u8);
        Assert.True(_database.Erase(c => Vault.Destroy(c, "camera:a")));
        Assert.False(_database.Erase(c => Vault.Destroy(c, "camera:a")));
        Assert.ThrowsAny<CryptographicException>(() => Open("camera:a", "x", box));
        Seal("camera:a", "x", "new"u8);
        Assert.ThrowsAny<CryptographicException>(() => Open("camera:a", "x", box));
    }

    [Fact]
    public void Another_devices_key_opens_nothing()
    {
        byte[] box = Seal("camera:a", "x", "secret"u8);
        File.Delete(_folder.File(DeviceKey.FileName));
        var other = new Vault(DeviceKey.LoadOrCreate(_folder.Path));
        Assert.ThrowsAny<CryptographicException>(() => _database.Read(c => other.Open(c, "camera:a", "x", box)));
    }

    private byte[] Seal(string owner, string column, ReadOnlySpan<byte> plain)
    {
        byte[] copy = plain.ToArray();
        return _database.Write(c => _vault.Seal(c, owner, column, copy));
    }

    private byte[] Open(string owner, string column, byte[] box) => _database.Read(c => _vault.Open(c, owner, column, box));
}
