using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Net.Http.Headers;
using System.Runtime.InteropServices;
using System.Text;
using EdgeNode.Cameras;
using EdgeNode.Configuration;

namespace EdgeNode.Commands;

/// <summary>
/// All that a maintainer needs to help, as a tar.gz: version, configuration, what the running node says of itself, its newest log, and the board. Secrets,
/// people and pictures are left out. Works without a running node, from what is on the disk.
/// </summary>
internal static class SupportBundle
{
    private const string Hidden = "***";
    private const int LargestEntry = 4 << 20;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly (string Path, string Entry)[] Asked =
    [
        ("readyz", "ready.txt"),
        ("api/stream/health", "health.json"),
        ("api/stream/cameras", "cameras.json"),
        ("api/stream/playback/sessions", "sessions.json"),
        ("metrics", "metrics.txt"),
        ("api/log", "log.json"),
    ];

    private static readonly string[] BoardFiles = ["/etc/os-release", "/proc/version", "/proc/meminfo", "/proc/cpuinfo", "/proc/loadavg", "/proc/mounts", "/sys/firmware/devicetree/base/model"];

    /// <summary>Writes the bundle; <paramref name="node"/> is where the node answers on this machine, <paramref name="token"/> an admin's token or null.</summary>
    /// <exception cref="IOException">The file is there already or cannot be written.</exception>
    public static async Task WriteAsync(string path, NodeConfiguration configuration, Uri node, string? token, CancellationToken stop)
    {
        if (File.Exists(path))
            throw new IOException($"{path} is there already: name another file.");
        await using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly });
        await using var packed = new GZipStream(file, CompressionLevel.Optimal);
        await using var tar = new TarWriter(packed);
        await AddAsync(tar, "version.txt", $"EdgeNode {ProductVersion.Text}\n{RuntimeInformation.FrameworkDescription}\n", stop);
        await AddAsync(tar, "configuration.txt", Describe(configuration), stop);
        await AddAsync(tar, "state-folder.txt", DescribeFolder(configuration.Node.State), stop);
        foreach (string board in BoardFiles)
        {
            if (TryRead(board) is string text)
                await AddAsync(tar, $"board/{Path.GetFileName(board)}.txt", text, stop);
        }

        await AskAsync(tar, node, token, stop);
    }

    /// <summary>The configuration in force, section by section.</summary>
    internal static string Describe(NodeConfiguration configuration)
    {
        var text = new StringBuilder();
        NodeConfiguration shown = configuration with { Cameras = [], Mqtt = configuration.Mqtt is null ? null : configuration.Mqtt with { Username = configuration.Mqtt.Username is null ? null : Hidden } };
        text.Append(shown).Append("\n\n");
        foreach (CameraConfiguration camera in configuration.Cameras)
        {
            text.Append(camera with { Username = camera.Username is null ? null : Hidden })
                .Append("\n  at ").Append(ShownUrl.Of(camera.Url.Reveal())).Append('\n');
        }

        return text.ToString();
    }

    private static async Task AskAsync(TarWriter tar, Uri node, string? token, CancellationToken stop)
    {
        using var client = new HttpClient { BaseAddress = node, Timeout = Patience, MaxResponseContentBufferSize = LargestEntry };
        if (token is not null)
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        foreach ((string path, string entry) in Asked)
        {
            try
            {
                using HttpResponseMessage answer = await client.GetAsync(path, stop);
                await AddAsync(tar, answer.IsSuccessStatusCode ? entry : $"{entry}.{(int)answer.StatusCode}.txt", await answer.Content.ReadAsStringAsync(stop), stop);
            }
            catch (Exception fault) when (fault is HttpRequestException or TaskCanceledException && !stop.IsCancellationRequested)
            {
                await AddAsync(tar, "not-running.txt", $"The node did not answer at {node}{path}: {fault.Message}\n", stop);
                return;
            }
        }
    }

    private static string DescribeFolder(string folder)
    {
        var text = new StringBuilder();
        try
        {
            foreach (FileInfo entry in new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Take(1000))
                text.Append(CultureInfo.InvariantCulture, $"{entry.Length,12} {entry.LastWriteTimeUtc:u} {entry.UnixFileMode} {Path.GetRelativePath(folder, entry.FullName)}\n");
            var drive = new DriveInfo(folder);
            text.Append(CultureInfo.InvariantCulture, $"{drive.AvailableFreeSpace} bytes free of {drive.TotalSize}, {drive.DriveFormat}\n");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            text.Append(fault.Message).Append('\n');
        }

        return text.ToString();
    }

    private static string? TryRead(string path)
    {
        try
        {
            byte[] content = new byte[64 << 10];
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            return Encoding.UTF8.GetString(content, 0, stream.ReadAtLeast(content, content.Length, throwOnEndOfStream: false));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static Task AddAsync(TarWriter tar, string name, string text, CancellationToken stop) => tar.WriteEntryAsync(
        new PaxTarEntry(TarEntryType.RegularFile, $"edgenode-support/{name}") { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)), Mode = OwnerOnly }, stop);
}
