using System.Security.Cryptography;
using System.Text;
using EdgeNode.Access;
using EdgeNode.Gallery;
using EdgeNode.Storage;
using EdgeNode.Tests.Media;
using Microsoft.Extensions.Logging.Abstractions;
using static EdgeNode.Tests.Gallery.Faces;

namespace EdgeNode.Tests.Storage;

public sealed class StateBackupTests : IDisposable
{
    private const string Passphrase = "correct horse battery";

    private readonly TemporaryFolder _state = new();
    private readonly TemporaryFolder _elsewhere = new();
    private readonly TemporaryFolder _other = new();

    private string Backup => _elsewhere.File("state.backup");

    public void Dispose()
    {
        _state.Dispose();
        _elsewhere.Dispose();
        _other.Dispose();
    }

    [Fact]
    public void A_backup_of_a_running_node_restores_people_keys_and_tokens_elsewhere()
    {
        using (NodeLock.Take(_state.Path))
        {
            using StateDatabase database = StateDatabase.Open(_state.Path);
            Fill(database, "Ada");
            StateBackup.Write(_state.Path, Backup, Passphrase);
        }

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Backup));
        Assert.Equal(-1, File.ReadAllBytes(Backup).AsSpan().IndexOf(File.ReadAllBytes(_state.File(DeviceKey.FileName))));
        Assert.Equal([Backup], Directory.GetFiles(_elsewhere.Path));
        Assert.False(File.Exists(_state.File("backup.tmp")));

        using (StateDatabase database = StateDatabase.Open(_other.Path))
        {
            Fill(database, "Eve");
            database.MakeDailyCopy();
        }

        File.WriteAllText(_other.File("mine"), "of another program");
        StateBackup.Restore(_other.Path, Backup, Passphrase);
        Assert.Equal(["Ada"], People(_other.Path));
        foreach (string file in (string[])["device.key", "signing-key.pem", "admin-token", "tls/key.pem"])
            Assert.Equal(File.ReadAllBytes(_state.File(file)), File.ReadAllBytes(_other.File(file)));
        Assert.False(File.Exists(_other.File("state.db.daily")));
        Assert.True(File.Exists(_other.File("mine")));
        Assert.Empty(Directory.GetDirectories(_other.Path, "restore*"));
    }

    [Fact]
    public void A_wrong_passphrase_and_a_file_that_was_cut_or_altered_anywhere_change_nothing()
    {
        using (StateDatabase database = StateDatabase.Open(_state.Path))
            Fill(database, "Ada");
        File.WriteAllBytes(_state.File("large"), RandomNumberGenerator.GetBytes(100_000));
        StateBackup.Write(_state.Path, Backup, Passphrase);
        using (StateDatabase database = StateDatabase.Open(_other.Path))
            Fill(database, "Eve");
        string before = Fingerprint(_other.Path);
        byte[] sound = File.ReadAllBytes(Backup);

        Refused("passphrase is wrong", sound, "another passphrase");
        Refused("is no backup", [], Passphrase);
        Refused("is no backup", Encoding.ASCII.GetBytes(new string('x', 1000)), Passphrase);
        int chunk = (1 << 16) + 16;
        foreach (int length in (int[])[30, 52, 60, 52 + chunk, 52 + chunk + 5, sound.Length - 1])
            Refused(length < 52 ? "is no backup" : "altered or cut off", sound[..length], Passphrase);
        foreach (int place in (int[])[0, 17, 19, 25, 45, 60, 52 + chunk, sound.Length - 1])
        {
            byte[] altered = [.. sound];
            altered[place] ^= 1;
            Refused(place == 0 ? "is no backup" : "altered", altered, Passphrase);
        }

        // Chunks in another order, one left out, and something behind the end.
        Refused("altered or cut off", [.. sound[..52], .. sound[(52 + chunk)..(52 + (2 * chunk))], .. sound[52..(52 + chunk)], .. sound[(52 + (2 * chunk))..]], Passphrase);
        Refused("altered or cut off", [.. sound[..52], .. sound[(52 + chunk)..]], Passphrase);
        Refused("altered or cut off", [.. sound, 0], Passphrase);

        void Refused(string sentence, byte[] content, string passphrase)
        {
            File.WriteAllBytes(Backup, content);
            Assert.Contains(sentence, Assert.Throws<InvalidDataException>(() => StateBackup.Restore(_other.Path, Backup, passphrase)).Message);
            Assert.Equal(before, Fingerprint(_other.Path));
        }
    }

    [Fact]
    public void A_node_that_runs_is_not_restored_under()
    {
        using (StateDatabase database = StateDatabase.Open(_state.Path))
            Fill(database, "Ada");
        StateBackup.Write(_state.Path, Backup, Passphrase);
        using (NodeLock.Take(_other.Path))
            Assert.Contains("A node runs", Assert.Throws<IOException>(() => StateBackup.Restore(_other.Path, Backup, Passphrase)).Message);
        StateBackup.Restore(_other.Path, Backup, Passphrase);
        Assert.Equal(["Ada"], People(_other.Path));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_restoration_that_was_interrupted_is_ended_at_the_next_start(bool isDatabaseInPlace)
    {
        using (StateDatabase database = StateDatabase.Open(_state.Path))
            Fill(database, "Ada");
        using (StateDatabase database = StateDatabase.Open(_other.Path))
            Fill(database, "Eve");
        string ready = Directory.CreateDirectory(_other.File("restore.ready")).FullName;
        foreach (string file in (string[])["state.db", "device.key", "signing-key.pem"])
            File.Copy(_state.File(file), Path.Combine(ready, file));
        if (isDatabaseInPlace)
            File.Move(Path.Combine(ready, "state.db"), _other.File("state.db"), overwrite: true);
        Assert.Equal(["Ada"], People(_other.Path));
        Assert.Equal(File.ReadAllBytes(_state.File("signing-key.pem")), File.ReadAllBytes(_other.File("signing-key.pem")));
        Assert.False(Directory.Exists(ready));
    }

    [Fact]
    public void A_backup_is_not_written_into_the_state_itself_nor_of_nothing()
    {
        Assert.Contains("no state", Assert.Throws<IOException>(() => StateBackup.Write(_state.Path, Backup, Passphrase)).Message);
        StateDatabase.Open(_state.Path).Dispose();
        Assert.Contains("elsewhere", Assert.Throws<IOException>(() => StateBackup.Write(_state.Path, _state.File("mine"), Passphrase)).Message);
        Assert.Contains("elsewhere", Assert.Throws<IOException>(() => StateBackup.Write(_state.Path + "/", _state.File("mine"), Passphrase)).Message);
        Assert.ThrowsAny<IOException>(() => StateBackup.Write(_state.Path, _elsewhere.File("no/such/folder"), Passphrase));
        Assert.False(File.Exists(_state.File("backup.tmp")));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Copies_that_a_killed_backup_or_restoration_left_are_gone_at_the_next_start_and_when_somebody_is_erased(bool isRunning)
    {
        StateDatabase database = StateDatabase.Open(_state.Path);
        Fill(database, "Ada");
        database.CopyTo(_state.File("backup.tmp"));
        Directory.CreateDirectory(_state.File("restore.new"));
        database.CopyTo(_state.File("restore.new/state.db"));
        if (isRunning)
        {
            IdentityStore people = IdentityStore.Open(database, DeviceKey.LoadOrCreate(_state.Path), NullLogger.Instance);
            Assert.True(people.Remove(people.List[0].Id));
        }

        database.Dispose();
        if (!isRunning)
            StateDatabase.Open(_state.Path).Dispose();
        Assert.False(File.Exists(_state.File("backup.tmp")));
        Assert.False(Directory.Exists(_state.File("restore.new")));
    }

    private static void Fill(StateDatabase database, string name)
    {
        string folder = database.Folder;
        IdentityStore.Open(database, DeviceKey.LoadOrCreate(folder), NullLogger.Instance).Add(Person(name, Face((0, 1))));
        SigningKey.LoadOrCreate(folder).Dispose();
        File.WriteAllText(Path.Combine(folder, "admin-token"), name);
        Directory.CreateDirectory(Path.Combine(folder, "tls"));
        File.WriteAllText(Path.Combine(folder, "tls", "key.pem"), name);
    }

    private static string[] People(string folder)
    {
        using StateDatabase database = StateDatabase.Open(folder);
        return [.. IdentityStore.Open(database, DeviceKey.LoadOrCreate(folder), NullLogger.Instance).List.Select(i => i.Name)];
    }

    private static string Fingerprint(string folder) => string.Join('\n', Directory.GetFileSystemEntries(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
        .Where(f => !f.EndsWith(".lock", StringComparison.Ordinal))
        .Select(f => $"{f} {(File.Exists(f) ? Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(f))) : "")}"));
}
