using EdgeNode.Streaming;
using Microsoft.Extensions.Time.Testing;

namespace EdgeNode.Tests.Streaming;

public sealed class PlaybackSessionsTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void A_session_lives_until_it_expires()
    {
        var sessions = new PlaybackSessions(_time);
        Assert.NotNull(sessions.TryAdd("a", "entrance", "ada", _time.GetUtcNow().AddMinutes(30)));
        Assert.Null(sessions.Find("a")!.LastRequestAt);
        _time.Advance(TimeSpan.FromMinutes(29));
        Assert.True(sessions.Touch("a"));
        Assert.Equal(_time.GetUtcNow(), sessions.Find("a")!.LastRequestAt);
        Assert.Equal(1, sessions.CountActive("entrance", TimeSpan.FromSeconds(30)));
        Assert.Equal(0, sessions.CountActive("yard", TimeSpan.FromSeconds(30)));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.False(sessions.Touch("a"));
        Assert.Null(sessions.Find("a"));
        Assert.Empty(sessions.List());
    }

    [Fact]
    public void Their_number_is_bounded_and_ended_ones_make_room()
    {
        var sessions = new PlaybackSessions(_time, 3);
        for (int i = 0; i < 3; i++)
            Assert.NotNull(sessions.TryAdd($"{i}", "entrance", "ada", _time.GetUtcNow().AddMinutes(1 + i)));
        Assert.Null(sessions.TryAdd("3", "entrance", "ada", _time.GetUtcNow().AddMinutes(9)));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.NotNull(sessions.TryAdd("3", "entrance", "ada", _time.GetUtcNow().AddMinutes(9)));
        Assert.Equal(3, sessions.Count);
        Assert.NotNull(sessions.Remove("1"));
        Assert.Null(sessions.Remove("1"));
        Assert.Equal(["2", "3"], sessions.List().Select(session => session.SessionId));
    }

    [Fact]
    public void An_id_is_taken_once()
    {
        var sessions = new PlaybackSessions(_time);
        Assert.NotNull(sessions.TryAdd("a", "entrance", "ada", _time.GetUtcNow().AddMinutes(1)));
        Assert.Null(sessions.TryAdd("a", "yard", "eve", _time.GetUtcNow().AddMinutes(1)));
        Assert.Equal("entrance", sessions.Find("a")!.CameraId);
    }
}
