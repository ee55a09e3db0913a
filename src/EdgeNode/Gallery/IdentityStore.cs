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
    private const string NegativeColumn = "identity_negatives.template";

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
        NamePhotos(database);
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

    /// <summary>The photo of a reference (<see cref="FaceReference.Id"/>), JPEG; null when there is none.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public byte[]? ReadCrop(Guid identity, Guid reference)
    {
        if (_database is null)
            return Find(identity)?.References.FirstOrDefault(r => r.Id == reference)?.Crop;
        return _database.Read(connection =>
        {
            try
            {
                return Sql.Scalar(connection, "SELECT crop FROM identity_references WHERE identity_id = $id AND photo_id = $photo", ("$id", $"{identity:D}"), ("$photo", $"{reference:D}")) is byte[] crop
                    ? _vault!.Open(connection, OwnerOf(identity), CropColumn, crop)
                    : null;
            }
            catch (CryptographicException)
            {
                return null;
            }
        });
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
                foreach (FaceReference reference in identity.References)
                    reference.LetGoOfCrop();
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
    /// stays so. References that it takes away are kept by no copy in the state folder. On disk when it returns; null when there is none with that id. What <paramref name="change"/> throws changes nothing.
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
                long PutUnlessChanged(SqliteConnection connection) => VersionOf(connection) == _seen ? Put(connection, changed) : 0;
                version = changed.References.Count < now.References.Count ? _database.Erase(PutUnlessChanged) : _database.Write(PutUnlessChanged);
            }
            while (version == 0);
            foreach (FaceReference reference in changed.References)
                reference.LetGoOfCrop();
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

    /// <summary>Whose key seals what is of a person.</summary>
    internal static string OwnerOf(Guid id) => $"identity:{id:D}";

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
        PutReferences(connection, identity);
        Sql.Execute(connection, "DELETE FROM identity_negatives WHERE identity_id = $id", ("$id", id));
        foreach (FaceReference negative in identity.Negatives)
        {
            Sql.Execute(connection, "INSERT INTO identity_negatives (identity_id, model_pack, template) VALUES ($id, $pack, $template)",
                ("$id", id), ("$pack", negative.ModelPack), ("$template", SealTemplate(connection, owner, NegativeColumn, negative)));
        }

        return version;
    }

    // Those that are there already stay as they lie, since their crops are not in memory.
    private void PutReferences(SqliteConnection connection, Identity identity)
    {
        string id = $"{identity.Id:D}", owner = OwnerOf(identity.Id);
        var stored = new HashSet<Guid>();
        using (SqliteCommand command = Sql.Command(connection, "SELECT photo_id FROM identity_references WHERE identity_id = $id", ("$id", id)))
        using (SqliteDataReader row = command.ExecuteReader())
        {
            while (row.Read())
                stored.Add(Guid.Parse(row.GetString(0)));
        }

        foreach (Guid gone in stored.Except(identity.References.Select(r => r.Id)))
            Sql.Execute(connection, "DELETE FROM identity_references WHERE identity_id = $id AND photo_id = $photo", ("$id", id), ("$photo", $"{gone:D}"));
        // Out of the way: no two may have one position, not even for a moment.
        Sql.Execute(connection, "UPDATE identity_references SET position = -1 - position WHERE identity_id = $id", ("$id", id));
        for (int i = 0; i < identity.References.Count; i++)
        {
            FaceReference reference = identity.References[i];
            if (stored.Contains(reference.Id))
            {
                Sql.Execute(connection, "UPDATE identity_references SET position = $position WHERE identity_id = $id AND photo_id = $photo",
                    ("$position", i), ("$id", id), ("$photo", $"{reference.Id:D}"));
                continue;
            }

            Sql.Execute(connection,
                "INSERT INTO identity_references (identity_id, position, model_pack, template, crop, photo_id) VALUES ($id, $position, $pack, $template, $crop, $photo)",
                ("$id", id), ("$position", i), ("$pack", reference.ModelPack), ("$template", SealTemplate(connection, owner, TemplateColumn, reference)),
                ("$crop", reference.Crop is null ? null : _vault!.Seal(connection, owner, CropColumn, reference.Crop)), ("$photo", $"{reference.Id:D}"));
        }
    }

    private byte[] SealTemplate(SqliteConnection connection, string owner, string column, FaceReference face)
    {
        byte[] template = FaceReference.ToBytes(face.Embedding);
        byte[] box = _vault!.Seal(connection, owner, column, template);
        CryptographicOperations.ZeroMemory(template);
        return box;
    }

    // After a time with an earlier version.
    private static void NamePhotos(StateDatabase database)
    {
        if (database.Read(static connection => Sql.Scalar(connection, "SELECT 1 FROM identity_references WHERE photo_id IS NULL LIMIT 1")) is null)
            return;
        database.Write(static connection =>
        {
            while (Sql.Execute(connection, "UPDATE identity_references SET photo_id = $photo WHERE id = (SELECT id FROM identity_references WHERE photo_id IS NULL LIMIT 1)", ("$photo", $"{Guid.CreateVersion7():D}")) > 0)
            {
            }

            return 0;
        });
    }

    private static int Delete(SqliteConnection connection, Guid id)
    {
        Vault.Destroy(connection, OwnerOf(id));
        Sql.Execute(connection, "DELETE FROM identity_references WHERE identity_id = $id", ("$id", $"{id:D}"));
        Sql.Execute(connection, "DELETE FROM identity_negatives WHERE identity_id = $id", ("$id", $"{id:D}"));
        // Shots of events in which they were recognised.
        Sql.Execute(connection, "DELETE FROM event_shots WHERE identity_id = $id", ("$id", $"{id:D}"));
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
            List<FaceReference> references = Faces(connection, owner, TemplateColumn, "SELECT model_pack, template, photo_id, crop IS NOT NULL FROM identity_references WHERE identity_id = $id ORDER BY position", id);
            List<FaceReference> negatives = Faces(connection, owner, NegativeColumn, "SELECT model_pack, template, NULL, 0 FROM identity_negatives WHERE identity_id = $id ORDER BY id", id);
            return Identity.Restore(id, name, createdAt, references, negatives);
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

    private List<FaceReference> Faces(SqliteConnection connection, string owner, string column, string sql, Guid id)
    {
        var faces = new List<FaceReference>();
        using SqliteCommand command = Sql.Command(connection, sql, ("$id", $"{id:D}"));
        using SqliteDataReader row = command.ExecuteReader();
        while (row.Read())
        {
            byte[] template = _vault!.Open(connection, owner, column, row.GetFieldValue<byte[]>(1));
            faces.Add(FaceReference.Stored(row.GetString(0), template, row.IsDBNull(2) ? null : Guid.Parse(row.GetString(2)), row.GetInt64(3) != 0));
            CryptographicOperations.ZeroMemory(template);
        }

        return faces;
    }

    internal sealed record Snapshot(Identity[] Identities, int Version);
}
