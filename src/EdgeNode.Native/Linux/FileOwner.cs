using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace EdgeNode.Native.Linux;

/// <summary>
/// Gives what root makes to the owner and group of the folder it lies in (chown(2)), so that a service that runs as another user can
/// read what was made for it with sudo. Without root it does nothing; where the file system knows no owners, nothing happens either.
/// </summary>
public static unsafe partial class FileOwner
{
    private const int CurrentFolder = -100;
    private const uint UserAndGroup = 0x8 | 0x10;

    // struct statx is the same for all processors, unlike struct stat: 256 bytes, of which the user and group are 32-bit words.
    private const int StatxBytes = 256;
    private const int UserAt = 20 / sizeof(uint);
    private const int GroupAt = 24 / sizeof(uint);

    /// <summary>Gives an open file to the owner of <paramref name="folder"/>.</summary>
    public static void Inherit(string folder, SafeFileHandle file)
    {
        if (TryOwner(folder, out uint user, out uint group))
            _ = FChOwn(file, user, group);
    }

    /// <summary>Gives a folder to the owner of <paramref name="parent"/>; a symbolic link is not followed.</summary>
    public static void Inherit(string parent, string folder)
    {
        if (TryOwner(parent, out uint user, out uint group))
            _ = LChOwn(folder, user, group);
    }

    private static bool TryOwner(string folder, out uint user, out uint group)
    {
        uint* status = stackalloc uint[StatxBytes / sizeof(uint)];
        bool isKnown = Environment.IsPrivilegedProcess && StatX(CurrentFolder, folder, 0, UserAndGroup, status) == 0;
        (user, group) = isKnown ? (status[UserAt], status[GroupAt]) : default;
        return isKnown;
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int folder, string path, int flags, uint mask, uint* status);

    [LibraryImport("libc", EntryPoint = "fchown")]
    private static partial int FChOwn(SafeFileHandle file, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "lchown", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LChOwn(string path, uint user, uint group);
}
