namespace EdgeNode.Native.FFmpeg;

/// <summary>A release line of FFmpeg whose struct layouts are known: the majors of its libraries belong together.</summary>
internal sealed record FFmpegRelease(string Name, int Format, int Codec, int Util, string System, int Column)
{
    /// <summary>Newest first: where several are installed, the newest serves.</summary>
    internal static readonly FFmpegRelease[] Supported =
    [
        new("9.0", 63, 63, 61, "Debian 14", 3),
        new("7.1", 61, 61, 59, "Debian 13", 2),
        new("6.1", 60, 60, 58, "Ubuntu 24.04", 1),
        new("5.1", 59, 59, 57, "Debian 12", 0),
    ];

    internal static FFmpegRelease? OfCodecMajor(int major) => Array.Find(Supported, release => release.Codec == major);

    /// <summary>Such as <c>5.1, 6.1, 7.1 and 9.0</c>.</summary>
    internal static string Names
    {
        get
        {
            string[] names = [.. Supported.Reverse().Select(release => release.Name)];
            return $"{string.Join(", ", names[..^1])} and {names[^1]}";
        }
    }

    /// <summary>Which Debian packages bring the libraries, libavcodec and libavutil with them.</summary>
    internal static string Packages => string.Join(
        ", ", Supported.Reverse().Select(release => $"libavformat{release.Format} on {release.System}"));
}
