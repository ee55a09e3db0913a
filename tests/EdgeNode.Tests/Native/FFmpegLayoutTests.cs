using System.Diagnostics;
using System.Globalization;
using System.Text;
using EdgeNode.Native.FFmpeg;
using EdgeNode.Tests.Media;

namespace EdgeNode.Tests.Native;

public sealed class FFmpegLayoutTests
{
    private const string Includes = """
        #include <stdio.h>
        #include <stddef.h>
        #include <libavformat/avformat.h>
        #include <libavcodec/avcodec.h>
        #include <libavutil/dict.h>

        """;

    [SkippableFact]
    public void Every_offset_is_that_of_the_installed_headers()
    {
        using var folder = new TemporaryFolder();
        var probe = new StringBuilder(Includes);
        probe.AppendLine("int main(void) { printf(\"%d\\n\", LIBAVCODEC_VERSION_MAJOR);");
        foreach (FFmpegLayout.Row row in FFmpegLayout.Table)
            probe.AppendLine(CultureInfo.InvariantCulture, $"printf(\"%zu\\n\", offsetof({row.Struct}, {row.Field}));");
        probe.AppendLine("}");
        File.WriteAllText(folder.File("headers.c"), Includes);
        File.WriteAllText(folder.File("probe.c"), probe.ToString());

        Skip.IfNot(CCompiler.TryRun(out _, "-c", folder.File("headers.c"), "-o", folder.File("headers.o")), "No C compiler or no FFmpeg headers here (libavformat-dev).");
        Assert.True(CCompiler.TryRun(out string errors, folder.File("probe.c"), "-o", folder.File("probe")), errors);
        using Process process = Process.Start(new ProcessStartInfo(folder.File("probe")) { RedirectStandardOutput = true })!;
        int[] printed = [.. process.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)];

        FFmpegRelease? release = FFmpegRelease.OfCodecMajor(printed[0]);
        Skip.If(release is null, $"The headers are of libavcodec {printed[0]}, which is not supported.");
        string[] expected = [.. FFmpegLayout.Table.Select((row, i) => $"{row.Struct}.{row.Field} {printed[i + 1]}")];
        string[] table = [.. FFmpegLayout.Table.Select(row => $"{row.Struct}.{row.Field} {row.In(release.Column)}")];
        Assert.Equal(expected, table);
    }

    [Fact]
    public void Every_release_has_a_layout() =>
        Assert.All(FFmpegRelease.Supported, release => Assert.InRange(new FFmpegLayout(release.Column).FrameErrors, 300, 400));
}

/// <summary>The C compiler of the machine.</summary>
internal static class CCompiler
{
    public static bool TryRun(out string errors, params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo("clang", arguments) { RedirectStandardError = true })!;
            errors = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            errors = e.Message;
            return false;
        }
    }
}
