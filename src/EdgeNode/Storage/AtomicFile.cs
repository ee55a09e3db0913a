using EdgeNode.Native.Linux;

namespace EdgeNode.Storage;

/// <summary>Replaces whole files so that a power cut leaves the old content or the new, never a mixture.</summary>
public static class AtomicFile
{
    /// <summary>What a file is called while it is written; such leftovers of a crash may be deleted.</summary>
    public const string TemporaryExtension = ".tmp";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private static readonly TimeSpan WaitForAnother = TimeSpan.FromSeconds(10);

    /// <summary>Makes a file that is made once and then stays, a key: where several processes come first at the same time, all find what one of them wrote.</summary>
    /// <exception cref="IOException">As for <see cref="Write"/>, or another process is at it for too long.</exception>
    public static void WriteOnce(string path, Func<byte[]> make)
    {
        if (File.Exists(path))
            return;
        using FileLock alone = FileLock.Take(path + ".lock", exclusive: true, WaitForAnother, $"{path} is being made by another process: try again.");
        if (!File.Exists(path))
            Write(path, make());
    }

    /// <summary>Writes a file of mode 0600 beside <paramref name="path"/>, syncs it, and renames it into place. What root writes belongs to the folder's owner.</summary>
    /// <exception cref="IOException">The folder is missing, full or read-only; nothing is left behind.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        string temporary = path + TemporaryExtension;
        try
        {
            File.Delete(temporary);
            var options = new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                Share = FileShare.None,
                BufferSize = 0,
                UnixCreateMode = OwnerOnly,
            };
            using (var stream = new FileStream(temporary, options))
            {
                FileOwner.Inherit(Path.GetDirectoryName(Path.GetFullPath(path))!, stream.SafeFileHandle);
                stream.Write(content);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
