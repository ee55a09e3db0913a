using EdgeNode.Access;
using EdgeNode.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Time.Testing;

namespace EdgeNode.Tests.Access;

public sealed class ApiTokensTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("edgenode-access").FullName;
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
    private readonly SigningKey _key;
    private readonly StateDatabase _database;
    private readonly ApiTokens _apiTokens;
    private readonly AccessTokens _tokens;

    public ApiTokensTests()
    {
        _key = SigningKey.LoadOrCreate(_folder);
        _database = StateDatabase.Open(_folder);
        _apiTokens = new ApiTokens(_database, _time);
        _tokens = Checker(_apiTokens);
    }

    [Fact]
    public async Task A_token_without_end_is_valid_years_later_and_shows_what_it_was_made_for()
    {
        (string token, ApiToken entry) = _apiTokens.Issue(_tokens, "Home Assistant", Role.Operator, ["a", "b"], metadata: true, lifetime: null);
        _time.Advance(TimeSpan.FromDays(3000));
        (TokenVerdict verdict, AccessGrant? grant) = await _tokens.ValidateAsync(token);
        Assert.Equal(TokenVerdict.Valid, verdict);
        Assert.Equal(("Home Assistant", Role.Operator, true, entry.Id), (grant!.Subject, grant.Role, grant.Metadata, grant.SessionId));
        Assert.True(grant.Allows("a") && !grant.Allows("c"));
        Assert.Null(entry.ExpiresAt);
    }

    [Fact]
    public async Task A_token_with_an_end_ends()
    {
        (string token, ApiToken entry) = _apiTokens.Issue(_tokens, "guest", Role.Viewer, null, metadata: false, TimeSpan.FromDays(1));
        Assert.Equal(_time.GetUtcNow().UtcDateTime.AddDays(1), entry.ExpiresAt);
        _time.Advance(TimeSpan.FromDays(1));
        Assert.Equal(TokenVerdict.Expired, (await _tokens.ValidateAsync(token)).Verdict);
    }

    [Fact]
    public async Task Revoking_is_in_force_at_once_and_after_a_restart()
    {
        (string token, ApiToken entry) = _apiTokens.Issue(_tokens, "prometheus", Role.Viewer, null, metadata: false, null);
        AccessGrant grant = (await _tokens.ValidateAsync(token)).Grant!;
        Assert.True(_apiTokens.Revoke(entry.Id));
        Assert.Equal(TokenVerdict.Revoked, (await _tokens.ValidateAsync(token)).Verdict);
        Assert.False(_tokens.IsStillValid(grant));
        using var restarted = new ApiTokens(_database, _time);
        Assert.Equal(TokenVerdict.Revoked, (await Checker(restarted).ValidateAsync(token)).Verdict);
        Assert.Equal(_time.GetUtcNow().UtcDateTime, Assert.Single(restarted.List()).RevokedAt);
    }

    [Fact]
    public void Revoking_what_is_not_there_is_said() => Assert.False(_apiTokens.Revoke("api-x"));

    [Fact]
    public async Task A_state_that_does_not_know_the_token_refuses_it()
    {
        (string token, _) = _apiTokens.Issue(_tokens, "prometheus", Role.Viewer, null, metadata: false, null);
        using StateDatabase other = StateDatabase.Open(Path.Combine(_folder, "other"));
        using var unknowing = new ApiTokens(other, _time);
        Assert.Equal(TokenVerdict.Revoked, (await Checker(unknowing).ValidateAsync(token)).Verdict);
        Assert.Equal(TokenVerdict.Revoked, (await Checker(null).ValidateAsync(token)).Verdict);
    }

    [Fact]
    public void What_was_issued_is_listed_after_a_restart_newest_first()
    {
        _apiTokens.Issue(_tokens, "first", Role.Admin, null, metadata: false, null);
        _time.Advance(TimeSpan.FromSeconds(1));
        ApiToken second = _apiTokens.Issue(_tokens, "second", Role.Viewer, ["a", "b"], metadata: true, TimeSpan.FromDays(9)).Entry;
        using var restarted = new ApiTokens(_database, _time);
        IReadOnlyList<ApiToken> list = restarted.List();
        Assert.Equal(["second", "first"], list.Select(token => token.Name));
        Assert.Equal(second with { Cameras = null }, list[0] with { Cameras = null });
        Assert.Equal(["a", "b"], list[0].Cameras!);
        Assert.Null(list[1].Cameras);
    }

    [Fact]
    public async Task The_last_use_is_written_once_an_hour_and_at_the_end()
    {
        (string token, _) = _apiTokens.Issue(_tokens, "prometheus", Role.Viewer, null, metadata: false, null);
        _time.Advance(TimeSpan.FromMinutes(5));
        await _tokens.ValidateAsync(token);
        DateTime used = _time.GetUtcNow().UtcDateTime;
        Assert.Equal(used, Assert.Single(_apiTokens.List()).LastUsedAt);
        Assert.Null(OnDisk());
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(used, OnDisk());
        await _tokens.ValidateAsync(token);
        Assert.Equal(used, OnDisk());
        _apiTokens.Dispose();
        Assert.Equal(_time.GetUtcNow().UtcDateTime, OnDisk());

        DateTime? OnDisk()
        {
            using var other = new ApiTokens(_database, _time);
            return Assert.Single(other.List()).LastUsedAt;
        }
    }

    [Fact]
    public void Their_number_is_bounded_and_ended_ones_make_room()
    {
        ApiToken first = _apiTokens.Issue(_tokens, "first", Role.Viewer, null, metadata: false, null).Entry;
        for (int i = 1; i < ApiTokens.Limit; i++)
            _apiTokens.Issue(_tokens, "more", Role.Viewer, null, metadata: false, null);
        Assert.Contains("revoke one", Assert.Throws<InvalidOperationException>(() => _apiTokens.Issue(_tokens, "over", Role.Viewer, null, false, null)).Message, StringComparison.Ordinal);
        _apiTokens.Revoke(first.Id);
        _apiTokens.Issue(_tokens, "over", Role.Viewer, null, metadata: false, null);
        for (int i = 0; i < 2 * ApiTokens.Limit; i++)
        {
            _apiTokens.Revoke(_apiTokens.List().First(token => token.RevokedAt is null).Id);
            _apiTokens.Issue(_tokens, "again", Role.Viewer, null, metadata: false, null);
        }

        Assert.InRange(_apiTokens.List().Count, ApiTokens.Limit, 2 * ApiTokens.Limit + 1);
        Assert.Equal((long)_apiTokens.List().Count, _database.Read(Rows));
    }

    [Theory]
    [InlineData("", null, 1, "name")]
    [InlineData("a\nb", null, 1, "name")]
    [InlineData("a", "", 1, "camera")]
    [InlineData("a", "*", 1, "camera")]
    [InlineData("a", "x y", 1, "camera")]
    [InlineData("a", null, 0, "lifetime")]
    [InlineData("a", null, 40000, "lifetime")]
    public void What_cannot_be_is_one_sentence(string name, string? camera, int days, string word) => Assert.Contains(
        word,
        Assert.Throws<ArgumentException>(() => _apiTokens.Issue(_tokens, name, Role.Viewer, camera is null ? null : [camera], false, TimeSpan.FromDays(days))).Message,
        StringComparison.Ordinal);

    public void Dispose()
    {
        _apiTokens.Dispose();
        _database.Dispose();
        _key.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private AccessTokens Checker(ApiTokens? apiTokens) => new(_key, new Revocations(_database, _time), "hq", "edge-01", _time, apiTokens);

    private static object? Rows(SqliteConnection connection)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "SELECT count(*) FROM api_tokens";
        return command.ExecuteScalar();
    }
}
