using System.Security.Cryptography;
using System.Text;
using Microsoft.Data.Sqlite;

namespace EdgeNode.Storage;

/// <summary>
/// Encryption of single values of the database. Each owner (a person, a camera) has a random key of its own, wrapped by the device key
/// in table <c>vault_keys</c>: destroying that row makes every value of the owner unreadable, in copies of the database too that do not
/// hold the key. Owner and column are authenticated, so that a value moved elsewhere does not open. To be called inside
/// <see cref="StateDatabase.Read"/> and <see cref="StateDatabase.Write"/>. Thread-safe.
/// </summary>
public sealed class Vault(DeviceKey device)
{
    /// <summary>Encrypts a value of <paramref name="owner"/> (such as <c>camera:entrance</c>) for a column (<c>cameras.password</c>); makes the owner's key where there is none.</summary>
    public byte[] Seal(SqliteConnection connection, string owner, string column, ReadOnlySpan<byte> plain)
    {
        byte[] key = KeyOf(connection, owner) ?? MakeKey(connection, owner);
        try
        {
            return SealedBox.Seal(key, plain, Context(owner, column));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>Decrypts what <see cref="Seal"/> made for the same owner and column.</summary>
    /// <exception cref="CryptographicException">The value was changed or moved, or its key was destroyed or wrapped by another device's key.</exception>
    public byte[] Open(SqliteConnection connection, string owner, string column, ReadOnlySpan<byte> box)
    {
        byte[] key = KeyOf(connection, owner) ?? throw new CryptographicException("Its key was destroyed.");
        try
        {
            return SealedBox.Open(key, box, Context(owner, column));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>Destroys an owner's key, and with it all that it sealed; false when there is none. Use <see cref="StateDatabase.Erase"/>, so that no copy keeps it.</summary>
    public static bool Destroy(SqliteConnection connection, string owner)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "DELETE FROM vault_keys WHERE owner = $owner";
        command.Parameters.AddWithValue("$owner", owner);
        return command.ExecuteNonQuery() > 0;
    }

    private byte[]? KeyOf(SqliteConnection connection, string owner)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "SELECT wrapped FROM vault_keys WHERE owner = $owner";
        command.Parameters.AddWithValue("$owner", owner);
        return command.ExecuteScalar() is byte[] wrapped ? device.Open(wrapped, Context(owner, "vault_keys.wrapped")) : null;
    }

    private byte[] MakeKey(SqliteConnection connection, string owner)
    {
        byte[] key = RandomNumberGenerator.GetBytes(SealedBox.KeyBytes);
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "INSERT INTO vault_keys (owner, wrapped) VALUES ($owner, $wrapped)";
        command.Parameters.AddWithValue("$owner", owner);
        command.Parameters.AddWithValue("$wrapped", device.Seal(key, Context(owner, "vault_keys.wrapped")));
        command.ExecuteNonQuery();
        return key;
    }

    // Neither holds a control character, so that no two pairs have one context.
    private static byte[] Context(string owner, string column) => Encoding.UTF8.GetBytes($"{owner}\n{column}");
}
