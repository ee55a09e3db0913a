using System.Runtime.InteropServices;

namespace EdgeNode.Native.FFmpeg;

/// <summary>
/// FFmpeg's shared libraries: found at first use, so that a node that needs none of them never loads them, and one
/// binary serves every supported release. EDGENODE_FFMPEG_DIR names a folder to take them from instead of the system's.
/// </summary>
public static unsafe class FFmpegLibrary
{
    private const string FolderVariable = "EDGENODE_FFMPEG_DIR";

    private static readonly Lazy<Libraries> Loaded = new(LoadOnce);

    /// <summary>The release in use as it names itself, such as <c>5.1.9-0+deb12u1</c>.</summary>
    /// <exception cref="FFmpegException">FFmpeg is missing or of an unknown release.</exception>
    public static string Version => Loaded.Value.Version;

    /// <summary>As <see cref="Version"/>, but null while nothing has needed FFmpeg yet.</summary>
    public static string? LoadedVersion => Loaded.IsValueCreated ? Loaded.Value.Version : null;

    internal static FFmpegLayout Layout => Loaded.Value.Layout;

    /// <summary>Loads the libraries, once.</summary>
    /// <exception cref="FFmpegException">FFmpeg is missing or of an unknown release; the message says what to do.</exception>
    public static void Load() => _ = Loaded.Value;

    /// <summary>Finds a matching set of libraries in <paramref name="folder"/>, or where the system keeps its own.</summary>
    internal static Libraries Find(string? folder)
    {
        string? incomplete = null;
        foreach (FFmpegRelease release in FFmpegRelease.Supported)
        {
            // Parts that the others were linked against come first: a folder that the system's loader does not
            // know is searched by nobody but us.
            if (!TryLoad(folder, "avutil", release.Util, out nint util))
                continue;
            if (folder is not null)
                LoadResampler(folder);
            if (!TryLoad(folder, "avcodec", release.Codec, out nint codec))
                continue;
            int major = MajorOf(codec, "avcodec_version");
            if (major != release.Codec)
                throw Unknown(major);
            if (!TryLoad(folder, "avformat", release.Format, out nint format))
            {
                incomplete = $"FFmpeg {release.Name} is here without libavformat.so.{release.Format}: install the package libavformat{release.Format}.";
                continue;
            }

            int utilMajor = MajorOf(util, "avutil_version");
            int formatMajor = MajorOf(format, "avformat_version");
            if (utilMajor != release.Util || formatMajor != release.Format)
                throw new FFmpegException($"FFmpeg's libraries do not belong together (libavcodec {major}, libavformat {formatMajor}, libavutil {utilMajor}): install those of one release, {FFmpegRelease.Packages}.");
            return new Libraries(format, codec, util, new FFmpegLayout(release.Column), VersionOf(util));
        }

        if (incomplete is not null)
            throw new FFmpegException(incomplete);
        foreach (int major in OtherMajors(folder))
        {
            if (TryLoad(folder, "avcodec", major, out nint codec))
                throw Unknown(MajorOf(codec, "avcodec_version"));
        }

        throw new FFmpegException($"FFmpeg's libraries are not {(folder is null ? "installed" : "in the folder that " + FolderVariable + " names")}: install {FFmpegRelease.Packages}.");
    }

    private static Libraries LoadOnce()
    {
        string? folder = Environment.GetEnvironmentVariable(FolderVariable);
        Libraries libraries = Find(string.IsNullOrEmpty(folder) ? null : folder);
        NativeLibrary.SetDllImportResolver(typeof(FFmpegLibrary).Assembly, (name, _, _) => name switch
        {
            LibAv.Format => libraries.Format,
            LibAv.Codec => libraries.Codec,
            LibAv.Util => libraries.Util,
            _ => 0,
        });

        // FFmpeg's own text would go to standard error, and may hold URLs with passwords.
        FFmpegLog.Install();
        return libraries;
    }

    private static bool TryLoad(string? folder, string name, int major, out nint library)
    {
        string file = $"lib{name}.so.{major}";
        return NativeLibrary.TryLoad(folder is null ? file : Path.Combine(folder, file), out library);
    }

    private static void LoadResampler(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(folder, "libswresample.so.*"))
            _ = NativeLibrary.TryLoad(file, out _);
    }

    private static IEnumerable<int> OtherMajors(string? folder)
    {
        if (folder is null)
            return Enumerable.Range(52, 48).Reverse();
        if (!Directory.Exists(folder))
            return [];
        return Directory.EnumerateFiles(folder, "libavcodec.so.*")
            .Select(file => int.TryParse(Path.GetExtension(file.AsSpan())[1..], out int major) ? major : -1)
            .Where(major => major >= 0);
    }

    private static int MajorOf(nint library, string function) =>
        NativeLibrary.TryGetExport(library, function, out nint address) ? (int)(((delegate* unmanaged<uint>)address)() >> 16) : 0;

    private static string VersionOf(nint util) =>
        NativeLibrary.TryGetExport(util, "av_version_info", out nint address)
            ? Marshal.PtrToStringUTF8((nint)((delegate* unmanaged<byte*>)address)()) ?? "unknown"
            : "unknown";

    private static FFmpegException Unknown(int major) =>
        new($"FFmpeg's libavcodec {major} is of a release that this program does not know: install FFmpeg {FFmpegRelease.Names} ({FFmpegRelease.Packages}).");

    /// <summary>A loaded, matching set.</summary>
    internal sealed record Libraries(nint Format, nint Codec, nint Util, FFmpegLayout Layout, string Version);
}
