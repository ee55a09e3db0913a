using System.Diagnostics;
using System.Text;
using EdgeNode.Access;
using EdgeNode.Gallery;
using EdgeNode.Storage;
using EdgeNode.Tests.Telemetry;
using static EdgeNode.Tests.Gallery.Faces;

namespace EdgeNode.Tests.Gallery;

public sealed class IdentityStoreTests : IDisposable
{
    private readonly string _state = Directory.CreateTempSubdirectory("edgenode-gallery-").FullName;
    private readonly ListLogger _log = new();

    public void Dispose() => Directory.Delete(_state, recursive: true);

    [Fact]
    public void People_are_still_there_after_a_restart()
    {
        Identity ada = Person("Ada Lovelace", Face((0, 1)), Face((0, 0.9f)));
        IdentityStore.Open(_state, _log).Add(ada);

        Identity again = Assert.Single(IdentityStore.Open(_state, _log).List);
        Assert.Equal(ada.Id, again.Id);
        Assert.Equal(7, ada.Id.Version);
        Assert.Equal(ada.Name, again.Name);
        Assert.Equal(ada.CreatedAt, again.CreatedAt);
        Assert.Equal(ada.References.Select(r => r.Embedding), again.References.Select(r => r.Embedding));
        Assert.All(again.References, r => Assert.Equal(Pack, r.ModelPack));
        Assert.Empty(_log.Lines);
    }

    [Fact]
    public void A_changed_person_replaces_the_old_one()
    {
        IdentityStore store = IdentityStore.Open(_state, _log);
        Identity ada = Person("Ada", Face((0, 1)));
        store.Add(ada);
        store.Add(ada.With(name: "Ada L."));
        Assert.Equal("Ada L.", Assert.Single(store.List).Name);
        Assert.Equal("Ada L.", Assert.Single(IdentityStore.Open(_state, _log).List).Name);
    }

    [Fact]
    public void Erasing_a_person_leaves_no_file_of_them()
    {
        IdentityStore store = IdentityStore.Open(_state, _log);
        Identity ada = Person("Ada", Face((0, 1))), bob = Person("Bob", Face((1, 1)));
        store.Add(ada);
        store.Add(bob);
        Assert.True(store.Remove(ada.Id));
        Assert.False(store.Remove(ada.Id));
        Assert.Same(bob, Assert.Single(store.List));
        Assert.Equal(Path.GetFileName(PathOf(bob)), Path.GetFileName(Assert.Single(IdentityFiles())));
    }

    [Fact]
    public void Every_change_is_told()
    {
        IdentityStore store = IdentityStore.Open(_state, _log);
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
    public void Names_and_faces_are_not_readable_on_disk_and_files_are_the_owners_alone()
    {
        Identity ada = Person("Ada Lovelace", Face((0, 1)));
        IdentityStore.Open(_state, _log).Add(ada);
        string path = PathOf(ada);
        Assert.DoesNotContain("Lovelace", Encoding.Latin1.GetString(File.ReadAllBytes(path)));
        const UnixFileMode ownerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.Equal(ownerOnly, File.GetUnixFileMode(path));
        Assert.Equal(ownerOnly, File.GetUnixFileMode(Path.Combine(_state, DeviceKey.FileName)));
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
        Assert.Contains("restore it from a backup", Assert.Throws<InvalidDataException>(() => IdentityStore.Open(_state, _log)).Message);
        Assert.Equal(31, new FileInfo(path).Length);
    }

    [Theory]
    [InlineData("a flipped bit")]
    [InlineData("a cut end")]
    [InlineData("nothing")]
    [InlineData("another one's file")]
    public void A_file_that_was_tampered_with_is_set_aside_and_the_others_are_read(string damage)
    {
        IdentityStore store = IdentityStore.Open(_state, _log);
        Identity ada = Person("Ada", Face((0, 1))), bob = Person("Bob", Face((1, 1)));
        store.Add(ada);
        store.Add(bob);
        byte[] content = File.ReadAllBytes(PathOf(ada));
        switch (damage)
        {
            case "a flipped bit":
                content[^1] ^= 1;
                break;
            case "a cut end":
                content = content[..20];
                break;
            case "nothing":
                content = [];
                break;
            default:
                content = File.ReadAllBytes(PathOf(bob));
                break;
        }

        File.WriteAllBytes(PathOf(ada), content);

        Assert.Equal("Bob", Assert.Single(IdentityStore.Open(_state, _log).List).Name);
        string line = Assert.Single(_log.Lines);
        Assert.Contains("set aside", line);
        Assert.DoesNotContain("Ada", line);
        Assert.True(File.Exists(PathOf(ada) + IdentityStore.SetAsideExtension));

        // The warning comes once: the next start is quiet.
        IdentityStore.Open(_state, _log);
        Assert.Single(_log.Lines);
    }

    [Fact]
    public void A_file_that_cannot_be_read_now_stays_and_so_does_the_person_in_memory()
    {
        Identity ada = Person("Ada", Face((0, 1)));
        IdentityStore node = IdentityStore.Open(_state, _log), shell = IdentityStore.Open(_state, _log);
        node.Add(ada);
        shell.Add(ada.With(references: [.. ada.References, new FaceReference(Pack, Face((0, 0.9f)))]));
        FolderChanged();
        using (Unreadable(PathOf(ada)))
        {
            node.Refresh();
            node.Refresh();
            Assert.Same(ada, Assert.Single(node.List));
        }

        Assert.Equal([PathOf(ada)], IdentityFiles());
        string line = Assert.Single(_log.Lines);
        Assert.Contains(PathOf(ada), line);
        Assert.Contains("belongs to the node's user", line);
        Assert.DoesNotContain("Ada", line);

        node.Refresh();
        Assert.Equal(2, Assert.Single(node.List).References.Count);
        Assert.Single(_log.Lines);
    }

    [Fact]
    public void A_person_whose_file_could_not_be_read_at_the_start_is_there_once_it_can_be()
    {
        Identity ada = Person("Ada", Face((0, 1)));
        IdentityStore.Open(_state, _log).Add(ada);
        IdentityStore node;
        using (Unreadable(PathOf(ada)))
            node = IdentityStore.Open(_state, _log);
        Assert.Empty(node.List);
        node.Refresh();
        Assert.Equal(ada.Id, Assert.Single(node.List).Id);
    }

    [Fact]
    public void A_look_while_nothing_changed_tells_nobody()
    {
        IdentityStore store = IdentityStore.Open(_state, _log);
        store.Add(Person("Ada", Face((0, 1))));
        FolderChanged();
        store.Refresh();
        int version = store.Version;
        using (Unreadable(PathOf(store.List[0])))
            store.Refresh();
        Assert.Equal(version, store.Version);
    }

    [SkippableFact]
    public void What_root_writes_belongs_to_the_owner_of_the_folder()
    {
        Skip.IfNot(Environment.IsPrivilegedProcess, "Only root may give files away.");
        Run("chown", "12345:23456", _state);
        Identity ada = Person("Ada", Face((0, 1)));
        IdentityStore.Open(_state, _log).Add(ada);
        SigningKey.LoadOrCreate(_state).Dispose();
        string[] all = Directory.GetFileSystemEntries(_state, "*", SearchOption.AllDirectories);
        Assert.Equal(4, all.Length);
        Assert.All(all, path => Assert.Equal("12345:23456", Run("stat", "-c", "%u:%g", path).Trim()));

        // A new version of a file too, whoever the old one belonged to.
        Run("chown", "0:0", PathOf(ada));
        IdentityStore.Open(_state, _log).Add(ada.With(name: "Ada L."));
        Assert.Equal("12345:23456", Run("stat", "-c", "%u:%g", PathOf(ada)).Trim());
    }

    [Fact]
    public void Leftovers_of_a_crash_while_writing_vanish()
    {
        IdentityStore.Open(_state, _log).Add(Person("Ada", Face((0, 1))));
        string leftover = IdentityFiles().Single() + AtomicFile.TemporaryExtension;
        File.WriteAllText(leftover, "half");
        Assert.Single(IdentityStore.Open(_state, _log).List);
        Assert.False(File.Exists(leftover));
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
    }

    private string PathOf(Identity identity) => Path.Combine(_state, IdentityStore.FolderName, $"{identity.Id:N}.identity");

    /// <summary>Held until disposed: root is kept out by the lock, others by the mode already.</summary>
    private static HeldFile Unreadable(string path)
    {
        var held = new HeldFile(path);
        File.SetUnixFileMode(path, UnixFileMode.None);
        return held;
    }

    /// <summary>Two changes within one tick of the file system's clock have one time; the tests do not wait for the next.</summary>
    private void FolderChanged() =>
        Directory.SetLastWriteTimeUtc(Path.Combine(_state, IdentityStore.FolderName), new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc));

    private static string Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return output;
    }

    private string[] IdentityFiles() => Directory.GetFiles(Path.Combine(_state, IdentityStore.FolderName));

    private sealed class HeldFile(string path) : FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None)
    {
        protected override void Dispose(bool disposing)
        {
            if (disposing)
                File.SetUnixFileMode(Name, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            base.Dispose(disposing);
        }
    }
}
