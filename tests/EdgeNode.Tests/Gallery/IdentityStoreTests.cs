using System.Diagnostics;
using System.Text;
using EdgeNode.Access;
using EdgeNode.Events;
using EdgeNode.Gallery;
using EdgeNode.Storage;
using EdgeNode.Tests.Media;
using EdgeNode.Tests.Telemetry;
using Microsoft.Data.Sqlite;
using static EdgeNode.Tests.Gallery.Faces;

namespace EdgeNode.Tests.Gallery;

public sealed class IdentityStoreTests : IDisposable
{
    private readonly string _state = Directory.CreateTempSubdirectory("edgenode-gallery-").FullName;
    private readonly ListLogger _log = new();
    private readonly List<StateDatabase> _databases = [];

    public void Dispose()
    {
        Close();
        Directory.Delete(_state, recursive: true);
    }

    [Fact]
    public void People_are_still_there_after_a_restart()
    {
        Identity ada = Identity.Create("Ada Lovelace", [new(Pack, Face((0, 1)), [1, 2, 3]), new(Pack, Face((0, 0.9f)))], TimeProvider.System);
        Open().Add(ada);
        Close();

        IdentityStore store = Open();
        Identity again = Assert.Single(store.List);
        Assert.Equal(ada.Id, again.Id);
        Assert.Equal(7, ada.Id.Version);
        Assert.Equal(ada.Name, again.Name);
        Assert.Equal(ada.CreatedAt, again.CreatedAt);
        Assert.Equal(ada.References.Select(r => r.Embedding), again.References.Select(r => r.Embedding));
        Assert.Equal(ada.References.Select(r => r.Id), again.References.Select(r => r.Id));
        Assert.Equal([true, false], again.References.Select(r => r.HasCrop));
        Assert.All([.. again.References, .. ada.References], r => Assert.Null(r.Crop));
        Assert.Equal([[1, 2, 3], null], again.References.Select(r => store.ReadCrop(ada.Id, r.Id)));
        Assert.All(again.References, r => Assert.Equal(Pack, r.ModelPack));
        Assert.Empty(_log.Lines);
    }

    [Fact]
    public void A_changed_person_replaces_the_old_one()
    {
        IdentityStore store = Open();
        Identity ada = Person("Ada", Face((0, 1)));
        store.Add(ada);
        store.Add(ada.With(name: "Ada L."));
        Assert.Equal("Ada L.", Assert.Single(store.List).Name);
        Assert.Equal("Ada L.", Assert.Single(Open().List).Name);
    }

    [Fact]
    public void Erasing_a_person_leaves_the_others()
    {
        IdentityStore store = Open();
        Identity ada = Person("Ada", Face((0, 1))), bob = Person("Bob", Face((1, 1)));
        store.Add(ada);
        store.Add(bob);
        Assert.True(store.Remove(ada.Id));
        Assert.False(store.Remove(ada.Id));
        Assert.Same(bob, Assert.Single(store.List));
        Assert.Equal(bob.Id, Assert.Single(Open().List).Id);
    }

    [Fact]
    public void Of_an_erased_person_nothing_is_left_in_the_state_folder()
    {
        IdentityStore store = Open();
        Identity ada = Person("Ada Lovelace", Face((0, 1))), bob = Person("Bob", Face((1, 1)));
        store.Add(bob);
        store.Add(ada);
        var shots = new EventShots(_databases[0], DeviceKey.LoadOrCreate(_state));
        var shot = new EventShot(Guid.CreateVersion7(), "entrance", ada.Id, At(0), 1, Pack, Face((0, 1)), new byte[9000]);
        Assert.True(_databases[0].Write(c => shots.Keep(c, shot, recordedAt: 1)));
        File.WriteAllBytes(Path.Combine(_state, "state.db.before-1"), CopyOfDatabase());
        File.WriteAllBytes(Path.Combine(_state, "state.db.damaged-20260101T000000000Z"), CopyOfDatabase());
        _databases[0].MakeDailyCopy();
        // Of what is longer than a page's share, a piece from the front: the rest lies elsewhere.
        byte[][] traces = _databases[0].Read(c => new[]
        {
            Encoding.UTF8.GetBytes("Lovelace"),
            Blob(c, $"SELECT wrapped FROM vault_keys WHERE owner = 'identity:{ada.Id:D}'"),
            Blob(c, $"SELECT name FROM identities WHERE id = '{ada.Id:D}'"),
            Blob(c, $"SELECT template FROM identity_references WHERE identity_id = '{ada.Id:D}'")[..40],
            Blob(c, "SELECT template FROM event_shots")[..40],
            // From the middle: a page of its own.
            Blob(c, "SELECT picture FROM event_shots")[6000..6040],
        });
        byte[] wrapped = _databases[0].Read(c => Blob(c, $"SELECT wrapped FROM vault_keys WHERE owner = 'identity:{bob.Id:D}'"));
        Assert.All(traces[1..], trace => Assert.NotEmpty(FilesWith(trace)));
        Assert.Contains("state.db.daily", FilesWith(traces[1]));

        Assert.True(store.Remove(ada.Id));

        Assert.All(traces, trace => Assert.Empty(FilesWith(trace)));
        Assert.Contains("state.db.daily", FilesWith(wrapped));
    }

    [Fact]
    public void Photos_stay_and_keep_their_names_while_others_come_and_go()
    {
        IdentityStore store = Open();
        FaceReference first = new(Pack, Face((0, 1)), [1]), second = new(Pack, Face((0, 0.9f)), [2]), third = new(Pack, Face((0, 0.8f)), [3]);
        Identity ada = Identity.Create("Ada", [first, second], TimeProvider.System);
        store.Add(ada);
        store.Add(ada.With(name: "Ada L.", references: [third, second, first]));
        store.Add(store.Find(ada.Id)!.With(references: [third, first]));
        foreach (IdentityStore read in (IdentityStore[])[store, Open()])
        {
            Assert.Equal([third.Id, first.Id], read.Find(ada.Id)!.References.Select(r => r.Id));
            Assert.Equal([[3], [1]], read.Find(ada.Id)!.References.Select(r => read.ReadCrop(ada.Id, r.Id)!));
            Assert.Null(read.ReadCrop(ada.Id, second.Id));
            Assert.Null(read.ReadCrop(Guid.NewGuid(), first.Id));
        }
    }

    [Fact]
    public void Of_a_photo_that_is_taken_away_no_copy_is_left()
    {
        IdentityStore store = Open();
        Identity ada = Identity.Create("Ada", [new(Pack, Face((0, 1)), [1]), new(Pack, Face((0, 0.9f)), [2])], TimeProvider.System);
        store.Add(ada);
        _databases[0].MakeDailyCopy();
        byte[] crop = _databases[0].Read(c => Blob(c, $"SELECT crop FROM identity_references WHERE photo_id = '{ada.References[1].Id:D}'"));
        Assert.Contains("state.db.daily", FilesWith(crop));
        store.Change(ada.Id, now => now.With(references: [now.References[0]]));
        Assert.Empty(FilesWith(crop));
    }

    [Fact]
    public void Who_somebody_said_it_is_not_is_remembered_up_to_a_bound()
    {
        Identity ada = Person("Ada", Face((0, 1)));
        FaceReference[] negatives = [.. Enumerable.Range(1, Identity.NegativesAtMost + 2).Select(i => new FaceReference(Pack, Face((i, 1))))];
        IdentityStore store = Open();
        store.Add(ada.With(negatives: negatives));
        Assert.Equal(negatives.Skip(2).Select(n => n.Embedding), Open().Find(ada.Id)!.Negatives.Select(n => n.Embedding));
        store.Remove(ada.Id);
        Assert.Equal(0L, _databases[0].Read(c => Sql.Scalar(c, "SELECT count(*) FROM identity_negatives")));
    }

    [Fact]
    public void Photos_that_an_earlier_version_wrote_get_names()
    {
        IdentityStore store = Open();
        Identity ada = Person("Ada", Face((0, 1)), Face((0, 0.9f)));
        store.Add(ada);
        _databases[0].Write(c => Sql.Execute(c, "UPDATE identity_references SET photo_id = NULL"));
        FaceReference[] named = [.. Open().Find(ada.Id)!.References];
        Assert.Equal(2, named.Select(r => r.Id).Distinct().Count());
        Assert.Equal(named.Select(r => r.Id), Open().Find(ada.Id)!.References.Select(r => r.Id));
    }

    [Fact]
    public void Every_change_is_told()
    {
        IdentityStore store = Open();
        int version = store.Version, told = 0;
        store.Changed += () => told++;
        Identity ada = Person("Ada", Face((0, 1)));
        store.Add(ada);
        store.Remove(ada.Id);
        store.Remove(ada.Id);
        Assert.Equal(2, told);
        Assert.Equal(version + 2, store.Version);
    }

    [Fact]
    public void What_the_shell_changes_a_running_node_takes_up_and_who_did_not_change_stays_the_same()
    {
        IdentityStore node = Open(), shell = Open();
        Identity ada = Person("Ada", Face((0, 1))), bob = Person("Bob", Face((1, 1)));
        node.Add(bob);
        int told = 0;
        node.Changed += () => told++;
        node.Refresh();
        Assert.Equal(0, told);
        shell.Refresh();
        shell.Add(ada);
        Assert.Single(node.List);
        node.Refresh();
        Assert.Equal(1, told);
        Assert.Same(bob, node.Find(bob.Id));
        Assert.Equal(2, node.List.Count);
        shell.Remove(bob.Id);
        // A change of its own does not hide another's.
        node.Add(ada.With(name: "Ada L."));
        Assert.Equal("Ada L.", Assert.Single(node.List).Name);
    }

    [Fact]
    public void A_change_keeps_what_another_process_changed_and_brings_nobody_back_who_was_erased()
    {
        IdentityStore node = Open(), shell = Open();
        Identity ada = Person("Ada", Face((0, 1)));
        node.Add(ada);
        FaceReference one = new(Pack, Face((1, 1))), two = new(Pack, Face((2, 1)));
        Assert.NotNull(shell.Change(ada.Id, now => now.With(references: [.. now.References, one])));
        Assert.Equal(3, node.Change(ada.Id, now => now.With(references: [.. now.References, two]))!.References.Count);
        Assert.Equal(3, Assert.Single(Open().List).References.Count);

        shell.Refresh();
        Assert.True(shell.Remove(ada.Id));
        Assert.Null(node.Change(ada.Id, now => now.With(name: "Ada L.")));
        Assert.Empty(node.List);
        Assert.Empty(Open().List);
    }

    [Fact]
    public void Names_and_faces_are_not_readable_on_disk_and_files_are_the_owners_alone()
    {
        IdentityStore store = Open();
        store.Add(Person("Ada Lovelace", Face((0, 1))));
        _databases[0].MakeDailyCopy();
        Assert.Empty(FilesWith(Encoding.UTF8.GetBytes("Lovelace")));
        const UnixFileMode ownerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.All(Directory.GetFiles(_state), file => Assert.Equal(ownerOnly, File.GetUnixFileMode(file)));
        Assert.Equal(32, new FileInfo(Path.Combine(_state, DeviceKey.FileName)).Length);
    }

    [Fact]
    public void A_device_key_that_others_may_read_is_taken_from_them()
    {
        string path = Path.Combine(_state, DeviceKey.FileName);
        DeviceKey.LoadOrCreate(_state);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        DeviceKey.LoadOrCreate(_state);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }

    [Fact]
    public void A_damaged_device_key_is_refused_and_not_replaced()
    {
        string path = Path.Combine(_state, DeviceKey.FileName);
        File.WriteAllBytes(path, new byte[31]);
        Assert.Contains("restore it from a backup", Assert.Throws<InvalidDataException>(() => DeviceKey.LoadOrCreate(_state)).Message);
        Assert.Equal(31, new FileInfo(path).Length);
    }

    [Theory]
    [InlineData("a changed name", "UPDATE identities SET name = zeroblob(40) WHERE id = $ada")]
    [InlineData("another one's name", "UPDATE identities SET name = (SELECT name FROM identities WHERE id = $bob) WHERE id = $ada")]
    [InlineData("another one's face", "UPDATE identity_references SET template = (SELECT template FROM identity_references WHERE identity_id = $bob) WHERE identity_id = $ada")]
    [InlineData("no face", "DELETE FROM identity_references WHERE identity_id = $ada")]
    [InlineData("another one's key", "UPDATE vault_keys SET wrapped = (SELECT wrapped FROM vault_keys WHERE owner = 'identity:' || $bob) WHERE owner = 'identity:' || $ada")]
    [InlineData("no key", "DELETE FROM vault_keys WHERE owner = 'identity:' || $ada")]
    public void A_person_that_was_tampered_with_is_left_out_and_the_others_are_read(string damage, string sql)
    {
        IdentityStore store = Open();
        Identity ada = Person("Ada", Face((0, 1))), bob = Person("Bob", Face((1, 1)));
        store.Add(ada);
        store.Add(bob);
        Assert.NotEqual(0, _databases[0].Write(c => Sql.Execute(c, sql, ("$ada", $"{ada.Id:D}"), ("$bob", $"{bob.Id:D}"))));
        IdentityStore again = Open();
        Assert.True(Assert.Single(again.List).Name == "Bob", damage);
        string line = Assert.Single(_log.Lines);
        Assert.Contains("left out", line);
        Assert.DoesNotContain("Ada", line);

        // The warning comes once a start.
        again.Add(Person("Eve", Face((2, 1))));
        again.Refresh();
        Assert.Single(_log.Lines);
    }

    [Fact]
    public void Files_of_version_0_1_are_moved_into_the_database_once()
    {
        string folder = Directory.CreateDirectory(Path.Combine(_state, IdentityFile.FolderName)).FullName;
        DeviceKey key = DeviceKey.LoadOrCreate(_state);
        Identity ada = Person("Ada", Face((0, 1))), bob = Person("Bob", Face((1, 1)));
        File.WriteAllBytes(FileOf(ada), IdentityFile.Encode(ada, key));
        File.WriteAllBytes(FileOf(bob), [.. IdentityFile.Encode(ada, key)]);
        File.WriteAllText(FileOf(ada) + ".tmp", "half");

        Assert.Equal(ada.Id, Assert.Single(Open().List).Id);
        Assert.Equal([FileOf(bob) + IdentityFile.SetAsideExtension], Directory.GetFiles(folder));
        string line = Assert.Single(_log.Lines);
        Assert.Contains("set aside", line);
        Assert.DoesNotContain("Bob", line);
        Close();
        Assert.Equal(ada.Id, Assert.Single(Open().List).Id);
        Assert.Single(_log.Lines);

        string FileOf(Identity identity) => Path.Combine(folder, $"{identity.Id:N}{IdentityFile.Extension}");
    }

    [SkippableFact]
    public void What_root_writes_belongs_to_the_owner_of_the_folder()
    {
        Skip.IfNot(Environment.IsPrivilegedProcess, "Only root may give files away.");
        Run("chown", "12345:23456", _state);
        Open().Add(Person("Ada", Face((0, 1))));
        _databases[0].MakeDailyCopy();
        SigningKey.LoadOrCreate(_state).Dispose();
        NodeLock.Take(_state).Dispose();
        string[] all = Directory.GetFileSystemEntries(_state, "*", SearchOption.AllDirectories);
        Assert.Contains(Path.Combine(_state, "state.db-wal"), all);
        Assert.All(all, path => Assert.Equal($"12345:23456 {path}", Run("stat", "-c", "%u:%g %n", path).Trim()));
    }

    [Fact]
    public void What_cannot_be_an_identity_is_refused_with_a_sentence()
    {
        FaceReference[] one = [new(Pack, Face((0, 1)))];
        Assert.Contains("1 to 100 characters", Assert.Throws<ArgumentException>(() => Identity.Create("  ", one, TimeProvider.System)).Message);
        Assert.Contains("control character", Assert.Throws<ArgumentException>(() => Identity.Create("a\nb", one, TimeProvider.System)).Message);
        Assert.Contains("reference faces", Assert.Throws<ArgumentException>(() => Identity.Create("Ada", [], TimeProvider.System)).Message);
        Assert.Contains("unit length", Assert.Throws<ArgumentException>(() => new FaceReference(Pack, [float.NaN, 0])).Message);
        Assert.Contains("unit length", Assert.Throws<ArgumentException>(() => new FaceReference(Pack, [1, 1])).Message);
        Assert.Contains("crop", Assert.Throws<ArgumentException>(() => new FaceReference(Pack, Face((0, 1)), [])).Message);
    }

    private IdentityStore Open()
    {
        StateDatabase database = StateDatabase.Open(_state);
        _databases.Add(database);
        return IdentityStore.Open(database, DeviceKey.LoadOrCreate(_state), _log);
    }

    private void Close()
    {
        foreach (StateDatabase database in _databases)
            database.Dispose();
        _databases.Clear();
    }

    private static byte[] Blob(SqliteConnection connection, string sql) => (byte[])Sql.Scalar(connection, sql)!;

    private byte[] CopyOfDatabase()
    {
        string copy = Path.Combine(_state, "copy");
        _databases[0].CopyTo(copy);
        byte[] content = File.ReadAllBytes(copy);
        File.Delete(copy);
        return content;
    }

    // From a copy that another process makes: this one would lose SQLite's locks (fcntl(2)) with the first of its files that it closes.
    private string[] FilesWith(byte[] bytes)
    {
        using var copy = new TemporaryFolder();
        Run("cp", "-r", _state, copy.Path);
        return [.. Directory.GetFiles(copy.Path, "*", SearchOption.AllDirectories).Where(f => File.ReadAllBytes(f).AsSpan().IndexOf(bytes) >= 0).Select(f => Path.GetFileName(f))];
    }

    private static string Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return output;
    }
}
