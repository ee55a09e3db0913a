using System.Runtime.InteropServices;

namespace EdgeNode.Native.Linux;

/// <summary>The environment as native libraries see it: what .NET sets does not reach their getenv(3).</summary>
public static partial class NativeEnvironment
{
    /// <summary>Sets a variable, before the library that reads it is loaded.</summary>
    public static void Set(string name, string value) => _ = SetEnv(name, value, 1);

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnv(string name, string value, int overwrite);
}
