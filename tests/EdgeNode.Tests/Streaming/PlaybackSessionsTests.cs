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
        Assert.NotNull(sessions.TryAdd("a", "entrance", "owner", "ada", _time.GetUtcNow().AddMinutes(30)));
        Assert.Null(sessions.Find("a")!.LastRequestAt);
        _time.Advance(TimeSpan.FromMinutes(29));
        Assert.True(sessions.Touch("a"));
        Assert.Equal(_time.GetUtcNow(), sessions.Find("a")!.LastRequestAt);
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
            Assert.NotNull(Add(sessions, $"{i}", "owner", minutes: i == 0 ? 0.5 : 9));
        Assert.Null(Add(sessions, "3", "owner"));
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.NotNull(Add(sessions, "3", "owner"));
        Assert.Equal(["1", "2", "3"], sessions.List().Select(session => session.SessionId));
    }

    [Fact]
    public void Sessions_that_nobody_plays_make_room_and_those_played_stay()
    {
        var sessions = new PlaybackSessions(_time, 2);
        Assert.NotNull(Add(sessions, "played", "owner"));
        Assert.NotNull(Add(sessions, "left", "owner"));
        _time.Advance(TimeSpan.FromSeconds(61));
        sessions.Touch("played");
        Assert.NotNull(Add(sessions, "new", "owner"));
        Assert.Equal(["played", "new"], sessions.List().Select(session => session.SessionId));
        Assert.Null(Add(sessions, "one too many", "owner"));
    }

    [Fact]
    public void One_owner_cannot_lock_the_others_out()
    {
        var sessions = new PlaybackSessions(_time, limit: 10, limitPerOwner: 2);
        Assert.NotNull(Add(sessions, "1", "greedy"));
        Assert.NotNull(Add(sessions, "2", "greedy"));
        Assert.Null(Add(sessions, "3", "greedy"));
        Assert.NotNull(Add(sessions, "4", "modest"));
    }

    [Fact]
    public void A_session_ends_with_all_that_were_made_from_it()
    {
        var sessions = new PlaybackSessions(_time);
        Add(sessions, "parent", "owner");
        Add(sessions, "child", "parent");
        Add(sessions, "grandchild", "child");
        Add(sessions, "other", "owner");
        Assert.Equal(["parent", "child", "grandchild"], sessions.Remove("parent").Select(session => session.SessionId));
        Assert.Equal(["other"], sessions.List().Select(session => session.SessionId));
        Assert.Empty(sessions.Remove("parent"));
    }

    [Fact]
    public void A_token_that_is_no_session_ends_what_was_made_with_it()
    {
        var sessions = new PlaybackSessions(_time);
        Add(sessions, "child", "api-token");
        Add(sessions, "grandchild", "child");
        Add(sessions, "other", "owner");
        Assert.Equal(["child", "grandchild"], sessions.Remove("api-token").Select(session => session.SessionId));
        Assert.Equal(["other"], sessions.List().Select(session => session.SessionId));
    }

    [Fact]
    public void A_session_that_still_polls_goes_on_until_the_grace_ends()
    {
        var sessions = new PlaybackSessions(_time) { Grace = TimeSpan.FromMinutes(2) };
        Add(sessions, "polls", "owner", minutes: 1);
        Add(sessions, "silent", "owner", minutes: 1);
        for (int i = 0; i < 6; i++)
        {
            Assert.True(sessions.Touch("polls"));
            _time.Advance(TimeSpan.FromSeconds(30));
        }

        Assert.Null(sessions.Find("silent"));
        Assert.False(sessions.Touch("polls"));
    }

    [Fact]
    public void An_id_is_taken_once()
    {
        var sessions = new PlaybackSessions(_time);
        Assert.NotNull(sessions.TryAdd("a", "entrance", "owner", "ada", _time.GetUtcNow().AddMinutes(1)));
        Assert.Null(sessions.TryAdd("a", "yard", "owner", "eve", _time.GetUtcNow().AddMinutes(1)));
        Assert.Equal("entrance", sessions.Find("a")!.CameraId);
    }

    private PlaybackSession? Add(PlaybackSessions sessions, string id, string owner, double minutes = 9) =>
        sessions.TryAdd(id, "entrance", owner, "ada", _time.GetUtcNow().AddMinutes(minutes));
}
