using System.Diagnostics;

namespace EdgeNode.Tests.Media;

/// <summary>Runs the ffmpeg command: it makes the clips that tests read, and says what their pixels are.</summary>
internal static class FFmpegTool
{
    public static byte[] Run(params string[] arguments)
    {
        var start = new ProcessStartInfo("ffmpeg") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in (string[])["-nostdin", "-v", "error", "-y", "-threads", "1", .. arguments])
            start.ArgumentList.Add(argument);
        using Process process = Process.Start(start) ?? throw new InvalidOperationException("ffmpeg did not start.");
        Task<string> errors = process.StandardError.ReadToEndAsync();
        using var output = new MemoryStream();
        process.StandardOutput.BaseStream.CopyTo(output);
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"ffmpeg {string.Join(' ', arguments)}: {errors.Result}");
        return output.ToArray();
    }

    /// <summary>All pictures of a file in presentation order, tightly packed planar 4:2:0 as the decoder gave them.</summary>
    public static byte[] RawPictures(string file, string pixelFormat = "yuv420p") =>
        Run("-i", file, "-map", "0:v:0", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", pixelFormat, "-");
}

/// <summary>A folder that lives as long as a test class.</summary>
public sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("edgenode-").FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
