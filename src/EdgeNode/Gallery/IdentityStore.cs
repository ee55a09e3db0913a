using EdgeNode.Native.Linux;
using EdgeNode.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeNode.Gallery;

/// <summary>
/// The gallery: known people in memory and, each encrypted in a file of its own, in the folder <c>identities</c> of the state
/// folder. Thread-safe; readers see an immutable list and never wait for the disk.
/// </summary>
public sealed class IdentityStore
{
    /// <summary>Name of the folder in the state folder.</summary>
    public const string FolderName = "identities";

    /// <summary>People that one gallery holds at most.</summary>
    public const int IdentitiesAtMost = 10_000;

    /// <summary>What the name of a file that is damaged gets appended; such files are kept for a maintainer and not read again.</summary>
    public const string SetAsideExtension = ".unreadable";

    private readonly string _folder;
    private readonly DeviceKey _key;
    private readonly ILogger _log;
    private readonly Lock _gate = new();
    private DateTime _readAt;
    private HashSet<string> _unread = [];
    private volatile Snapshot _snapshot = new([], 0);

    private IdentityStore(string folder, DeviceKey key, ILogger log)
    {
        _folder = folder;
        _key = key;
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
    /// Opens the gallery of a state folder; makes folder and device key at the first use. Damaged files are set aside with a
    /// warning; those that cannot be read now stay, and <see cref="Refresh"/> looks at them again.
    /// </summary>
    /// <exception cref="IOException">The folder cannot be read or made.</exception>
    /// <exception cref="InvalidDataException">The device key is none.</exception>
    public static IdentityStore Open(string stateFolder, ILogger log)
    {
        DeviceKey key = DeviceKey.LoadOrCreate(stateFolder);
        string folder = Path.Combine(stateFolder, FolderName);
        if (!Directory.Exists(folder))
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            FileOwner.Inherit(stateFolder, folder);
        }

        foreach (string leftover in Directory.EnumerateFiles(folder, "*" + AtomicFile.TemporaryExtension))
            File.Delete(leftover);
        var store = new IdentityStore(folder, key, log);
        store.Load();
        return store;
    }

    /// <summary>A gallery that is never written: for a folder of photos given on the command line.</summary>
    public static IdentityStore InMemory(IEnumerable<Identity> identities) =>
        new(string.Empty, null!, NullLogger.Instance) { _snapshot = new([.. identities], 1) };

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
    /// runs. Costs one look at the folder where nothing changed. A file that cannot be read now is neither moved nor taken for an
    /// erased person: who was read from it before stays, and the next call looks again.
    /// </summary>
    /// <exception cref="IOException">The folder cannot be read; the gallery is as it was.</exception>
    public void Refresh()
    {
        try
        {
            lock (_gate)
            {
                // What keeps a file from being read (its owner, a lack of file handles) does not change the folder.
                if (Directory.GetLastWriteTimeUtc(_folder) == _readAt && _unread.All(IsStillUnreadable))
                    return;
                Load();
            }
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"The gallery {_folder} cannot be read: see that it belongs to the node's user.", e);
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
            int place = IndexOf(old, identity.Id);
            if (place < 0 && old.Identities.Length >= IdentitiesAtMost)
                throw new InvalidOperationException($"The gallery is full with {IdentitiesAtMost} people: remove some first.");
            if (_folder.Length > 0)
                AtomicFile.Write(PathOf(identity.Id), IdentityFile.Encode(identity, _key));
            Identity[] identities = place < 0 ? [.. old.Identities, identity] : [.. old.Identities];
            if (place >= 0)
                identities[place] = identity;
            _snapshot = new(identities, old.Version + 1);
        }

        Changed?.Invoke();
    }

    /// <summary>Erases a person, file included; false when there is none with that id.</summary>
    /// <exception cref="IOException">The file could not be deleted; the person is still there.</exception>
    public bool Remove(Guid id)
    {
        lock (_gate)
        {
            Snapshot old = _snapshot;
            int place = IndexOf(old, id);
            if (place < 0)
                return false;
            if (_folder.Length > 0)
            {
                string path = PathOf(id);
                File.Delete(path);
                File.Delete(path + AtomicFile.TemporaryExtension);
                File.Delete(path + SetAsideExtension);
            }

            _snapshot = new([.. old.Identities.Where(i => i.Id != id)], old.Version + 1);
        }

        Changed?.Invoke();
        return true;
    }

    private static int IndexOf(Snapshot snapshot, Guid id) => Array.FindIndex(snapshot.Identities, i => i.Id == id);

    private string PathOf(Guid id) => Path.Combine(_folder, $"{id:N}{IdentityFile.Extension}");

    private void Load()
    {
        DateTime readAt = Directory.GetLastWriteTimeUtc(_folder);
        var identities = new List<Identity>();
        var unread = new HashSet<string>();
        Exception? hindrance = null;
        foreach (string path in Directory.EnumerateFiles(_folder, "*" + IdentityFile.Extension))
        {
            if (identities.Count >= IdentitiesAtMost)
            {
                _log.LogWarning("The gallery holds {Count} people at most: the other files in {Folder} are not read.", IdentitiesAtMost, _folder);
                break;
            }

            try
            {
                identities.Add(Read(path));
            }
            catch (InvalidDataException e)
            {
                SetAside(path, e.Message);
            }
            catch (FileNotFoundException)
            {
                // Erased since the folder was read.
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                unread.Add(path);
                hindrance = e;
                if (Guid.TryParseExact(Path.GetFileNameWithoutExtension(path), "N", out Guid id) && Find(id) is Identity known)
                    identities.Add(known);
            }
        }

        if (unread.Except(_unread).FirstOrDefault() is string first)
        {
            _log.LogWarning("{Count} identity files cannot be read now and stay as they are, among them {Path}: see that it belongs to the node's user. ({Reason})",
                unread.Count, first, hindrance!.Message);
        }

        identities.Sort((a, b) => a.CreatedAt != b.CreatedAt ? a.CreatedAt.CompareTo(b.CreatedAt) : a.Id.CompareTo(b.Id));
        _snapshot = new([.. identities], _snapshot.Version + 1);
        _unread = unread;
        _readAt = readAt;
    }

    private bool IsStillUnreadable(string path)
    {
        try
        {
            Read(path);
            return false;
        }
        catch (Exception e) when (e is InvalidDataException or FileNotFoundException)
        {
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    private Identity Read(string path)
    {
        if (!Guid.TryParseExact(Path.GetFileNameWithoutExtension(path), "N", out Guid id))
            throw new InvalidDataException("its name is not an identity's id");
        if (new FileInfo(path).Length > IdentityFile.BytesAtMost)
            throw new InvalidDataException("it is too large");
        return IdentityFile.Decode(File.ReadAllBytes(path), id, _key);
    }

    private void SetAside(string path, string reason)
    {
        try
        {
            File.Move(path, path + SetAsideExtension, overwrite: true);
            _log.LogWarning("The identity file {Path} was set aside as {Extension}, because {Reason}: enrol that person again.", path, SetAsideExtension, reason);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _log.LogWarning("The identity file {Path} was left out, because {Reason}: enrol that person again.", path, reason);
        }
    }

    internal sealed record Snapshot(Identity[] Identities, int Version);
}
