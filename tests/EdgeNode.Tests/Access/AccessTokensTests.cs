using System.Security.Cryptography;
using System.Text;
using EdgeNode.Access;
using EdgeNode.Storage;
using Microsoft.Extensions.Time.Testing;

namespace EdgeNode.Tests.Access;

public sealed class AccessTokensTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("edgenode-access").FullName;
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
    private readonly StateDatabase _database;
    private readonly SigningKey _key;
    private readonly Revocations _revocations;
    private readonly AccessTokens _tokens;

    public AccessTokensTests()
    {
        _key = SigningKey.LoadOrCreate(_folder);
        _database = StateDatabase.Open(_folder);
        _revocations = new Revocations(_database, _time);
        _tokens = new AccessTokens(_key, _revocations, "hq", "edge-01", _time);
    }

    [Fact]
    public async Task A_token_grants_what_was_put_into_it()
    {
        (string token, AccessGrant given) = _tokens.Issue("ada", Role.Operator, ["a", "b"], metadata: true, TimeSpan.FromMinutes(30));
        (TokenVerdict verdict, AccessGrant? grant) = await _tokens.ValidateAsync(token);
        Assert.Equal(TokenVerdict.Valid, verdict);
        Assert.Equal(("ada", Role.Operator, true, given.SessionId, given.ExpiresAt), (grant!.Subject, grant.Role, grant.Metadata, grant.SessionId, grant.ExpiresAt));
        Assert.True(grant.Allows("a") && grant.Allows("b") && !grant.Allows("c"));
    }

    [Fact]
    public async Task A_star_allows_every_camera()
    {
        (string token, _) = _tokens.Issue("ada", Role.Viewer, null, metadata: false, TimeSpan.FromMinutes(1));
        Assert.True((await _tokens.ValidateAsync(token)).Grant!.Allows("any"));
    }

    [Fact]
    public async Task A_token_ends_at_its_time_although_it_is_remembered()
    {
        (string token, _) = _tokens.Issue("ada", Role.Viewer, null, metadata: false, TimeSpan.FromMinutes(1));
        Assert.Equal(TokenVerdict.Valid, (await _tokens.ValidateAsync(token)).Verdict);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(TokenVerdict.Expired, (await _tokens.ValidateAsync(token)).Verdict);
        Assert.Equal(TokenVerdict.Expired, (await _tokens.ValidateAsync(token)).Verdict);
    }

    [Fact]
    public async Task Who_watches_since_before_the_end_and_still_polls_goes_on_until_the_grace_ends()
    {
        _tokens.Grace = TimeSpan.FromMinutes(10);
        (string token, AccessGrant given) = _tokens.Issue("ada", Role.Viewer, null, metadata: false, TimeSpan.FromMinutes(1));
        for (int second = 0; second < 60 + 600; second += 30)
        {
            Assert.Equal(TokenVerdict.Valid, (await _tokens.ValidateAsync(token, watching: true)).Verdict);
            Assert.Equal(second < 60 ? TokenVerdict.Valid : TokenVerdict.Expired, (await _tokens.ValidateAsync(token)).Verdict);
            _time.Advance(TimeSpan.FromSeconds(30));
        }

        Assert.Equal(TokenVerdict.Expired, (await _tokens.ValidateAsync(token, watching: true)).Verdict);
        Assert.False(_tokens.IsStillValid(given));
    }

    [Fact]
    public async Task No_grace_for_who_comes_late_pauses_or_was_revoked()
    {
        _tokens.Grace = TimeSpan.FromMinutes(10);
        (string late, _) = _tokens.Issue("ada", Role.Viewer, null, metadata: false, TimeSpan.FromMinutes(1));
        (string paused, _) = _tokens.Issue("ada", Role.Viewer, null, metadata: false, TimeSpan.FromMinutes(1));
        (string revoked, AccessGrant grant) = _tokens.Issue("ada", Role.Viewer, null, metadata: false, TimeSpan.FromMinutes(1));
        await _tokens.ValidateAsync(late);
        await _tokens.ValidateAsync(paused, watching: true);
        _time.Advance(TimeSpan.FromSeconds(50));
        await _tokens.ValidateAsync(revoked, watching: true);
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(TokenVerdict.Expired, (await _tokens.ValidateAsync(late, watching: true)).Verdict);
        Assert.Equal(TokenVerdict.Expired, (await _tokens.ValidateAsync(paused, watching: true)).Verdict);
        Assert.Equal(TokenVerdict.Valid, (await _tokens.ValidateAsync(revoked, watching: true)).Verdict);
        _revocations.Add([(grant.SessionId, grant.ExpiresAt + _tokens.Grace)]);
        Assert.Equal(TokenVerdict.Revoked, (await _tokens.ValidateAsync(revoked, watching: true)).Verdict);
    }

    [Fact]
    public async Task A_revoked_session_ends_at_once()
    {
        (string token, AccessGrant grant) = _tokens.Issue("ada", Role.Viewer, null, metadata: false, TimeSpan.FromMinutes(1));
        Assert.Equal(TokenVerdict.Valid, (await _tokens.ValidateAsync(token)).Verdict);
        Assert.True(_tokens.IsStillValid(grant));
        _revocations.Add([(grant.SessionId, grant.ExpiresAt)]);
        Assert.Equal(TokenVerdict.Revoked, (await _tokens.ValidateAsync(token)).Verdict);
        Assert.False(_tokens.IsStillValid(grant));
    }

    [Fact]
    public async Task A_revoked_session_stays_ended_across_a_restart_until_it_would_have_ended_anyway()
    {
        (string token, AccessGrant grant) = _tokens.Issue("ada", Role.Viewer, null, metadata: false, TimeSpan.FromMinutes(1));
        _revocations.Add([(grant.SessionId, grant.ExpiresAt)]);
        var restarted = new AccessTokens(_key, new Revocations(_database, _time), "hq", "edge-01", _time);
        Assert.Equal(TokenVerdict.Revoked, (await restarted.ValidateAsync(token)).Verdict);
        _time.Advance(TimeSpan.FromMinutes(2));
        _revocations.Add([]);
        Assert.Equal(0L, _database.Read(c => Sql.Scalar(c, "SELECT count(*) FROM revocations")));
    }

    [Fact]
    public void What_version_0_1_has_revoked_stays_so()
    {
        string old = Path.Combine(_folder, "revoked-sessions");
        long end = _time.GetUtcNow().ToUnixTimeSeconds() + 60;
        File.WriteAllText(old, $"abc {end}\nnonsense\n");
        Assert.True(new Revocations(_database, _time).Contains("abc"));
        Assert.False(File.Exists(old));
        Assert.True(new Revocations(_database, _time).Contains("abc"));
    }

    [Fact]
    public async Task Tokens_of_another_key_node_site_or_algorithm_are_refused()
    {
        using SigningKey otherKey = SigningKey.LoadOrCreate(Path.Combine(_folder, "other"));
        string[] forged =
        [
            new AccessTokens(otherKey, _revocations, "hq", "edge-01", _time).Issue("x", Role.Admin, null, false, TimeSpan.FromHours(1)).Token,
            new AccessTokens(_key, _revocations, "hq", "edge-02", _time).Issue("x", Role.Admin, null, false, TimeSpan.FromHours(1)).Token,
            new AccessTokens(_key, _revocations, "lab", "edge-01", _time).Issue("x", Role.Admin, null, false, TimeSpan.FromHours(1)).Token,
            Unsigned(),
            SignedWithPublicKey(),
            "", ".", "a.b.c", "a.b", new string('x', 5000),
        ];
        foreach (string token in forged)
            Assert.Equal(TokenVerdict.Invalid, (await _tokens.ValidateAsync(token)).Verdict);
    }

    [Fact]
    public async Task An_altered_token_is_refused()
    {
        (string token, _) = _tokens.Issue("ada", Role.Viewer, ["a"], metadata: false, TimeSpan.FromMinutes(1));
        string[] pieces = token.Split('.');
        string payload = Decode(pieces[1]).Replace("viewer", "admin", StringComparison.Ordinal);
        Assert.Equal(TokenVerdict.Invalid, (await _tokens.ValidateAsync($"{pieces[0]}.{Encode(payload)}.{pieces[2]}")).Verdict);
    }

    [Fact]
    public async Task The_key_outlives_a_restart_and_is_the_owners_alone()
    {
        (string token, _) = _tokens.Issue("ada", Role.Viewer, null, metadata: false, TimeSpan.FromMinutes(1));
        using SigningKey again = SigningKey.LoadOrCreate(_folder);
        Assert.Equal(TokenVerdict.Valid, (await new AccessTokens(again, _revocations, "hq", "edge-01", _time).ValidateAsync(token)).Verdict);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_folder, "signing-key.pem")));
    }

    [Fact]
    public void Processes_that_are_first_at_the_same_time_have_one_key()
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder, "new")).FullName;
        var keys = new string[8];
        Thread[] starters = [.. keys.Select((_, i) => new Thread(() =>
        {
            using SigningKey key = SigningKey.LoadOrCreate(folder);
            keys[i] = key.Key.KeyId;
        }))];
        foreach (Thread starter in starters)
            starter.Start();
        foreach (Thread starter in starters)
            starter.Join();
        Assert.Single(keys.Distinct());
    }

    [Fact]
    public void A_damaged_key_is_one_sentence()
    {
        File.WriteAllText(Path.Combine(_folder, "signing-key.pem"), "rubbish");
        Assert.Contains("damaged", Assert.Throws<IOException>(() => SigningKey.LoadOrCreate(_folder)).Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _key.Dispose();
        _database.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private string Unsigned() => $"{Encode("""{"alg":"none","typ":"JWT"}""")}.{Claims()}.";

    // The classic confusion: HMAC with the public key, which an attacker may know.
    private string SignedWithPublicKey()
    {
        using var ecdsa = ECDsa.Create();
        ecdsa.ImportFromPem(File.ReadAllText(Path.Combine(_folder, "signing-key.pem")));
        string content = $"{Encode("""{"alg":"HS256","typ":"JWT"}""")}.{Claims()}";
        byte[] mac = HMACSHA256.HashData(Encoding.ASCII.GetBytes(ecdsa.ExportSubjectPublicKeyInfoPem()), Encoding.ASCII.GetBytes(content));
        return $"{content}.{Convert.ToBase64String(mac).TrimEnd('=').Replace('+', '-').Replace('/', '_')}";
    }

    private string Claims()
    {
        long now = _time.GetUtcNow().ToUnixTimeSeconds();
        return Encode($$"""{"iss":"edge-01","aud":"edgenode:hq/edge-01","sub":"x","jti":"x","role":"admin","cam":"*","iat":{{now}},"nbf":{{now}},"exp":{{now + 600}}}""");
    }

    private static string Encode(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text)).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    private static string Decode(string text)
    {
        string padded = text.Replace('-', '+').Replace('_', '/');
        return Encoding.UTF8.GetString(Convert.FromBase64String(padded.PadRight((padded.Length + 3) / 4 * 4, '=')));
    }
}
