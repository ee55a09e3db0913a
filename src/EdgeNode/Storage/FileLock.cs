using EdgeNode.Native.Linux;

namespace EdgeNode.Storage;

/// <summary>
/// A lock between processes (flock(2), as FileStream takes it): many may share it, one alone may have it. It goes with its process,
/// however that ends. The empty file stays.
/// </summary>
internal sealed class FileLock : IDisposable
{
    private const int WouldBlock = 11;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private static readonly TimeSpan BetweenTries = TimeSpan.FromMilliseconds(50);

    private readonly FileStream _file;

    private FileLock(FileStream file) => _file = file;

    /// <summary>Takes the lock; null while others hold it.</summary>
    /// <exception cref="IOException">The file cannot be made.</exception>
    internal static FileLock? TryTake(string path, bool exclusive)
    {
        try
        {
            var file = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = exclusive ? FileAccess.ReadWrite : FileAccess.Read,
                Share = exclusive ? FileShare.None : FileShare.ReadWrite,
                BufferSize = 0,
                UnixCreateMode = OwnerOnly,
            });
            FileOwner.Inherit(Path.GetDirectoryName(Path.GetFullPath(path))!, file.SafeFileHandle);
            return new FileLock(file);
        }
        catch (IOException fault) when (fault.HResult == WouldBlock)
        {
            return null;
        }
    }

    /// <summary>Takes the lock as soon as others let it.</summary>
    /// <exception cref="IOException">They did not within <paramref name="patience"/>; the message is <paramref name="refusal"/>.</exception>
    internal static FileLock Take(string path, bool exclusive, TimeSpan patience, string refusal)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            if (TryTake(path, exclusive) is FileLock taken)
                return taken;
            if (TimeProvider.System.GetElapsedTime(start) >= patience)
                throw new IOException(refusal);
            Thread.Sleep(BetweenTries);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
