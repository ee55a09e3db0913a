using System.Globalization;
using System.Security.Cryptography;
using EdgeNode.Gallery;
using EdgeNode.Storage;
using Microsoft.Data.Sqlite;

namespace EdgeNode.Events;

/// <summary>
/// The best shots of events in the database, one an event. Template and picture are sealed by the key of the person where the event
/// names one, so that erasing the person erases them, else by a key of the event's own. Thread-safe.
/// </summary>
public sealed class EventShots
{
    /// <summary>Strangers' shots that are kept at most, however young (some 100 MB).</summary>
    public const int StrangersAtMost = 5000;

    // A bound on what one transaction writes to its log: 2 MB of pictures.
    private const int TrimAtOnce = 64;

    // Before the clock was set, nothing is known of a shot's age.
    private static readonly long Plausible = new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();

    private readonly StateDatabase _database;
    private readonly Vault _vault;
    private readonly bool _keepsStrangers;

    /// <summary>The shots of a database. Without <paramref name="keepsStrangers"/> only those of known people are kept.</summary>
    public EventShots(StateDatabase database, DeviceKey key, bool keepsStrangers = true)
    {
        _database = database;
        _vault = new Vault(key);
        _keepsStrangers = keepsStrangers;
        All = new Part(this, "1 = 1");
        Strangers = new Part(this, "identity_id IS NULL");
        DestroyOrphanedKeys();
    }

    /// <summary>All of them, for retention.</summary>
    public IRetained All { get; }

    /// <summary>Those of nobody known, for retention.</summary>
    public IRetained Strangers { get; }

    /// <summary>The shot of an event; null when none is kept, or it cannot be decrypted.</summary>
    /// <exception cref="IOException">The database cannot be read.</exception>
    public EventShot? Find(Guid eventId) => _database.Read(connection => Find(connection, eventId));

    /// <summary>Somebody said who is on an event's shot (null: a stranger): from now on it is that person's. False when there is none.</summary>
    /// <exception cref="IOException">It could not be written.</exception>
    public bool Assign(Guid eventId, Guid? identityId) => _database.Write(connection =>
    {
        if (Find(connection, eventId) is not EventShot shot)
            return false;
        long recordedAt = (long)Sql.Scalar(connection, "SELECT recorded_at FROM event_shots WHERE event_id = $event", ("$event", $"{eventId:D}"))!;
        return shot.IdentityId == identityId || Keep(connection, shot with { IdentityId = identityId }, recordedAt);
    });

    /// <summary>Keeps a shot in the place of the event's last one; false when it is not to be kept. Inside a write.</summary>
    internal bool Keep(SqliteConnection connection, EventShot shot, long recordedAt)
    {
        string id = $"{shot.EventId:D}";
        bool isKept = shot.IdentityId is Guid known
            // Who was erased in the meantime is not kept.
            ? Sql.Scalar(connection, "SELECT 1 FROM identities WHERE id = $id", ("$id", $"{known:D}")) is not null
            : _keepsStrangers;
        if (!isKept || shot.IdentityId is not null)
            Vault.Destroy(connection, OwnerOf(shot.EventId, null));
        if (!isKept)
        {
            Sql.Execute(connection, "DELETE FROM event_shots WHERE event_id = $event", ("$event", id));
            return false;
        }

        string owner = OwnerOf(shot.EventId, shot.IdentityId);
        byte[] template = FaceReference.ToBytes(shot.Template);
        Sql.Execute(connection,
            """
            INSERT INTO event_shots (event_id, camera, identity_id, recorded_at, taken_at, quality, model_pack, template, picture)
            VALUES ($event, $camera, $identity, $recorded, $taken, $quality, $pack, $template, $picture)
            ON CONFLICT (event_id) DO UPDATE SET identity_id = $identity, recorded_at = $recorded, taken_at = $taken, quality = $quality,
                model_pack = $pack, template = $template, picture = $picture
            """,
            ("$event", id), ("$camera", shot.Camera), ("$identity", shot.IdentityId is Guid who ? $"{who:D}" : null), ("$recorded", recordedAt),
            ("$taken", new DateTimeOffset(DateTime.SpecifyKind(shot.TakenAt, DateTimeKind.Utc)).ToUnixTimeMilliseconds()), ("$quality", (double)shot.Quality), ("$pack", shot.ModelPack),
            ("$template", _vault.Seal(connection, owner, TemplateColumn(id), template)), ("$picture", _vault.Seal(connection, owner, PictureColumn(id), shot.Picture)));
        CryptographicOperations.ZeroMemory(template);
        return true;
    }

    /// <summary>Whether the event's shot is kept.</summary>
    internal static bool Holds(SqliteConnection connection, Guid eventId) =>
        Sql.Scalar(connection, "SELECT 1 FROM event_shots WHERE event_id = $event", ("$event", $"{eventId:D}")) is not null;

    private static string OwnerOf(Guid eventId, Guid? identityId) => identityId is Guid who ? IdentityStore.OwnerOf(who) : $"event:{eventId:D}";

    private static string TemplateColumn(string eventId) => $"event_shots.template/{eventId}";

    private static string PictureColumn(string eventId) => $"event_shots.picture/{eventId}";

    private EventShot? Find(SqliteConnection connection, Guid eventId)
    {
        string id = $"{eventId:D}";
        using SqliteCommand command = Sql.Command(connection,
            "SELECT camera, identity_id, taken_at, quality, model_pack, template, picture FROM event_shots WHERE event_id = $event", ("$event", id));
        using SqliteDataReader row = command.ExecuteReader();
        if (!row.Read())
            return null;
        Guid? identityId = row.IsDBNull(1) ? null : Guid.Parse(row.GetString(1));
        string owner = OwnerOf(eventId, identityId);
        try
        {
            byte[] template = _vault.Open(connection, owner, TemplateColumn(id), row.GetFieldValue<byte[]>(5));
            byte[] picture = _vault.Open(connection, owner, PictureColumn(id), row.GetFieldValue<byte[]>(6));
            var shot = new EventShot(
                eventId, row.GetString(0), identityId, DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(2)).UtcDateTime, (float)row.GetDouble(3), row.GetString(4),
                FaceReference.FromBytes(template), picture);
            CryptographicOperations.ZeroMemory(template);
            return shot;
        }
        catch (CryptographicException)
        {
            // Damaged, or of another device key.
            return null;
        }
    }

    // The daily copy, from which a damaged database is restored, holds keys but not shots.
    private void DestroyOrphanedKeys()
    {
        const string Orphaned = "owner >= 'event:' AND owner < 'event;' AND NOT EXISTS (SELECT 1 FROM event_shots WHERE event_id = substr(owner, 7))";
        if (_database.Read(static connection => Sql.Scalar(connection, $"SELECT 1 FROM vault_keys WHERE {Orphaned} LIMIT 1")) is null)
            return;
        try
        {
            _database.Write(static connection => Sql.Execute(connection, $"DELETE FROM vault_keys WHERE {Orphaned}"));
        }
        catch (IOException)
        {
            // The database has said so; the next start tries again.
        }
    }

    private sealed class Part(EventShots shots, string which) : IRetained
    {
        public int TrimBefore(DateTime cutoff)
        {
            long age = new DateTimeOffset(DateTime.SpecifyKind(cutoff, DateTimeKind.Utc)).ToUnixTimeMilliseconds();
            return Trim(string.Create(CultureInfo.InvariantCulture,
                $"SELECT max(number) FROM (SELECT number, recorded_at FROM event_shots WHERE {which} ORDER BY number LIMIT {TrimAtOnce}) WHERE recorded_at < {age} AND recorded_at >= {Plausible}"));
        }

        public int TrimOldest(int most, int atLeast)
        {
            long held = shots._database.Read(connection => (long)Sql.Scalar(connection, $"SELECT count(*) FROM event_shots WHERE {which}")!);
            long count = Math.Min(Math.Min(most, TrimAtOnce), held - atLeast);
            return count <= 0 ? 0 : Trim(string.Create(CultureInfo.InvariantCulture,
                $"SELECT max(number) FROM (SELECT number FROM event_shots WHERE {which} ORDER BY number LIMIT {count})"));
        }

        private int Trim(string newestToGo)
        {
            if (shots._database.Read(connection => Sql.Scalar(connection, newestToGo)) is not long last)
                return 0;
            return shots._database.Write(connection =>
            {
                Sql.Execute(connection, $"DELETE FROM vault_keys WHERE owner IN (SELECT 'event:' || event_id FROM event_shots WHERE {which} AND number <= $last)", ("$last", last));
                return Sql.Execute(connection, $"DELETE FROM event_shots WHERE {which} AND number <= $last", ("$last", last));
            });
        }
    }
}
