using EdgeNode.Native.FFmpeg;
using EdgeNode.Tests.Media;

namespace EdgeNode.Tests.Native;

public sealed class FFmpegLibraryTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_installed_release_names_itself() => Assert.Matches(@"^n?\d+\.\d+", FFmpegLibrary.Version);

    [SkippableTheory]
    [InlineData("libavcodec.so.99")] // a release to come
    [InlineData("libavcodec.so.59")] // somebody's own build under a known name
    public void An_unknown_release_is_named_with_the_supported_ones(string file)
    {
        Fake(file, "unsigned avcodec_version(void) { return 99 << 16 | 1 << 8; }");
        Fake("libavutil.so.57", "unsigned avutil_version(void) { return 57 << 16; }");

        var refused = Assert.Throws<FFmpegException>(() => FFmpegLibrary.Find(_folder.Path));

        Assert.Equal(
            "FFmpeg's libavcodec 99 is of a release that this program does not know: install FFmpeg 5.1, 6.1, 7.1 and 9.0 "
            + "(libavformat59 on Debian 12, libavformat60 on Ubuntu 24.04, libavformat61 on Debian 13, libavformat63 on Debian 14).",
            refused.Message);
    }

    [Fact]
    public void Missing_libraries_are_answered_with_the_packages_to_install()
    {
        var refused = Assert.Throws<FFmpegException>(() => FFmpegLibrary.Find(_folder.Path));

        Assert.Equal(
            "FFmpeg's libraries are not in the folder that EDGENODE_FFMPEG_DIR names: install "
            + "libavformat59 on Debian 12, libavformat60 on Ubuntu 24.04, libavformat61 on Debian 13, libavformat63 on Debian 14.",
            refused.Message);
    }

    [SkippableFact]
    public void A_set_that_lacks_libavformat_is_answered_with_its_package()
    {
        Fake("libavcodec.so.61", "unsigned avcodec_version(void) { return 61 << 16; }");
        Fake("libavutil.so.59", "unsigned avutil_version(void) { return 59 << 16; }");

        var refused = Assert.Throws<FFmpegException>(() => FFmpegLibrary.Find(_folder.Path));

        Assert.Equal("FFmpeg 7.1 is here without libavformat.so.61: install the package libavformat61.", refused.Message);
    }

    private void Fake(string file, string code)
    {
        string source = _folder.File($"{file}.c");
        File.WriteAllText(source, code);
        Skip.IfNot(CCompiler.TryRun(out string errors, "-shared", "-fPIC", source, "-o", _folder.File(file)), $"No C compiler here: {errors}");
    }
}
