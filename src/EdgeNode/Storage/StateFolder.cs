namespace EdgeNode.Storage;

/// <summary>The folder of everything that lasts.</summary>
public static class StateFolder
{
    /// <summary>Makes the folder, its owner's alone, where it is missing, and ends a restoration that was interrupted.</summary>
    /// <exception cref="IOException">It cannot be had; the message says what to do.</exception>
    public static void Ensure(string path)
    {
        try
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            string probe = Path.Combine(path, $".writable-{Guid.NewGuid():N}");
            File.Create(probe, 1, FileOptions.DeleteOnClose).Dispose();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"The state folder '{path}' cannot be written: set node.state to a folder that this user may write.", fault);
        }

        StateBackup.FinishRestoration(path);
    }
}
