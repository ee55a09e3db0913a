namespace EdgeNode.Storage;

/// <summary>Held by a node while it runs on a state folder, so that no second one does, and nobody restores under it.</summary>
public sealed class NodeLock : IDisposable
{
    private const string FileName = "node.lock";
    private readonly FileLock _lock;

    private NodeLock(FileLock taken) => _lock = taken;

    /// <summary>Takes the folder for this process.</summary>
    /// <exception cref="IOException">A node runs on it already, or it cannot be written.</exception>
    public static NodeLock Take(string stateFolder)
    {
        StateFolder.Ensure(stateFolder);
        return new NodeLock(FileLock.TryTake(Path.Combine(stateFolder, FileName), exclusive: true)
            ?? throw new IOException($"A node runs on the state folder '{stateFolder}' already: stop it first, or set node.state to a folder of its own."));
    }

    /// <inheritdoc/>
    public void Dispose() => _lock.Dispose();
}
