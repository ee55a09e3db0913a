namespace EdgeNode.Cameras;

/// <summary>All cameras of the node.</summary>
public sealed class CameraSet : IDisposable
{
    private readonly Dictionary<string, Camera> _byId;

    /// <summary>Takes the cameras over.</summary>
    public CameraSet(IReadOnlyList<Camera> cameras)
    {
        All = cameras;
        _byId = cameras.ToDictionary(c => c.Id, StringComparer.Ordinal);
    }

    /// <summary>In the order of the configuration.</summary>
    public IReadOnlyList<Camera> All { get; }

    /// <summary>The camera with this id; null when there is none.</summary>
    public Camera? Find(string id) => _byId.GetValueOrDefault(id);

    /// <summary>Starts every camera.</summary>
    public void Start()
    {
        foreach (Camera camera in All)
            camera.Start();
    }

    /// <summary>Ends every camera at once, so that one that hangs does not hold up the others.</summary>
    public void Dispose()
    {
        // Threads of their own: a pool that grows by one a second would end 16 cameras one after another.
        Thread[] endings = [.. All.Select(camera => new Thread(camera.Dispose, 128 << 10) { IsBackground = true })];
        foreach (Thread ending in endings)
            ending.Start();
        foreach (Thread ending in endings)
            ending.Join();
    }
}
