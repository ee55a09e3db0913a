using System.Collections;
using EdgeNode.Configuration;
using EdgeNode.Tests.Telemetry;

namespace EdgeNode.Tests.Configuration;

public sealed class ConfigurationReloadTests : IDisposable
{
    private const string Two = """
        node: { site: hq }
        cameras:
          - { id: a, url: "rtsp://192.0.2.1/", password: one }
          - { id: b, url: "rtsp://192.0.2.2/" }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("edgenode-reload").FullName;
    private readonly ListLogger _log = new();
    private readonly Hashtable _environment = [];
    private readonly List<(NodeConfiguration Then, ConfigurationChange Change)> _applied = [];
    private string _text = Two;

    [Fact]
    public void A_file_that_did_not_change_applies_nothing()
    {
        ReloadResult result = Start().Reload();
        Assert.True(result.Success);
        Assert.Empty(_applied);
        Assert.Equal(["a", "b"], result.Unchanged);
        Assert.Contains("nothing changed", result.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public void Only_cameras_that_changed_are_touched()
    {
        ConfigurationReload reload = Start();
        _text = Two.Replace("one", "two", StringComparison.Ordinal).Replace("id: b", "id: c", StringComparison.Ordinal) + "\n  - { id: d, url: \"rtsp://192.0.2.4/\" }";
        ReloadResult result = reload.Reload();
        Assert.Equal((true, "c,d", "b", "a", ""), (result.Success, string.Join(',', result.Added), string.Join(',', result.Removed), string.Join(',', result.Changed), string.Join(',', result.Unchanged)));
        (NodeConfiguration then, ConfigurationChange change) = Assert.Single(_applied);
        Assert.Equal("two", Assert.Single(change.CamerasChanged).Password!.Reveal());
        Assert.Equal(["a", "c", "d"], then.Cameras.Select(c => c.Id));
        Assert.Empty(reload.Reload().Changed);
    }

    [Theory]
    [InlineData("transport: udp")]
    [InlineData("client: ffmpeg")]
    [InlineData("name: B")]
    [InlineData("analytics: { fps: 5 }")]
    [InlineData("analytics: { ignore: [ [[0,0],[0.2,0],[0.2,0.3]] ] }")]
    [InlineData("sub_url: 'rtsp://192.0.2.2/sub'")]
    public void Anything_of_a_camera_is_a_change(string key)
    {
        ConfigurationReload reload = Start();
        _text = Two.Replace("rtsp://192.0.2.2/\"", $"rtsp://192.0.2.2/\", {key}", StringComparison.Ordinal);
        Assert.Equal(["b"], reload.Reload().Changed);
        Assert.Equal(["a", "b"], reload.Reload().Unchanged);
    }

    [Fact]
    public void A_section_that_cannot_be_applied_needs_a_restart_and_is_told_until_then()
    {
        ConfigurationReload reload = Start("limits");
        _text = Two + "\nhttp: { listen: '127.0.0.1:9' }\nlimits: { viewers: 7 }";
        for (int i = 0; i < 2; i++)
        {
            ReloadResult result = reload.Reload();
            Assert.Equal("http", Assert.Single(result.NeedsRestart));
            Assert.Contains("Restart the node to apply what changed in: http.", result.Summary, StringComparison.Ordinal);
            Assert.Equal(i == 0 ? ["limits"] : [], result.Applied);
        }

        Assert.Equal((8080, 7), (reload.Running.Http.Port, reload.Running.Limits.Viewers));
    }

    [Fact]
    public void A_section_that_changes_nothing_yet_asks_for_no_restart()
    {
        ConfigurationReload reload = Start();
        _text = Two + "\ngpio: { led: a }";
        ReloadResult result = reload.Reload();
        Assert.Empty(result.NeedsRestart.Concat(result.Applied));
        Assert.Single(result.Notes);
        Assert.Contains("nothing changed", reload.Reload().Summary, StringComparison.Ordinal);
    }

    [Fact]
    public void An_invalid_file_changes_nothing_and_says_why()
    {
        ConfigurationReload reload = Start();
        NodeConfiguration before = reload.Running;
        _text = "cameras:\n  - { id: a }\n  - { id: B, url: 'rtsp://x/' }";
        ReloadResult result = reload.Reload();
        Assert.False(result.Success);
        Assert.Equal(2, result.Errors.Count);
        Assert.Contains("line 2", result.Errors[0], StringComparison.Ordinal);
        Assert.Contains("runs on as it did", result.Summary, StringComparison.Ordinal);
        Assert.Same(before, reload.Running);
        Assert.Empty(_applied);
        Assert.Contains(_log.Lines, line => line.Contains("cameras[0].url", StringComparison.Ordinal));
    }

    [Fact]
    public void What_could_not_be_applied_is_told_and_tried_again()
    {
        ConfigurationReload reload = new(Read(out _), Read, (_, change) =>
        {
            _applied.Add((null!, change));
            if (_applied.Count == 1)
                throw new IOException("The disk is full.");
        }, [], _log);
        _text = "cameras: []";
        Assert.Equal("The disk is full.", Assert.Single(reload.Reload().Errors));
        Assert.Equal(["a", "b"], reload.Reload().Removed);
    }

    [Fact]
    public void A_fault_of_the_program_ends_the_reload_alone_and_its_text_is_not_shown()
    {
        ConfigurationReload reload = new(Read(out _), Read, (_, _) => throw new KeyNotFoundException("canary"), [], _log);
        _text = "cameras: []";
        Assert.Contains("KeyNotFoundException", Assert.Single(reload.Reload().Errors), StringComparison.Ordinal);
        Assert.DoesNotContain("canary", string.Join('\n', _log.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public void Variables_and_secret_files_are_read_anew()
    {
        string secret = Path.Combine(_folder, "secret");
        File.WriteAllText(secret, "one\n");
        _text = $"cameras: [ {{ id: a, url: 'rtsp://x/', password: {{ file: '{secret}' }} }} ]";
        ConfigurationReload reload = Start("limits");
        File.WriteAllText(secret, "two\n");
        _environment["EDGENODE__LIMITS__VIEWERS"] = "9";
        ReloadResult result = reload.Reload();
        Assert.Equal(["a"], result.Changed);
        Assert.Equal(["limits"], result.Applied);
        Assert.Equal(("two", 9), (reload.Running.Cameras[0].Password!.Reveal(), reload.Running.Limits.Viewers));
        File.Delete(secret);
        Assert.Contains("it is not there", Assert.Single(reload.Reload().Errors), StringComparison.Ordinal);
        Assert.Equal("two", reload.Running.Cameras[0].Password!.Reveal());
    }

    [Fact]
    public void No_password_is_in_the_result_or_the_log()
    {
        ConfigurationReload reload = Start();
        _text = Two.Replace("one", "c4n4ry", StringComparison.Ordinal).Replace("rtsp://192.0.2.2/", "exec:c4n4ry", StringComparison.Ordinal);
        ReloadResult refused = reload.Reload();
        _text = Two.Replace("one", "c4n4ry", StringComparison.Ordinal);
        ReloadResult done = reload.Reload();
        Assert.True(!refused.Success && done.Success);
        Assert.All([.. _log.Lines, .. refused.Errors, refused.Summary, done.Summary, $"{done}"], text => Assert.DoesNotContain("c4n4ry", text, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_section_of_the_table_is_compared() =>
        Assert.Equal(ConfigurationKeys.Root.Keys.Select(key => key.Name), [.. ConfigurationChange.AllSections, "cameras"]);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private ConfigurationReload Start(params string[] live) => new(Read(out _), Read, (then, change) => _applied.Add((then, change)), live, _log);

    private NodeConfiguration Read(out IReadOnlyList<ConfigurationError> notes) =>
        ConfigurationReader.Read("test.yaml", new StringReader(_text), _environment, out notes);
}
