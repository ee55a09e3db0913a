using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace EdgeNode.Access;

/// <summary>Why a token was refused.</summary>
public enum TokenVerdict
{
    /// <summary>It was not refused.</summary>
    Valid,

    /// <summary>Not ours, altered, malformed, for another node, or not yet valid.</summary>
    Invalid,

    /// <summary>It was valid once.</summary>
    Expired,

    /// <summary>Its session was ended.</summary>
    Revoked,
}

/// <summary>
/// Makes and checks the node's JSON Web Tokens (RFC 7519): ES256 with the node's own key, nothing else. Checked tokens are
/// remembered until they end, so that a viewer who polls three times a second does not cost a signature each time.
/// </summary>
public sealed class AccessTokens
{
    private const int LongestToken = 900;
    private const int RememberedAtMost = 4096;
    private static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(30);

    // A player that has not asked for this long has left.
    private static readonly TimeSpan PollsWithin = TimeSpan.FromMinutes(1);

    private readonly SigningKey _key;
    private readonly TimeProvider _time;
    private readonly string _issuer;
    private readonly string _audience;
    private readonly JsonWebTokenHandler _handler = new() { SetDefaultTimesOnTokenCreation = false, MaximumTokenSizeInBytes = LongestToken };
    private readonly TokenValidationParameters _rules;
    private readonly ConcurrentDictionary<UInt128, AccessGrant> _remembered = new();
    private readonly Revocations _revocations;
    private readonly ApiTokens? _apiTokens;

    /// <summary>Tokens of node <paramref name="node"/> at <paramref name="site"/>; without <paramref name="apiTokens"/> no API token is valid.</summary>
    public AccessTokens(SigningKey key, Revocations revocations, string site, string node, TimeProvider time, ApiTokens? apiTokens = null)
    {
        _apiTokens = apiTokens;
        _key = key;
        _revocations = revocations;
        _time = time;
        _issuer = node;
        _audience = $"edgenode:{site}/{node}";
        _rules = new TokenValidationParameters
        {
            ValidIssuer = node,
            ValidAudiences = [_audience, $"edgenode:{site}/*"],
            IssuerSigningKey = key.Key,
            ValidAlgorithms = [SecurityAlgorithms.EcdsaSha256],
            RequireExpirationTime = true,
            RequireSignedTokens = true,
            TryAllIssuerSigningKeys = false,
            // Times are judged below, by our own clock and after the signature.
            ValidateLifetime = false,
        };
    }

    /// <summary>How long after a token's end who watches with it since before, and still polls, may go on watching (<c>tokens.grace</c>); zero: not at all.</summary>
    public TimeSpan Grace { get; set; }

    /// <summary>Makes a token for <paramref name="cameras"/> (null: all), which ends after <paramref name="lifetime"/>.</summary>
    public (string Token, AccessGrant Grant) Issue(string subject, Role role, IReadOnlyCollection<string>? cameras, bool metadata, TimeSpan lifetime) =>
        Issue(NewId(), subject, role, cameras, metadata, lifetime);

    /// <summary>Makes a viewer's token for one camera, which ends after <paramref name="lifetime"/> or with the token of <paramref name="maker"/>, wherever that is revoked.</summary>
    public (string Token, AccessGrant Grant) IssueSession(AccessGrant maker, string camera, TimeSpan lifetime) =>
        Issue(NewId(), maker.Subject, Role.Viewer, [camera], maker.Metadata, lifetime, maker.SessionId);

    internal (string Token, AccessGrant Grant) Issue(
        string sessionId, string subject, Role role, IReadOnlyCollection<string>? cameras, bool metadata, TimeSpan lifetime, string? madeWith = null)
    {
        DateTime now = _time.GetUtcNow().UtcDateTime;
        var grant = new AccessGrant
        {
            Subject = subject,
            SessionId = sessionId,
            MadeWith = madeWith,
            Role = role,
            Cameras = cameras?.ToHashSet(StringComparer.Ordinal),
            Metadata = metadata,
            ExpiresAt = now + lifetime,
        };
        var claims = new Dictionary<string, object>
        {
            ["sub"] = subject,
            ["jti"] = grant.SessionId,
            ["role"] = NameOf(role),
            ["cam"] = cameras is null ? "*" : cameras.ToList(),
        };
        if (metadata)
            claims["meta"] = true;
        if (madeWith is not null)
            claims["via"] = madeWith;
        string token = _handler.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = _issuer,
            Audience = _audience,
            IssuedAt = now,
            NotBefore = now,
            Expires = grant.ExpiresAt,
            Claims = claims,
            SigningCredentials = new SigningCredentials(_key.Key, SecurityAlgorithms.EcdsaSha256),
        });
        if (token.Length > LongestToken)
            throw new ArgumentException("The token names too many cameras for a URL: use '*', or fewer cameras.", nameof(cameras));
        return (token, grant);
    }

    /// <summary>
    /// Checks a token; the grant is null unless the verdict is <see cref="TokenVerdict.Valid"/>. <paramref name="watching"/>: for a stream, where
    /// <see cref="Grace"/> holds; everything else ends when the token does.
    /// </summary>
    public async ValueTask<(TokenVerdict Verdict, AccessGrant? Grant)> ValidateAsync(string token, bool watching = false)
    {
        if (token.Length is 0 or > LongestToken)
            return (TokenVerdict.Invalid, null);
        UInt128 fingerprint = Fingerprint(token);
        DateTime now = _time.GetUtcNow().UtcDateTime;
        if (!_remembered.TryGetValue(fingerprint, out AccessGrant? grant))
        {
            TokenValidationResult result = await _handler.ValidateTokenAsync(token, _rules).ConfigureAwait(false);
            if (!result.IsValid || Read((JsonWebToken)result.SecurityToken) is not AccessGrant read)
                return (TokenVerdict.Invalid, null);
            if (((JsonWebToken)result.SecurityToken).ValidFrom > now + ClockSkew)
                return (TokenVerdict.Invalid, null);
            grant = read;
            if (_remembered.Count >= RememberedAtMost)
                _remembered.Clear();
            _remembered[fingerprint] = grant;
        }

        if (grant.ExpiresAt <= now && !(watching && MayFinish(grant, now)))
        {
            if (grant.ExpiresAt + Grace <= now)
                _remembered.TryRemove(fingerprint, out _);
            return (TokenVerdict.Expired, null);
        }

        if (watching)
            Volatile.Write(ref grant.WatchedAtTicks, now.Ticks);
        return IsRevoked(grant, now) ? (TokenVerdict.Revoked, null) : (TokenVerdict.Valid, grant);
    }

    /// <summary>Whether a grant that was valid still is: it neither came to its end nor was revoked.</summary>
    public bool IsStillValid(AccessGrant grant)
    {
        DateTime now = _time.GetUtcNow().UtcDateTime;
        return grant.ExpiresAt > now && !IsRevoked(grant, now);
    }

    /// <summary>The role's name in claims.</summary>
    public static string NameOf(Role role) => role switch
    {
        Role.Admin => "admin",
        Role.Operator => "operator",
        _ => "viewer",
    };

    /// <summary>The role of a name; null for any other name.</summary>
    public static Role? RoleOf(string? name) => name switch
    {
        "viewer" => Role.Viewer,
        "operator" => Role.Operator,
        "admin" => Role.Admin,
        _ => null,
    };

    // The time of the last request is known only of tokens that are remembered, so only of those that were seen before they ended.
    private bool MayFinish(AccessGrant grant, DateTime now) =>
        now < grant.ExpiresAt + Grace && now.Ticks - Volatile.Read(ref grant.WatchedAtTicks) <= PollsWithin.Ticks;

    /// <summary>Whether a text can be the id (<c>jti</c>) of a token that was made here.</summary>
    public static bool IsId(string text) => text.Length == 16 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    private static string NewId() => Base64UrlEncoder.Encode(RandomNumberGenerator.GetBytes(12));

    // The list of sessions is in memory and bounded; what a token says of itself outlives both.
    private bool IsRevoked(AccessGrant grant, DateTime now) =>
        IsRevoked(grant.SessionId, now) || grant.MadeWith is { } maker && IsRevoked(maker, now);

    private bool IsRevoked(string sessionId, DateTime now) =>
        _revocations.Contains(sessionId) || ApiTokens.Concerns(sessionId) && _apiTokens?.Admit(sessionId, now) != true;

    private static AccessGrant? Read(JsonWebToken token)
    {
        if (RoleOf(Claim(token, "role")) is not Role role || token.Subject is not { Length: > 0 } subject || token.Id is not { Length: > 0 } id)
            return null;
        HashSet<string>? cameras = token.Claims.Where(c => c.Type == "cam").Select(c => c.Value).ToHashSet(StringComparer.Ordinal);
        if (cameras.Count == 0)
            return null;
        if (cameras.Contains("*"))
            cameras = null;
        return new AccessGrant
        {
            Subject = subject,
            SessionId = id,
            MadeWith = Claim(token, "via"),
            Role = role,
            Cameras = cameras,
            Metadata = Claim(token, "meta") == "true",
            ExpiresAt = token.ValidTo,
        };
    }

    private static string? Claim(JsonWebToken token, string name) => token.Claims.FirstOrDefault(c => c.Type == name)?.Value;

    private static UInt128 Fingerprint(string token)
    {
        Span<byte> bytes = stackalloc byte[LongestToken * 3];
        int length = Encoding.UTF8.GetBytes(token, bytes);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes[..length], hash);
        return System.Runtime.InteropServices.MemoryMarshal.Read<UInt128>(hash);
    }
}
