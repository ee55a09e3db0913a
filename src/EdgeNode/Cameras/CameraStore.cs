using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using EdgeNode.Configuration;
using EdgeNode.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace EdgeNode.Cameras;

/// <summary>The cameras that were added while the node ran, in its database; addresses and logins sealed by the device key. Thread-safe.</summary>
public sealed class CameraStore(StateDatabase database, DeviceKey key, TimeProvider time, ILogger log)
{
    /// <summary>All of them, oldest first. One that cannot be read is left out with a warning.</summary>
    /// <exception cref="IOException">The database cannot be read.</exception>
    public IReadOnlyList<CameraConfiguration> List()
    {
        List<(string Id, byte[] Settings)> rows = database.Read(connection =>
        {
            using SqliteCommand command = connection.CreateCommand();
            command.CommandText = "SELECT id, settings FROM cameras ORDER BY added_at, id";
            using SqliteDataReader reader = command.ExecuteReader();
            var read = new List<(string, byte[])>();
            while (reader.Read())
                read.Add((reader.GetString(0), reader.GetFieldValue<byte[]>(1)));
            return read;
        });
        var cameras = new List<CameraConfiguration>();
        foreach ((string id, byte[] settings) in rows)
        {
            if (TryOpen(id, settings) is CameraConfiguration camera)
                cameras.Add(camera);
            else
                log.LogWarning("The settings of camera {Camera} cannot be read (another device's key?): add that camera again.", id);
        }

        return cameras;
    }

    /// <summary>The ids of those in <paramref name="database"/>, oldest first: known without the key.</summary>
    /// <exception cref="IOException">The database cannot be read.</exception>
    public static IReadOnlyList<string> Ids(StateDatabase database) => database.Read(connection =>
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "SELECT id FROM cameras ORDER BY added_at, id";
        using SqliteDataReader reader = command.ExecuteReader();
        var ids = new List<string>();
        while (reader.Read())
            ids.Add(reader.GetString(0));
        return ids;
    });

    /// <summary>Adds a camera, or puts it in the place of the one with the same id; on disk when it returns.</summary>
    /// <exception cref="IOException">It could not be written; what was there still is.</exception>
    public void Put(CameraConfiguration camera)
    {
        byte[] plain = JsonSerializer.SerializeToUtf8Bytes(StoredCamera.Of(camera), CameraStoreJson.Default.StoredCamera);
        byte[] settings = key.Seal(plain, Context(camera.Id));
        CryptographicOperations.ZeroMemory(plain);
        long now = time.GetUtcNow().ToUnixTimeMilliseconds();
        database.Write(connection =>
        {
            using SqliteCommand command = connection.CreateCommand();
            command.CommandText = "INSERT INTO cameras (id, added_at, settings) VALUES ($id, $at, $settings) ON CONFLICT (id) DO UPDATE SET settings = excluded.settings";
            command.Parameters.AddWithValue("$id", camera.Id);
            command.Parameters.AddWithValue("$at", now);
            command.Parameters.AddWithValue("$settings", settings);
            return command.ExecuteNonQuery();
        });
    }

    /// <summary>Takes a camera out; false when there was none.</summary>
    /// <exception cref="IOException">It could not be written.</exception>
    public bool Remove(string id) => database.Write(connection =>
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "DELETE FROM cameras WHERE id = $id";
        command.Parameters.AddWithValue("$id", id);
        return command.ExecuteNonQuery() > 0;
    });

    private CameraConfiguration? TryOpen(string id, byte[] settings)
    {
        try
        {
            return JsonSerializer.Deserialize(key.Open(settings, Context(id)), CameraStoreJson.Default.StoredCamera)?.ToConfiguration(id);
        }
        catch (Exception fault) when (fault is CryptographicException or JsonException)
        {
            return null;
        }
    }

    private static byte[] Context(string id) => Encoding.UTF8.GetBytes("camera " + id);
}

/// <summary>What is sealed of a camera. Members that an older version does not know are left alone.</summary>
internal sealed record StoredCamera(
    string Name, string Url, string? Username, string? Password, RtpTransport Transport, RtspClient Client, bool Analytics, double AnalyticsFps, string? SubUrl = null)
{
    public static StoredCamera Of(CameraConfiguration camera) => new(
        camera.Name, camera.Url.Reveal(), camera.Username, camera.Password?.Reveal(), camera.Transport, camera.Client, camera.Analytics.Enabled, camera.Analytics.Fps, camera.SubUrl?.Reveal());

    public CameraConfiguration ToConfiguration(string id) => new()
    {
        Id = id,
        Name = Name,
        Url = new Secret(Url),
        SubUrl = SubUrl is null ? null : new Secret(SubUrl),
        Username = Username,
        Password = Password is null ? null : new Secret(Password),
        Transport = Transport,
        Client = Client,
        Analytics = new AnalyticsSection { Enabled = Analytics, Fps = AnalyticsFps },
    };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UseStringEnumConverter = true)]
[JsonSerializable(typeof(StoredCamera))]
internal sealed partial class CameraStoreJson : JsonSerializerContext;
