using System.Formats.Tar;
using EdgeNode.Native.Linux;

namespace EdgeNode.Storage;

/// <summary>
/// The whole state in one file: a tar archive of the database as of one moment and of the small files beside it (keys, first token), in an
/// <see cref="EncryptedStream"/>. Restoring unpacks and checks all of it beside the old state before anything is replaced; from then on a
/// crash makes the next start finish it.
/// </summary>
public static class StateBackup
{
    /// <summary>Characters of a passphrase at least.</summary>
    public const int PassphraseLengthAtLeast = 8;

    private const string StagingFolder = "restore.new";
    private const string ReadyFolder = "restore.ready";
    private const string CopyFile = "backup.tmp";
    private const string LockFile = "backup.lock";
    private const int NameLengthAtMost = 200;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private static readonly TimeSpan WaitForCommands = TimeSpan.FromSeconds(10);

    /// <summary>Writes <paramref name="file"/>, mode 0600, complete or not at all; a node may run on the folder.</summary>
    /// <exception cref="IOException">There is no state, or it cannot be read or written; the message says what to do.</exception>
    public static void Write(string stateFolder, string file, string passphrase)
    {
        stateFolder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(stateFolder));
        if (!File.Exists(Path.Combine(stateFolder, StateDatabase.FileName)) && !File.Exists(Path.Combine(stateFolder, DeviceKey.FileName)))
            throw new IOException($"There is no state in '{stateFolder}' to back up: see that node.state names the node's folder.");
        if (Path.GetFullPath(file).StartsWith(stateFolder + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            throw new IOException("A backup inside of the state folder is lost with it: name a file elsewhere.");
        string copy = Path.Combine(stateFolder, CopyFile), temporary = file + AtomicFile.TemporaryExtension;
        using FileLock alone = FileLock.TryTake(Path.Combine(stateFolder, LockFile), exclusive: true)
            ?? throw new IOException("Another backup is being made: wait until it is done.");
        try
        {
            using (StateDatabase database = StateDatabase.Open(stateFolder))
                database.CopyTo(copy);
            File.Delete(temporary);
            using (FileStream output = new(temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
            {
                using (EncryptedStream encrypted = EncryptedStream.Create(output, file, passphrase))
                {
                    using (var archive = new TarWriter(encrypted, TarEntryFormat.Pax, leaveOpen: true))
                    {
                        archive.WriteEntry(copy, StateDatabase.FileName);
                        foreach (string path in SmallFiles(stateFolder))
                            archive.WriteEntry(path, Path.GetRelativePath(stateFolder, path));
                    }

                    encrypted.Finish();
                }

                output.Flush(flushToDisk: true);
            }

            File.Move(temporary, file, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
        finally
        {
            DatabaseFile.Delete(copy);
        }
    }

    /// <summary>Puts the state of <paramref name="file"/> in the place of that of the folder, after all of it was checked.</summary>
    /// <exception cref="InvalidDataException">It is no backup, was altered, or the passphrase is another; nothing was changed.</exception>
    /// <exception cref="IOException">A node or a command is using the folder, or there is no room; nothing was changed.</exception>
    public static void Restore(string stateFolder, string file, string passphrase)
    {
        using NodeLock node = NodeLock.Take(stateFolder);
        using FileLock alone = DatabaseFile.TakeAlone(Path.Combine(stateFolder, StateDatabase.FileName), WaitForCommands);
        string staging = Path.Combine(stateFolder, StagingFolder);
        DeleteFolder(staging);
        try
        {
            MakeFolder(staging, stateFolder);
            using (FileStream input = File.OpenRead(file))
            {
                using EncryptedStream encrypted = EncryptedStream.Open(input, file, passphrase);
                Unpack(encrypted, staging, stateFolder, file);
            }

            Check(staging, file);
        }
        catch
        {
            DeleteFolder(staging);
            throw;
        }

        Directory.Move(staging, Path.Combine(stateFolder, ReadyFolder));
        PutInPlace(stateFolder);
    }

    /// <summary>Ends a restoration that a crash interrupted after the backup had been checked.</summary>
    internal static void FinishRestoration(string stateFolder)
    {
        if (!Directory.Exists(Path.Combine(stateFolder, ReadyFolder)))
            return;
        using FileLock alone = DatabaseFile.TakeAlone(Path.Combine(stateFolder, StateDatabase.FileName), WaitForCommands);
        PutInPlace(stateFolder);
    }

    /// <summary>
    /// Deletes what a backup or a restoration that was killed has left behind: whole copies of a state, with people who may have been erased since.
    /// The caller holds the database's lock, which a restoration has alone.
    /// </summary>
    internal static void DeleteLeftovers(string stateFolder)
    {
        DeleteFolder(Path.Combine(stateFolder, StagingFolder));
        string copy = Path.Combine(stateFolder, CopyFile);
        if (!File.Exists(copy))
            return;
        // One that is being made deletes its copy itself.
        using FileLock? none = FileLock.TryTake(Path.Combine(stateFolder, LockFile), exclusive: true);
        if (none is not null)
            DatabaseFile.Delete(copy);
    }

    private static IEnumerable<string> SmallFiles(string stateFolder) =>
        Directory.EnumerateFiles(stateFolder, "*", SearchOption.AllDirectories)
            .Where(path => Path.GetRelativePath(stateFolder, path) is var name
                && !name.StartsWith(StateDatabase.FileName, StringComparison.Ordinal)
                && !name.StartsWith("restore.", StringComparison.Ordinal)
                && !name.StartsWith(CopyFile, StringComparison.Ordinal)
                && !name.StartsWith('.')
                && !name.EndsWith(".lock", StringComparison.Ordinal)
                && !name.EndsWith(AtomicFile.TemporaryExtension, StringComparison.Ordinal)
                && name != SpaceReserve.FileName)
            .Order(StringComparer.Ordinal);

    private static void Unpack(Stream encrypted, string staging, string stateFolder, string file)
    {
        using (var archive = new TarReader(encrypted, leaveOpen: true))
        {
            while (archive.GetNextEntry() is { } entry)
            {
                if (entry.EntryType != TarEntryType.RegularFile || entry.DataStream is null && entry.Length > 0 || !IsInside(entry.Name))
                    throw new InvalidDataException($"'{file}' holds '{entry.Name}', which is no part of a state: nothing was changed.");
                string path = Path.Combine(staging, entry.Name);
                MakeFolder(Path.GetDirectoryName(path)!, stateFolder);
                using FileStream output = new(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly });
                FileOwner.Inherit(stateFolder, output.SafeFileHandle);
                entry.DataStream?.CopyTo(output);
                output.Flush(flushToDisk: true);
            }
        }

        // The last chunk is what tells that nothing was cut off.
        encrypted.CopyTo(Stream.Null);
    }

    private static bool IsInside(string name) =>
        name.Length is > 0 and <= NameLengthAtMost && !Path.IsPathRooted(name) && !name.Split('/').Any(part => part is "" or "." or "..");

    private static void Check(string staging, string file)
    {
        string database = Path.Combine(staging, StateDatabase.FileName);
        if (!File.Exists(database) || DatabaseFile.Fault(database) is not null)
            throw new InvalidDataException($"'{file}' holds no sound database: nothing was changed; use another copy of it.");
        var key = new FileInfo(Path.Combine(staging, DeviceKey.FileName));
        if (key.Exists && key.Length != SealedBox.KeyBytes)
            throw new InvalidDataException($"'{file}' holds no sound device key: nothing was changed; use another copy of it.");
    }

    // May be done again from any point.
    private static void PutInPlace(string stateFolder)
    {
        string ready = Path.Combine(stateFolder, ReadyFolder), database = Path.Combine(stateFolder, StateDatabase.FileName);
        if (File.Exists(Path.Combine(ready, StateDatabase.FileName)))
        {
            // What belongs to the state that goes; the last two are version 0.1's and would be moved into the new one.
            DatabaseFile.Delete(database);
            DatabaseFile.Delete(DailyCopy.PathOf(database));
            DatabaseFile.DeleteOldStates(database, DateTime.MaxValue);
            DeleteFolder(Path.Combine(stateFolder, "identities"));
            File.Delete(Path.Combine(stateFolder, "revoked-sessions"));
        }

        foreach (string path in Directory.GetFiles(ready, "*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(stateFolder, Path.GetRelativePath(ready, path));
            MakeFolder(Path.GetDirectoryName(target)!, stateFolder);
            File.Move(path, target, overwrite: true);
        }

        DeleteFolder(ready);
    }

    private static void MakeFolder(string path, string stateFolder)
    {
        if (Directory.Exists(path))
            return;
        MakeFolder(Path.GetDirectoryName(path)!, stateFolder);
        Directory.CreateDirectory(path, OwnerOnly | UnixFileMode.UserExecute);
        FileOwner.Inherit(stateFolder, path);
    }

    private static void DeleteFolder(string path)
    {
        if (Directory.Exists(path))
            Directory.Delete(path, recursive: true);
    }
}
