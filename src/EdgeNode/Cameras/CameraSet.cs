using EdgeNode.Configuration;

namespace EdgeNode.Cameras;

/// <summary>
/// All cameras of the node, which come and go while it runs. Readers see an immutable list and never wait; changes are made one
/// after another, and touch no other camera.
/// </summary>
public sealed class CameraSet : IDisposable
{
    private readonly Func<CameraConfiguration, Camera?, Camera> _make;
    private readonly Lock _changing = new();
    private volatile Snapshot _now;
    private bool _isStarted;
    private bool _isDisposed;

    /// <summary>
    /// Makes the first cameras. <paramref name="make"/> wires one; its second argument is the camera, ended already, whose place it takes, or null.
    /// </summary>
    public CameraSet(IEnumerable<CameraConfiguration> cameras, Func<CameraConfiguration, Camera?, Camera> make)
    {
        _make = make;
        _now = new Snapshot([.. cameras.Select(camera => make(camera, null))]);
    }

    /// <summary>A camera was removed: everything of it has ended. Called by who removed it; be brief.</summary>
    public event Action<string>? Removed;

    /// <summary>In the order of the configuration, then as they were added.</summary>
    public IReadOnlyList<Camera> All => _now.All;

    /// <summary>The camera with this id; null when there is none.</summary>
    public Camera? Find(string id) => _now.ById.GetValueOrDefault(id);

    /// <summary>Starts every camera, and from now on each that is added.</summary>
    public void Start()
    {
        lock (_changing)
        {
            _isStarted = true;
            foreach (Camera camera in All)
                camera.Start();
        }
    }

    /// <summary>Adds a camera and starts it; false when its id is another's.</summary>
    public bool TryAdd(CameraConfiguration configuration)
    {
        lock (_changing)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (Find(configuration.Id) is not null)
                return false;
            Camera camera = _make(configuration, null);
            _now = new Snapshot([.. _now.All, camera]);
            if (_isStarted)
                camera.Start();
            return true;
        }
    }

    /// <summary>
    /// Puts a camera in the place of the one with the same id: that one ends first (a camera may allow a single client), and its viewers
    /// go on in the same stream. One that did not change is left alone. False when there is none with that id.
    /// </summary>
    public bool TryReplace(CameraConfiguration configuration)
    {
        lock (_changing)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (Find(configuration.Id) is not Camera old)
                return false;
            if (old.Configuration == configuration)
                return true;
            old.Dispose();
            Camera camera = _make(configuration, old);
            _now = new Snapshot([.. _now.All.Select(c => c == old ? camera : c)]);
            if (_isStarted)
                camera.Start();
            return true;
        }
    }

    /// <summary>Takes a camera out and ends everything of it, its open events included; false when there is none with that id.</summary>
    public bool TryRemove(string id)
    {
        lock (_changing)
        {
            if (Find(id) is not Camera camera)
                return false;
            _now = new Snapshot([.. _now.All.Where(c => c != camera)]);
            camera.Dispose();
        }

        Removed?.Invoke(id);
        return true;
    }

    /// <summary>Ends every camera at once, so that one that hangs does not hold up the others.</summary>
    public void Dispose()
    {
        lock (_changing)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
            // Threads of their own: a pool that grows by one a second would end 16 cameras one after another.
            Thread[] endings = [.. All.Select(camera => new Thread(camera.Dispose, 128 << 10) { IsBackground = true })];
            foreach (Thread ending in endings)
                ending.Start();
            foreach (Thread ending in endings)
                ending.Join();
        }
    }

    private sealed class Snapshot(Camera[] all)
    {
        public Camera[] All => all;

        public Dictionary<string, Camera> ById { get; } = all.ToDictionary(c => c.Id, StringComparer.Ordinal);
    }
}
