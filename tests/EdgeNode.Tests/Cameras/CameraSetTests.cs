using EdgeNode.Cameras;
using EdgeNode.Configuration;
using EdgeNode.Ingest;
using EdgeNode.Streaming;
using EdgeNode.Tests.Media;
using EdgeNode.Tests.Telemetry;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeNode.Tests.Cameras;

[Collection("clips")]
public sealed class CameraSetTests : IDisposable
{
    private readonly SharedClips _clips;
    private readonly List<(string Id, CameraState State)> _states = [];
    private readonly CameraSet _set;

    public CameraSetTests(SharedClips clips)
    {
        _clips = clips;
        _set = new CameraSet([Film("one"), Film("two")], Make);
        _set.Start();
    }

    public void Dispose() => _set.Dispose();

    [Fact]
    public async Task Cameras_come_and_go_while_the_others_run_on()
    {
        Camera one = _set.Find("one")!;
        await StreamsAsync("one");
        var removed = new List<string>();
        _set.Removed += removed.Add;
        Assert.True(_set.TryAdd(Film("three")));
        Assert.False(_set.TryAdd(Film("one")));
        await StreamsAsync("three");
        Assert.True(_set.TryRemove("two"));
        Assert.False(_set.TryRemove("two"));
        Assert.Equal(["two"], removed);
        Assert.Equal(["one", "three"], _set.All.Select(c => c.Id));
        Assert.Same(one, _set.Find("one"));
        Assert.Equal(1, one.Ingest.Connections);
    }

    [Fact]
    public async Task A_camera_that_did_not_change_is_left_alone_and_one_that_did_goes_on_in_its_place()
    {
        await StreamsAsync("one");
        Camera one = _set.Find("one")!;
        Assert.True(_set.TryReplace(Film("one")));
        Assert.Same(one, _set.Find("one"));

        PlaylistAnswer before = await one.Live.GetMediaPlaylistAsync(null, null, false);
        Assert.Equal(LiveStatus.Ok, before.Status);
        Assert.True(_set.TryReplace(Film("one") with { Name = "Another" }));
        Camera other = _set.Find("one")!;
        Assert.NotSame(one, other);
        Assert.Equal(["one", "two"], _set.All.Select(c => c.Id));
        await StreamsAsync("one");
        // A player goes on: neither numbers nor times go back.
        Assert.True(other.Live.NextOrigin.MediaSequence > 1);
        Assert.Equal(LiveStatus.Ok, (await other.Live.GetMediaPlaylistAsync(null, null, false)).Status);
        Assert.False(_set.TryReplace(Film("none")));
    }

    [Fact]
    public async Task A_removed_camera_says_nothing_any_more()
    {
        await StreamsAsync("one");
        _set.TryRemove("one");
        int said;
        lock (_states)
            said = _states.Count(s => s.Id == "one");
        await StreamsAsync("two");
        lock (_states)
            Assert.Equal(said, _states.Count(s => s.Id == "one"));
    }

    private CameraConfiguration Film(string id) => new() { Id = id, Name = id, Url = new Secret($"file:{_clips.WithoutBFrames}") };

    private Camera Make(CameraConfiguration configuration, Camera? predecessor) => new(
        configuration,
        status =>
        {
            lock (_states)
                _states.Add((configuration.Id, status.State));
        },
        _ => null,
        TimeProvider.System,
        NullLogger.Instance,
        predecessor);

    private Task StreamsAsync(string id) => Eventually.TrueAsync(() => _set.Find(id)?.Ingest.Status.State == CameraState.Streaming, $"{id} streams");
}
