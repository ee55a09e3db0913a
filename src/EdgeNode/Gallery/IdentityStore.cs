using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using EdgeNode.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeNode.Gallery;

/// <summary>
/// The gallery: known people in memory and, each encrypted under a key of its own, in the database. Thread-safe; readers see an
/// immutable list and never wait for the disk.
/// </summary>
public sealed class IdentityStore
{
    /// <summary>People that one gallery holds at most.</summary>
    public const int IdentitiesAtMost = 10_000;

    private const string NameColumn = "identities.name";
    private const string TemplateColumn = "identity_references.template";
    private const string CropColumn = "identity_references.crop";

    private readonly StateDatabase? _database;
    private readonly Vault? _vault;
    private readonly ILogger _log;
    private readonly Lock _gate = new();
    private Dictionary<Guid, (long Version, Identity? Identity)> _known = [];
    private long _seen;
    private volatile Snapshot _snapshot = new([], 0);

    private IdentityStore(StateDatabase? database, Vault? vault, ILogger log)
    {
        _database = database;
        _vault = vault;
        _log = log;
    }

    /// <summary>Somebody was added, changed or removed. Called outside the store's lock by whoever did it; be brief.</summary>
    public event Action? Changed;

    /// <summary>The people now, oldest first.</summary>
    public IReadOnlyList<Identity> List => _snapshot.Identities;

    /// <summary>Rises at each change.</summary>
    public int Version => _snapshot.Version;

    /// <summary>The list together with its version.</summary>
    internal Snapshot Current => _snapshot;

    /// <summary>
    /// Opens the gallery of a database; people whom an earlier version kept in files are moved into it. Who cannot be decrypted is left
    /// out with a warning.
    /// </summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static IdentityStore Open(StateDatabase database, DeviceKey key, ILogger log)
    {
        var store = new IdentityStore(database, new Vault(key), log);
        IdentityFile.Import(database.Folder, key, store.AddMissing, log);
        store.Load();
        return store;
    }

    /// <summary>A gallery that is never written: for a folder of photos given on the command line.</summary>
    public static IdentityStore InMemory(IEnumerable<Identity> identities) =>
        new(null, null, NullLogger.Instance) { _snapshot = new([.. identities], 1) };

    /// <summary>The person with that id; null when there is none.</summary>
    public Identity? Find(Guid id)
    {
        foreach (Identity identity in _snapshot.Identities)
        {
            if (identity.Id == id)
                return identity;
        }

        return null;
    }

    /// <summary>
    /// Takes up what another process has written or erased since: people are enrolled and erased from the shell while the node
    /// runs. Costs one look at a number where nothing changed; who did not change stays the same instance.
    /// </summary>
    /// <exception cref="IOException">It cannot be read; the gallery is as it was.</exception>
    public void Refresh()
    {
        lock (_gate)
        {
            if (_database is null || _database.Read(VersionOf) == _seen)
                return;
            Load();
        }

        Changed?.Invoke();
    }

    /// <summary>Adds a person, or puts a changed one in the place of the same id; on disk when it returns.</summary>
    /// <exception cref="InvalidOperationException">The gallery is full.</exception>
    /// <exception cref="IOException">It could not be written; the gallery is as it was.</exception>
    public void Add(Identity identity)
    {
        lock (_gate)
        {
            Snapshot old = _snapshot;
            int place = Array.FindIndex(old.Identities, i => i.Id == identity.Id);
            if (place < 0 && old.Identities.Length >= IdentitiesAtMost)
                throw new InvalidOperationException($"The gallery is full with {IdentitiesAtMost} people: remove some first.");
            if (_database is not null)
            {
                long version = _database.Write(connection => Put(connection, identity));
                _known[identity.Id] = (version, identity);
                Load();
            }
            else
            {
                Identity[] identities = place < 0 ? [.. old.Identities, identity] : [.. old.Identities];
                if (place >= 0)
                    identities[place] = identity;
                _snapshot = new(identities, old.Version + 1);
            }
        }

        Changed?.Invoke();
    }

    /// <summary>
    /// Puts what <paramref name="change"/> makes of a person in their place, as they are now: what another process has changed meanwhile is kept, and who was erased
    /// stays so. On disk when it returns; null when there is none with that id. What <paramref name="change"/> throws changes nothing.
    /// </summary>
    /// <exception cref="IOException">It could not be written; the gallery is as it was.</exception>
    public Identity? Change(Guid id, Func<Identity, Identity> change)
    {
        ArgumentNullException.ThrowIfNull(_database);
        Identity changed;
        lock (_gate)
        {
            long version;
            do
            {
                if (_database.Read(VersionOf) != _seen)
                    Load();
                if (Find(id) is not Identity now)
                    return null;
                changed = change(now);
                // 0: another process was quicker.
                version = _database.Write(connection => VersionOf(connection) == _seen ? Put(connection, changed) : 0);
            }
            while (version == 0);
            _known[id] = (version, changed);
            Load();
        }

        Changed?.Invoke();
        return changed;
    }

    /// <summary>
    /// Erases a person: their key is destroyed, their rows are overwritten, and no copy in the state folder keeps them. False when there is
    /// none with that id.
    /// </summary>
    /// <exception cref="IOException">It could not be written; the person is still there.</exception>
    public bool Remove(Guid id)
    {
        lock (_gate)
        {
            Snapshot old = _snapshot;
            if (old.Identities.All(i => i.Id != id))
                return false;
            if (_database is not null)
            {
                IdentityFile.DeleteSetAside(_database.Folder, id);
                _database.Erase(connection => Delete(connection, id));
                Load();
            }
            else
            {
                _snapshot = new([.. old.Identities.Where(i => i.Id != id)], old.Version + 1);
            }
        }

        Changed?.Invoke();
        return true;
    }

    private static string OwnerOf(Guid id) => $"identity:{id:D}";

    private static long VersionOf(SqliteConnection connection) => (long)Sql.Scalar(connection, "SELECT version FROM gallery")!;

    private static long NextVersion(SqliteConnection connection) => (long)Sql.Scalar(connection, "UPDATE gallery SET version = version + 1 RETURNING version")!;

    private void AddMissing(IReadOnlyList<Identity> identities) => _database!.Write(connection =>
    {
        foreach (Identity identity in identities)
        {
            if (Sql.Scalar(connection, "SELECT 1 FROM identities WHERE id = $id", ("$id", $"{identity.Id:D}")) is null)
                Put(connection, identity);
        }

        return 0;
    });

    private long Put(SqliteConnection connection, Identity identity)
    {
        string id = $"{identity.Id:D}", owner = OwnerOf(identity.Id);
        long version = NextVersion(connection);
        Sql.Execute(connection,
            "INSERT INTO identities (id, created_at, version, name) VALUES ($id, $created, $version, $name) ON CONFLICT (id) DO UPDATE SET created_at = $created, version = $version, name = $name",
            ("$id", id), ("$created", new DateTimeOffset(identity.CreatedAt).ToUnixTimeMilliseconds()), ("$version", version),
            ("$name", _vault!.Seal(connection, owner, NameColumn, Encoding.UTF8.GetBytes(identity.Name))));
        Sql.Execute(connection, "DELETE FROM identity_references WHERE identity_id = $id", ("$id", id));
        for (int i = 0; i < identity.References.Count; i++)
        {
            FaceReference reference = identity.References[i];
            byte[] template = reference.ToBytes();
            Sql.Execute(connection,
                "INSERT INTO identity_references (identity_id, position, model_pack, template, crop) VALUES ($id, $position, $pack, $template, $crop)",
                ("$id", id), ("$position", i), ("$pack", reference.ModelPack), ("$template", _vault.Seal(connection, owner, TemplateColumn, template)),
                ("$crop", reference.Crop is null ? null : _vault.Seal(connection, owner, CropColumn, reference.Crop)));
            CryptographicOperations.ZeroMemory(template);
        }

        return version;
    }

    private static int Delete(SqliteConnection connection, Guid id)
    {
        Vault.Destroy(connection, OwnerOf(id));
        Sql.Execute(connection, "DELETE FROM identity_references WHERE identity_id = $id", ("$id", $"{id:D}"));
        NextVersion(connection);
        return Sql.Execute(connection, "DELETE FROM identities WHERE id = $id", ("$id", $"{id:D}"));
    }

    private void Load()
    {
        var known = new Dictionary<Guid, (long Version, Identity? Identity)>();
        var identities = new List<Identity>();
        _seen = _database!.Read(connection =>
        {
            foreach ((Guid id, long version, DateTime createdAt, byte[] name) in Rows(connection))
            {
                (long Version, Identity? Identity) person = _known.TryGetValue(id, out (long Version, Identity? Identity) before) && before.Version == version
                    ? before
                    : (version, Decrypt(connection, id, createdAt, name));
                known[id] = person;
                if (person.Identity is not null)
                    identities.Add(person.Identity);
            }

            return VersionOf(connection);
        });
        _known = known;
        _snapshot = new([.. identities], _snapshot.Version + 1);
    }

    private static List<(Guid Id, long Version, DateTime CreatedAt, byte[] Name)> Rows(SqliteConnection connection)
    {
        var rows = new List<(Guid, long, DateTime, byte[])>();
        using SqliteCommand command = Sql.Command(connection,
            string.Create(CultureInfo.InvariantCulture, $"SELECT id, version, created_at, name FROM identities ORDER BY created_at, id LIMIT {IdentitiesAtMost}"));
        using SqliteDataReader row = command.ExecuteReader();
        while (row.Read())
            rows.Add((Guid.Parse(row.GetString(0)), row.GetInt64(1), DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(2)).UtcDateTime, row.GetFieldValue<byte[]>(3)));
        return rows;
    }

    private Identity? Decrypt(SqliteConnection connection, Guid id, DateTime createdAt, byte[] sealedName)
    {
        string owner = OwnerOf(id);
        try
        {
            string name = Encoding.UTF8.GetString(_vault!.Open(connection, owner, NameColumn, sealedName));
            var references = new List<FaceReference>();
            using SqliteCommand command = Sql.Command(connection,
                "SELECT model_pack, template, crop FROM identity_references WHERE identity_id = $id ORDER BY position", ("$id", $"{id:D}"));
            using SqliteDataReader row = command.ExecuteReader();
            while (row.Read())
            {
                byte[] template = _vault.Open(connection, owner, TemplateColumn, row.GetFieldValue<byte[]>(1));
                references.Add(FaceReference.FromBytes(row.GetString(0), template, row.IsDBNull(2) ? null : _vault.Open(connection, owner, CropColumn, row.GetFieldValue<byte[]>(2))));
                CryptographicOperations.ZeroMemory(template);
            }

            return Identity.Restore(id, name, createdAt, references);
        }
        catch (CryptographicException)
        {
            _log.LogWarning("The identity {Id} was left out, because it was damaged, changed, or encrypted under another device key: enrol that person again.", id);
        }
        catch (ArgumentException)
        {
            // The message may quote the content.
            _log.LogWarning("The identity {Id} was left out, because its content is not that of an identity: enrol that person again.", id);
        }

        return null;
    }

    internal sealed record Snapshot(Identity[] Identities, int Version);
}
