using System.Formats.Tar;
using System.IO.Compression;
using EdgeNode.Access;
using EdgeNode.Commands;
using EdgeNode.Configuration;
using EdgeNode.Tests.Http;
using EdgeNode.Tests.Media;

namespace EdgeNode.Tests.Commands;

public sealed class SupportBundleTests
{
    private const string Canary = "p@ss:w/rd#1-canary";

    private static readonly NodeConfiguration Configuration = new()
    {
        Mqtt = new MqttSection { Broker = new Uri("mqtt://broker"), Username = "canary-user", Password = new Secret(Canary) },
        Cameras = [new CameraConfiguration { Id = "lobby", Name = "Lobby", Url = new Secret($"rtsp://cam:{Canary}@127.0.0.1:1/main?auth=canary"), Username = "canary-user", Password = new Secret(Canary) }],
    };

    [Fact]
    public async Task It_holds_what_the_running_node_says_and_no_secret()
    {
        await using NodeServer node = await NodeServer.StartAsync($"rtsp://cam:{Canary}@127.0.0.1:1/main");
        string token = node.Token(Role.Admin);
        string path = Path.Combine(node.State, "bundle.tar.gz");
        NodeConfiguration configuration = Configuration with { Node = new NodeSection { State = node.State } };
        await SupportBundle.WriteAsync(path, configuration, new Uri($"http://127.0.0.1:{node.Server.Port}/"), token, CancellationToken.None);
        Dictionary<string, string> entries = Read(path);
        foreach (string name in (string[])["version.txt", "configuration.txt", "state-folder.txt", "health.json", "metrics.txt", "cameras.json", "log.json", "board/os-release.txt"])
            Assert.Contains($"edgenode-support/{name}", entries.Keys);
        Assert.Contains("rtsp://***@127.0.0.1:1/main?***", entries["edgenode-support/configuration.txt"]);
        Assert.All(entries, entry => Assert.DoesNotContain("canary", entry.Value));
        Assert.All(entries, entry => Assert.DoesNotContain(token, entry.Value));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }

    [Fact]
    public async Task It_is_written_without_a_running_node_and_over_no_other_file()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("bundle.tar.gz");
        await SupportBundle.WriteAsync(path, Configuration with { Node = new NodeSection { State = folder.Path } }, new Uri("http://127.0.0.1:1/"), null, CancellationToken.None);
        Assert.Contains("edgenode-support/not-running.txt", Read(path).Keys);
        await Assert.ThrowsAsync<IOException>(() => SupportBundle.WriteAsync(path, Configuration, new Uri("http://127.0.0.1:1/"), null, CancellationToken.None));
    }

    private static Dictionary<string, string> Read(string path)
    {
        var entries = new Dictionary<string, string>();
        using var tar = new TarReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        while (tar.GetNextEntry() is TarEntry entry)
            entries[entry.Name] = entry.DataStream is null ? "" : new StreamReader(entry.DataStream).ReadToEnd();
        return entries;
    }
}
