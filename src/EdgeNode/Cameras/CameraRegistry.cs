using EdgeNode.Configuration;
using Microsoft.Extensions.Logging;

namespace EdgeNode.Cameras;

/// <summary>Why a camera was not added, changed or removed.</summary>
public enum CameraRefusal
{
    /// <summary>There is no camera with that id.</summary>
    Unknown,

    /// <summary>Its id is another camera's.</summary>
    Taken,

    /// <summary>There are as many cameras as may be.</summary>
    Full,

    /// <summary>It stands in the configuration file.</summary>
    OfTheFile,
}

/// <summary>A change of the cameras that is not made; the message is one sentence that says what to do.</summary>
public sealed class CameraRefusedException(CameraRefusal reason, string message) : Exception(message)
{
    /// <summary>Why.</summary>
    public CameraRefusal Reason { get; } = reason;
}

/// <summary>
/// Which cameras the node has: those of the configuration file, and those that were added while it ran, which it keeps. What the file
/// names comes first: it cannot be changed here. Changes are written before they are carried out. Thread-safe.
/// </summary>
public sealed class CameraRegistry
{
    /// <summary>Cameras of one node at most, those of the file not counted.</summary>
    public const int AddedAtMost = 64;

    private readonly CameraStore _store;
    private readonly ILogger _log;
    private readonly Lock _changing = new();
    private Dictionary<string, CameraConfiguration> _added;
    private HashSet<string> _ofTheFile;

    /// <summary>Reads what was added before; <paramref name="ofTheFile"/> are the cameras of the configuration.</summary>
    /// <exception cref="IOException">The database cannot be read.</exception>
    public CameraRegistry(IReadOnlyList<CameraConfiguration> ofTheFile, CameraStore store, Func<CameraConfiguration, Camera?, Camera> make, ILogger log)
    {
        _store = store;
        _log = log;
        _ofTheFile = Ids(ofTheFile);
        _added = store.List().ToDictionary(c => c.Id, StringComparer.Ordinal);
        foreach (string id in _added.Keys.Where(_ofTheFile.Contains))
            WarnOfTwo(id);
        Cameras = new CameraSet([.. ofTheFile, .. _added.Values.Where(c => !_ofTheFile.Contains(c.Id))], make);
    }

    /// <summary>The cameras that run.</summary>
    public CameraSet Cameras { get; }

    /// <summary>Whether the camera stands in the configuration file.</summary>
    public bool IsOfTheFile(string id)
    {
        lock (_changing)
            return _ofTheFile.Contains(id);
    }

    /// <summary>Keeps a camera and starts it.</summary>
    /// <exception cref="CameraRefusedException">It is not added; the message says why.</exception>
    /// <exception cref="IOException">It could not be kept, and is not added.</exception>
    public void Add(CameraConfiguration camera)
    {
        lock (_changing)
        {
            if (Cameras.Find(camera.Id) is not null)
                throw new CameraRefusedException(CameraRefusal.Taken, $"There is a camera '{camera.Id}' already: change it with PUT, or choose another id.");
            if (_added.Count >= AddedAtMost && !_added.ContainsKey(camera.Id))
                throw new CameraRefusedException(CameraRefusal.Full, $"The node keeps {AddedAtMost} cameras at most: remove one first.");
            _store.Put(camera);
            _added[camera.Id] = camera;
            Cameras.TryAdd(camera);
        }
    }

    /// <summary>Keeps the camera that <paramref name="change"/> makes of the one with that id, and puts it in its place.</summary>
    /// <exception cref="CameraRefusedException">It is not changed; the message says why.</exception>
    /// <exception cref="IOException">It could not be kept, and is not changed.</exception>
    public CameraConfiguration Change(string id, Func<CameraConfiguration, CameraConfiguration> change)
    {
        lock (_changing)
        {
            CameraConfiguration changed = change(Own(id));
            _store.Put(changed);
            _added[id] = changed;
            Cameras.TryReplace(changed);
            return changed;
        }
    }

    /// <summary>Forgets a camera and ends it.</summary>
    /// <exception cref="CameraRefusedException">It is not removed; the message says why.</exception>
    /// <exception cref="IOException">It could not be written, and runs on.</exception>
    public void Remove(string id)
    {
        lock (_changing)
        {
            Own(id);
            _store.Remove(id);
            _added.Remove(id);
            Cameras.TryRemove(id);
        }
    }

    /// <summary>Carries out what changed in the file: its cameras are added, replaced and removed; those that did not change are left alone.</summary>
    public void Apply(IReadOnlyList<CameraConfiguration> ofTheFile)
    {
        lock (_changing)
        {
            HashSet<string> before = _ofTheFile;
            _ofTheFile = Ids(ofTheFile);
            foreach (string id in before.Where(id => !_ofTheFile.Contains(id)))
            {
                // One that was added under the same id comes out from behind the file's.
                if (_added.TryGetValue(id, out CameraConfiguration? added))
                    Cameras.TryReplace(added);
                else
                    Cameras.TryRemove(id);
            }

            foreach (CameraConfiguration camera in ofTheFile)
            {
                if (_added.ContainsKey(camera.Id) && !before.Contains(camera.Id))
                    WarnOfTwo(camera.Id);
                if (!Cameras.TryReplace(camera))
                    Cameras.TryAdd(camera);
            }
        }
    }

    private CameraConfiguration Own(string id)
    {
        if (_ofTheFile.Contains(id))
            throw new CameraRefusedException(CameraRefusal.OfTheFile, $"Camera '{id}' stands in the configuration file: change it there, and reload the configuration.");
        return _added.TryGetValue(id, out CameraConfiguration? camera)
            ? camera
            : throw new CameraRefusedException(CameraRefusal.Unknown, $"There is no camera '{id}' here.");
    }

    private void WarnOfTwo(string id) =>
        _log.LogWarning("Camera {Camera} stands in the configuration file and was added by the API too: the file's is used.", id);

    private static HashSet<string> Ids(IReadOnlyList<CameraConfiguration> cameras) => cameras.Select(c => c.Id).ToHashSet(StringComparer.Ordinal);
}
