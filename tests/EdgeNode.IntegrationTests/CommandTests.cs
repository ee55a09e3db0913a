using System.Net;
using System.Text.Json.Nodes;

namespace EdgeNode.IntegrationTests;

/// <summary>The commands of the published binary, with good and with bad input.</summary>
public sealed class CommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("edgenode-commands").FullName;

    [Fact]
    public async Task A_film_of_one_man_is_one_track_with_his_name()
    {
        (int exitCode, string output, _) = await Edgenode("analyze", Path.Combine(Given.Films, "demo.mp4"), "--gallery", Given.Gallery, "--json");
        Assert.True(exitCode == 0, output);
        JsonNode[] lines = [.. output.Split('\n').Select(l => JsonNode.Parse(l)!)];
        JsonNode summary = lines[^1]["summary"]!;
        JsonNode[] events = lines[..^1];
        Assert.Equal(1, (int)summary["tracks"]!);
        Assert.Equal(events.Length, (int)summary["events"]!);
        Assert.Equal("started", (string?)events[0]["phase"]);
        Assert.Equal("ended", (string?)events[^1]["phase"]);
        Assert.Equal("Franck", (string?)events[^1]["identity"]!["name"]);
        Assert.True((int)events[^1]["track_frames"]! >= 0.95 * (int)summary["frames_analyzed"]!, summary.ToJsonString());
        foreach (string stage in (string[])["decode", "detect", "landmarks", "embed"])
            Assert.True((double)summary["ms"]![stage]! > 0, stage);
    }

    [Fact]
    public async Task Nobody_is_named_who_is_not_enrolled()
    {
        (int exitCode, string output, _) = await Edgenode("analyze", Path.Combine(Given.Films, "visitor.mp4"), "--gallery", Given.Gallery, "--json");
        Assert.True(exitCode == 0, output);
        JsonNode[] events = [.. output.Split('\n')[..^1].Select(l => JsonNode.Parse(l)!)];
        Assert.Contains(events, e => (string?)e["identity"]!["status"] == "unknown");
        Assert.DoesNotContain(events, e => (string?)e["identity"]!["status"] == "recognized");
    }

    [Fact]
    public async Task Photos_of_one_man_are_accepted_as_his_and_others_are_not()
    {
        string[] franck = [.. Directory.GetFiles(Given.Media, "franck_*.jpg").Order()];
        string[] others = [.. ((string[])["audrey.jpg", "obama4_crop.jpg", "bieber_small.jpg", "cage.jpg", "SeanConnery.jpg"]).Select(p => Path.Combine(Given.Media, p)).Where(File.Exists)];
        Assert.True(franck.Length >= 4 && others.Length >= 3, "The photos are not there.");
        var pairs = new List<string> { "file1,file2,same" };
        for (int i = 1; i < franck.Length; i++)
            pairs.Add($"{Path.GetFileName(franck[0])},{Path.GetFileName(franck[i])},1");
        pairs.AddRange(others.Select(other => $"{Path.GetFileName(franck[0])},{Path.GetFileName(other)},0"));
        pairs.Add($"{Path.GetFileName(others[0])},{Path.GetFileName(others[1])},0");
        await AssertAllTold(pairs, Given.Media);
    }

    [SkippableFact]
    public async Task Photos_of_two_presidents_are_told_apart()
    {
        string shared = Path.Combine(Given.Repository, "..", "shared", "media");
        Skip.IfNot(Directory.Exists(shared), "The shared photos are not here.");
        await AssertAllTold(["obama.jpg,obama2.jpg,1", "biden.jpg,biden2.jpg,1", "obama.jpg,biden.jpg,0", "obama2.jpg,biden2.jpg,0", "obama.jpg,biden2.jpg,0"], shared);
    }

    [Fact]
    public async Task Somebody_is_enrolled_listed_and_erased()
    {
        string config = Write("node.yaml", $"node: {{ state: {_folder}/state }}\nmodels: {{ folder: {Given.Models} }}");
        string photo = Directory.GetFiles(Path.Combine(Given.Gallery, "Franck"))[0];
        Assert.Equal(0, (await Edgenode("enroll", "Franck", photo, "--config", config)).ExitCode);
        Assert.Contains("Franck  1 references", (await Edgenode("identities", "--config", config)).Output, StringComparison.Ordinal);
        foreach ((string filter, string reason) in (IEnumerable<(string, string)>)[("scale=iw/12:-2", "pixels small"), ("gblur=sigma=14", "blurred")])
        {
            string poor = Path.Combine(_folder, "poor.jpg");
            Assert.Equal(0, (await RunningProcess.RunAsync("ffmpeg", "-v", "error", "-y", "-i", photo, "-vf", filter, poor)).ExitCode);
            (int refused, _, string why) = await Edgenode("enroll", "Franck", poor, "--config", config);
            Assert.Equal(1, refused);
            Assert.Contains(reason, why, StringComparison.Ordinal);
        }

        (int exitCode, _, string errors) = await Edgenode("enroll", "Landscape", Write("grey.ppm", "P6 1 1 255\nabc"), "--config", config);
        Assert.NotEqual(0, exitCode);
        Assert.Contains("nothing was changed", errors, StringComparison.Ordinal);
        Assert.Equal(0, (await Edgenode("identities", "--remove", "Franck", "--config", config)).ExitCode);
        Assert.Equal("Nobody is enrolled.", (await Edgenode("identities", "--config", config)).Output);
        foreach (string file in Directory.GetFiles(Path.Combine(_folder, "state")))
            Assert.True((await File.ReadAllBytesAsync(file)).AsSpan().IndexOf("Franck"u8) < 0, file);
    }

    [Fact]
    public async Task The_state_of_a_running_node_goes_into_a_backup_and_comes_back_after_it_was_lost()
    {
        using var node = new NodeUnderTest("  []");
        await node.StartAsync();
        string photo = Directory.GetFiles(Path.Combine(Given.Gallery, "Franck"))[0], backup = Path.Combine(_folder, "state.backup");
        string passphrase = Write("passphrase", "correct horse battery\n");
        Assert.Equal(0, (await node.CommandAsync("enroll", "Franck", photo)).ExitCode);
        Assert.Equal(0, (await node.CommandAsync("backup", backup, "--passphrase-file", passphrase)).ExitCode);
        (int running, _, string refusal) = await node.CommandAsync("restore", backup, "--passphrase-file", passphrase);
        Assert.Equal(1, running);
        Assert.Contains("A node runs on the state folder", refusal, StringComparison.Ordinal);
        (int second, _, string alreadyRuns) = await node.CommandAsync("run");
        Assert.Equal(1, second);
        Assert.Contains("A node runs on the state folder", alreadyRuns, StringComparison.Ordinal);

        string token = await File.ReadAllTextAsync(Path.Combine(node.State, "admin-token"));
        node.Process.Kill();
        await node.Process.ExitAsync();
        Directory.Delete(node.State, recursive: true);
        (int wrong, _, string why) = await node.CommandAsync("restore", backup, "--passphrase-file", Write("wrong", "another passphrase"));
        Assert.Equal(1, wrong);
        Assert.Contains("passphrase is wrong", why, StringComparison.Ordinal);
        Assert.Equal(0, (await node.CommandAsync("restore", backup, "--passphrase-file", passphrase)).ExitCode);
        Assert.Contains("Franck  1 references", (await node.CommandAsync("identities")).Output, StringComparison.Ordinal);
        Assert.Equal(token, await File.ReadAllTextAsync(Path.Combine(node.State, "admin-token")));
    }

    [Theory]
    [InlineData("a clip that is not there", "analyze no-such.mp4", 1, "no-such.mp4")]
    [InlineData("a 0-byte file", "analyze {empty}", 1, "empty")]
    [InlineData("a clip without video", "analyze {sound}", 1, "video")]
    [InlineData("a text file", "analyze {text}", 1, "text")]
    [InlineData("an unknown key", "run --config {unknown-key}", 2, "'node.stie' is not known. Did you mean 'site'?")]
    [InlineData("no configuration", "run --config /no/such.yaml", 2, "/no/such.yaml")]
    [InlineData("an unreadable model", "analyze {film} --config {broken-model}", 1, "fr_detect.onnx")]
    [InlineData("a model of the wrong shape", "analyze {film} --config {wrong-model}", 1, "fr_detect.onnx")]
    [InlineData("a model pack that is not there", "analyze {film} --config {no-models}", 1, "models")]
    [InlineData("a gallery that is not there", "analyze {film} --gallery /no/such", 1, "/no/such")]
    [InlineData("a wrong command", "frobnicate", 2, "frobnicate")]
    [InlineData("a wrong option", "run --frobnicate", 2, "--frobnicate")]
    [InlineData("a wrong port", "demo --port 70000", 2, "70000")]
    [InlineData("a wrong pairs file", "verify --pairs {text} --images .", 2, "line 1")]
    [InlineData("a token for a camera that is not there", "token --camera nobody --config {good}", 2, "nobody")]
    [InlineData("a name with a tab", "enroll A\tB {film} --config {good}", 2, "control character")]
    [InlineData("a camera URL that runs a program", "config check {exec}", 2, "rtsp://")]
    public async Task Bad_input_ends_in_one_clear_sentence(string what, string command, int exitCode, string sentence)
    {
        string arguments = command
            .Replace("{empty}", Write("empty.mp4", ""), StringComparison.Ordinal)
            .Replace("{text}", Write("text.mp4", "this is no video\n"), StringComparison.Ordinal)
            .Replace("{film}", Path.Combine(Given.Films, "demo.mp4"), StringComparison.Ordinal)
            .Replace("{unknown-key}", Write("key.yaml", "node: { stie: hq }"), StringComparison.Ordinal)
            .Replace("{good}", Write("good.yaml", $"node: {{ state: {_folder}/state }}\ncameras: [ {{ id: a, url: 'rtsp://127.0.0.1/' }} ]"), StringComparison.Ordinal)
            .Replace("{exec}", Write("exec.yaml", "cameras: [ { id: a, url: 'exec:rm -rf /' } ]"), StringComparison.Ordinal)
            .Replace("{no-models}", Write("no-models.yaml", $"models: {{ folder: {_folder}/no-models }}"), StringComparison.Ordinal);
        if (command.Contains("{sound}", StringComparison.Ordinal))
            arguments = arguments.Replace("{sound}", await MakeSound(), StringComparison.Ordinal);
        if (command.Contains("-model}", StringComparison.Ordinal))
            arguments = arguments.Replace("{broken-model}", PackWith("broken", "no model"), StringComparison.Ordinal).Replace("{wrong-model}", PackWith("wrong", null), StringComparison.Ordinal);
        (int exited, string output, string errors) = await Edgenode(arguments.Split(' '));
        Assert.True(exited == exitCode, $"{what}: exit code {exited}\n{output}");
        Assert.Contains(sentence, errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
        Assert.Single(errors.Trim().Split('\n'));
    }

    [Fact]
    public async Task A_port_in_use_is_said()
    {
        using var node = new NodeUnderTest("  []");
        await node.StartAsync();
        using var second = new NodeUnderTest("  []", httpPort: node.Port);
        (int exitCode, _, string errors) = await second.CommandAsync("run");
        Assert.Equal(1, exitCode);
        Assert.Contains($"Cannot listen on 127.0.0.1:{node.Port}: another program uses that port", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Odd_requests_get_an_answer_that_says_what_is_wrong()
    {
        using var node = new NodeUnderTest($"  - {{ id: film, url: \"file:{Given.Films}/demo.mp4\", analytics: {{ enabled: false }} }}");
        await node.StartAsync();
        using HttpClient admin = await node.ClientAsync();
        // A body that is refused for its length is never read: its sender must ask first.
        admin.DefaultRequestHeaders.ExpectContinue = true;
        async Task<(HttpStatusCode, string?)> PostAsync(string body)
        {
            using HttpResponseMessage answer = await admin.PostAsync("api/stream/playback/create-session", new StringContent(body));
            return (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType);
        }

        foreach (string body in (string[])["", "{", "[]", "{}", "{\"camera_id\": 7}", "{\"camera_id\": \"film\", \"user_id\": \"a\\u0000b\"}"])
            Assert.Equal((HttpStatusCode.BadRequest, "application/problem+json"), await PostAsync(body));
        Assert.Equal((HttpStatusCode.NotFound, "application/problem+json"), await PostAsync("{\"camera_id\": \"nobody\"}"));
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "application/problem+json"), await PostAsync(new string(' ', 2_000_000)));
        Assert.Equal((HttpStatusCode.OK, "application/json"), await PostAsync("{\"camera_id\": \"film\", \"user_id\": \"" + string.Concat(Enumerable.Repeat("😀", 50)) + "\"}"));
        foreach (string path in (string[])["live/x/film/media.m3u8", "no/such/route", "api/events?after=x", "api/stream/analytics/stats", "api/stream/analytics/stats?camera_id=no"])
        {
            using HttpResponseMessage answer = await admin.GetAsync(path);
            Assert.InRange((int)answer.StatusCode, 400, 499);
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        }

        Assert.DoesNotContain("   at ", node.Process.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_without_models_still_shows_its_cameras()
    {
        using var node = new NodeUnderTest($"  - {{ id: film, url: \"file:{Given.Films}/demo.mp4\" }}");
        await File.WriteAllTextAsync(node.ConfigFile, (await File.ReadAllTextAsync(node.ConfigFile)).Replace(Given.Models, "/no/such", StringComparison.Ordinal));
        await node.StartAsync();
        await node.Process.LineAsync(l => l.Contains("No faces are looked for", StringComparison.Ordinal));
        using var client = new HttpClient();
        await new LivePlaylist(client, (await node.TokenAsync("film")).ViewUrl).UntilAsync(p => p.LastSegment >= 1);
    }

    [Fact]
    public async Task An_analysis_leaves_nothing_in_the_home_folder()
    {
        string home = Directory.CreateDirectory(Path.Combine(_folder, "home")).FullName;
        string[] before = Directory.GetFiles(Path.GetTempPath(), "mat-debug-*");
        (int exitCode, string output, _) = await RunningProcess.RunAsync(
            "env", $"HOME={home}", $"XDG_CACHE_HOME={home}", Given.Binary, "enroll", "Franck", Directory.GetFiles(Path.Combine(Given.Gallery, "Franck"))[0],
            "--config", Write("home.yaml", $"node: {{ state: {_folder}/state }}\nmodels: {{ folder: {Given.Models} }}"));
        Assert.True(exitCode == 0, output);
        Assert.Empty(Directory.GetFileSystemEntries(home));
        Assert.Empty(Directory.GetFiles(Path.GetTempPath(), "mat-debug-*").Except(before));
    }

    [Fact]
    public async Task An_unknown_FFmpeg_is_named_with_those_that_are_known()
    {
        foreach ((string library, string function) in (IEnumerable<(string, string)>)[("avutil", "avutil_version"), ("avcodec", "avcodec_version"), ("avformat", "avformat_version")])
        {
            string source = Write($"{library}.c", $"unsigned {function}(void) {{ return 99 << 16; }} const char *av_version_info(void) {{ return \"99\"; }}");
            foreach (int major in (int[])[57, 58, 59, 60, 61, 63])
                Assert.Equal(0, (await RunningProcess.RunAsync("clang", "-shared", "-fPIC", "-o", Path.Combine(_folder, $"lib{library}.so.{major}"), source)).ExitCode);
        }

        (int exitCode, _, string errors) = await RunningProcess.RunAsync("env", $"EDGENODE_FFMPEG_DIR={_folder}", Given.Binary, "analyze", Path.Combine(Given.Films, "demo.mp4"));
        Assert.Equal(1, exitCode);
        Assert.Contains("99", errors, StringComparison.Ordinal);
        Assert.Contains("5.1, 6.1, 7.1", errors, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task AssertAllTold(IEnumerable<string> pairs, string images)
    {
        (int exitCode, string output, _) = await Edgenode("verify", "--pairs", Write("pairs.csv", string.Join('\n', pairs)), "--images", images, "--json");
        Assert.True(exitCode == 0, output);
        JsonNode report = JsonNode.Parse(output)!;
        Assert.Empty(report["no_face"]!.AsArray());
        Assert.True((double)report["accuracy"]! == 1, output);
        Assert.True((double)report["lowest_same"]! > (double)report["highest_different"]!, output);
    }

    private static Task<(int ExitCode, string Output, string Errors)> Edgenode(params string[] arguments) => RunningProcess.RunAsync(Given.Binary, arguments);

    private string Write(string name, string content)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, content);
        return path;
    }

    private async Task<string> MakeSound()
    {
        string path = Path.Combine(_folder, "sound.mp4");
        Assert.Equal(0, (await RunningProcess.RunAsync("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=d=1", "-c:a", "aac", path)).ExitCode);
        return path;
    }

    // A pack whose detector holds other bytes, or is another model.
    private string PackWith(string name, string? detector)
    {
        string pack = Path.Combine(_folder, name);
        Directory.CreateDirectory(pack);
        foreach (string file in Directory.GetFiles(Given.Models))
            File.Copy(file, Path.Combine(pack, Path.GetFileName(file)), overwrite: true);
        if (detector is null)
            File.Copy(Path.Combine(pack, "fr_feature.onnx"), Path.Combine(pack, "fr_detect.onnx"), overwrite: true);
        else
            File.WriteAllText(Path.Combine(pack, "fr_detect.onnx"), detector);
        return Write($"{name}.yaml", $"models: {{ folder: {pack} }}");
    }
}
