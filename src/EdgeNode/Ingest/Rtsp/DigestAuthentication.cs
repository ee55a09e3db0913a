using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>
/// Answers a camera's challenge: Digest (RFC 2617 §3.2, RFC 7616) with SHA-256, else MD5, with quality of protection
/// <c>auth</c> or none; Basic (RFC 7617) only where no Digest is offered.
/// </summary>
internal sealed class DigestAuthentication
{
    private const int StaleInARowAtMost = 3;

    private readonly string _user;
    private readonly string _password;
    private readonly Func<string> _createClientNonce;
    private AuthenticationChallenge? _challenge;
    private string _clientNonce = "";
    private uint _nonceCount;
    private int _staleInARow;

    public DigestAuthentication(string user, string password)
        : this(user, password, static () => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)))
    {
    }

    /// <summary>With client nonces of the caller's making, for the published examples.</summary>
    internal DigestAuthentication(string user, string password, Func<string> createClientNonce)
    {
        _user = user;
        _password = password;
        _createClientNonce = createClientNonce;
    }

    /// <summary>
    /// Takes the challenges of a 401. False when they cannot be met: none is known, or the answer to a fresh challenge
    /// was refused, so that user or password are wrong. That a nonce is a new one says nothing: many servers send one with every 401.
    /// </summary>
    public bool Accept(IReadOnlyList<AuthenticationChallenge> challenges)
    {
        AuthenticationChallenge? chosen = null;
        foreach (AuthenticationChallenge challenge in challenges)
        {
            if (Strength(challenge) > (chosen is null ? 0 : Strength(chosen)))
                chosen = challenge;
        }

        // A camera that offers a Digest that we cannot compute gets no password in clear instead.
        if (chosen is null || (!IsDigest(chosen) && challenges.Any(IsDigest)))
            return false;
        if (_challenge is not null && _nonceCount > 0)
        {
            bool stale = string.Equals(chosen["stale"], "true", StringComparison.OrdinalIgnoreCase);
            bool worked = _nonceCount > 1;
            bool mayHaveExpired = worked && IsDigest(chosen) && chosen["nonce"] != _challenge["nonce"];
            _staleInARow = worked ? 0 : _staleInARow + 1;
            if ((!stale && !mayHaveExpired) || _staleInARow > StaleInARowAtMost)
                return false;
        }

        _challenge = chosen;
        _nonceCount = 0;
        _clientNonce = _createClientNonce();
        return true;
    }

    /// <summary>The Authorization header's value for a request; null while no challenge is known.</summary>
    public string? Authorize(string method, string uri)
    {
        if (_challenge is null)
            return null;
        _nonceCount++;
        if (!IsDigest(_challenge))
            return "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{_user}:{_password}"));

        string realm = _challenge["realm"] ?? "";
        string nonce = _challenge["nonce"] ?? "";
        string? algorithm = _challenge["algorithm"];
        bool sha256 = IsSha256(algorithm);
        string count = _nonceCount.ToString("x8", CultureInfo.InvariantCulture);

        string secret = Hash(sha256, $"{_user}:{realm}:{_password}");
        if (algorithm is not null && algorithm.EndsWith("-sess", StringComparison.OrdinalIgnoreCase))
            secret = Hash(sha256, $"{secret}:{nonce}:{_clientNonce}");
        string request = Hash(sha256, $"{method}:{uri}");
        bool hasQop = OffersAuth(_challenge);
        string response = hasQop
            ? Hash(sha256, $"{secret}:{nonce}:{count}:{_clientNonce}:auth:{request}")
            : Hash(sha256, $"{secret}:{nonce}:{request}");

        var header = new StringBuilder("Digest ");
        header.Append($"username=\"{Quoted(_user)}\", realm=\"{Quoted(realm)}\", nonce=\"{Quoted(nonce)}\", uri=\"{Quoted(uri)}\", response=\"{response}\"");
        if (algorithm is not null)
            header.Append(", algorithm=").Append(algorithm);
        if (hasQop)
            header.Append($", qop=auth, nc={count}, cnonce=\"{_clientNonce}\"");
        else if (algorithm is not null && algorithm.EndsWith("-sess", StringComparison.OrdinalIgnoreCase))
            header.Append($", cnonce=\"{_clientNonce}\"");
        if (_challenge["opaque"] is { } opaque)
            header.Append($", opaque=\"{Quoted(opaque)}\"");
        return header.ToString();
    }

    // SHA-256 before MD5 before a password in clear, in whatever order they are offered (RFC 7616 §3.7); 0: none of ours.
    private static int Strength(AuthenticationChallenge challenge)
    {
        if (IsDigest(challenge))
            return !CanAnswer(challenge) ? 0 : IsSha256(challenge["algorithm"]) ? 3 : 2;
        return challenge.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase) ? 1 : 0;
    }

    private static bool IsDigest(AuthenticationChallenge challenge) => challenge.Scheme.Equals("Digest", StringComparison.OrdinalIgnoreCase);

    private static bool CanAnswer(AuthenticationChallenge challenge) =>
        challenge["nonce"] is not null
        && (challenge["algorithm"] is null or "" || IsMd5(challenge["algorithm"]) || IsSha256(challenge["algorithm"]))
        && (string.IsNullOrWhiteSpace(challenge["qop"]) || OffersAuth(challenge));

    private static bool OffersAuth(AuthenticationChallenge challenge)
    {
        foreach (string offered in (challenge["qop"] ?? "").Split(','))
        {
            if (offered.Trim().Equals("auth", StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }

    private static bool IsMd5(string? algorithm) =>
        string.Equals(algorithm, "MD5", StringComparison.OrdinalIgnoreCase) || string.Equals(algorithm, "MD5-sess", StringComparison.OrdinalIgnoreCase);

    private static bool IsSha256(string? algorithm) =>
        string.Equals(algorithm, "SHA-256", StringComparison.OrdinalIgnoreCase) || string.Equals(algorithm, "SHA-256-sess", StringComparison.OrdinalIgnoreCase);

    private static string Hash(bool sha256, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
#pragma warning disable CA5351 // MD5 is what cameras ask for; the challenge chooses.
        return Convert.ToHexStringLower(sha256 ? SHA256.HashData(bytes) : MD5.HashData(bytes));
#pragma warning restore CA5351
    }

    private static string Quoted(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
}
