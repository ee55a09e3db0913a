namespace EdgeNode.Storage;

/// <summary>
/// Room on the disk that is kept for bad times: a file of allocated, unwritten blocks. To delete from a database, too, takes room (its log grows
/// before anything gets free), and a threshold alone gives none where somebody else has filled the disk.
/// </summary>
internal sealed class SpaceReserve(string folder, long bytes)
{
    internal const string FileName = "reserve";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private readonly string _path = Path.Combine(folder, FileName);

    /// <summary>Bytes that a user may still write on the state folder's file system.</summary>
    internal long DiskFree => new DriveInfo(folder).AvailableFreeSpace;

    /// <summary>Gives the room of a state folder away; false where there is none.</summary>
    internal static bool Release(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            return false;
        File.Delete(path);
        return true;
    }

    /// <summary>Gives the room away.</summary>
    internal void Release() => File.Delete(_path);

    /// <summary>Takes the room back, where there is twice as much.</summary>
    internal void Keep()
    {
        var file = new FileInfo(_path);
        if ((file.Exists && file.Length == bytes) || DiskFree < 2 * bytes)
            return;
        try
        {
            file.Delete();
            // fallocate(2): nothing is written.
            using FileStream stream = new(_path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, PreallocationSize = bytes, UnixCreateMode = OwnerOnly });
            stream.SetLength(bytes);
        }
        catch (IOException)
        {
            File.Delete(_path);
        }
    }
}
