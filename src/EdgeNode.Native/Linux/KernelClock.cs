using System.Runtime.InteropServices;

namespace EdgeNode.Native.Linux;

/// <summary>What the kernel knows of its clock (adjtimex(2)).</summary>
public static unsafe partial class KernelClock
{
    private const int TimeError = 5;

    // struct timex is 208 bytes on 64-bit Linux; with modes 0 the call only reads.
    private const int TimexBytes = 256;

    /// <summary>Whether a time service has set the clock (NTP, PTP) and keeps it: adjtimex does not answer TIME_ERROR.</summary>
    public static bool IsSynchronized()
    {
        byte* timex = stackalloc byte[TimexBytes];
        new Span<byte>(timex, TimexBytes).Clear();
        int state = AdjTimex(timex);
        return state is >= 0 and not TimeError;
    }

    [LibraryImport("libc", EntryPoint = "adjtimex")]
    private static partial int AdjTimex(byte* timex);
}
