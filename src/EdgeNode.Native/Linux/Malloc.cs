using System.Runtime.InteropServices;

namespace EdgeNode.Native.Linux;

/// <summary>How glibc's allocator keeps its memory (mallopt(3)).</summary>
public static partial class Malloc
{
    private const int ArenaMax = -8;

    /// <summary>
    /// Has all threads allocate from one heap. With one for each thread, as is the default, every camera's thread keeps holes of its
    /// own; the allocator is called too seldom for threads to wait for each other.
    /// </summary>
    public static void UseOneArena() => _ = MallOpt(ArenaMax, 1);

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int MallOpt(int parameter, int value);
}
