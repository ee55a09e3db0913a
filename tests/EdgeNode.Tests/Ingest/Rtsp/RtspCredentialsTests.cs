using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using CsCheck;
using EdgeNode.Ingest.Rtsp;

namespace EdgeNode.Tests.Ingest.Rtsp;

/// <summary>Whatever user and password are, given as fields or inside the URL, the camera gets exactly them.</summary>
public partial class RtspCredentialsTests
{
    private static readonly Gen<string> Printable = Gen.String[Gen.Char[' ', '~'], 1, 24];
    private static readonly Gen<string> Worldwide = Gen.String[Gen.OneOf(Gen.Char[' ', '~'], Gen.Char['\u00A1', '\u024F'], Gen.Char['\u4E00', '\u4EFF']), 1, 12];

    [Fact]
    public void As_fields() =>
        Gen.Select(Gen.OneOf(Printable, Worldwide), Gen.OneOf(Printable, Worldwide))
            .Sample((user, password) => Check(RtspUrl.Parse("rtsp://192.0.2.10/main", user, password), user, password), iter: 2000);

    [Fact]
    public void Inside_the_url_percent_encoded() =>
        Gen.Select(Gen.OneOf(Printable, Worldwide), Gen.OneOf(Printable, Worldwide))
            .Sample((user, password) => Check(RtspUrl.Parse($"rtsp://{Uri.EscapeDataString(user)}:{Uri.EscapeDataString(password)}@192.0.2.10:8554/main"), user, password), iter: 2000);

    [Fact]
    public void Inside_the_url_as_users_paste_a_password() =>
        Printable.Where(password => !Escape().IsMatch(password))
            .Sample(password => Check(RtspUrl.Parse($"rtsp://admin:{password}@192.0.2.10:8554/main"), "admin", password), iter: 2000);

    [Fact]
    public void The_known_difficult_one()
    {
        Check(RtspUrl.Parse("rtsp://cam:p@ss:w/rd#1@cam.example/main"), "cam", "p@ss:w/rd#1");
        Check(RtspUrl.Parse("rtsp://cam.example/main", "cam", "p@ss:w/rd#1"), "cam", "p@ss:w/rd#1");
        Check(RtspUrl.Parse("rtsps://cam.example/main", "cam", "p@ss:w/rd#1"), "cam", "p@ss:w/rd#1");
    }

    private static void Check(RtspUrl url, string user, string password)
    {
        Assert.Equal((user, password), (url.User, url.Password));
        foreach (string algorithm in (string[])["MD5", "SHA-256", "SHA-256-sess"])
            CheckDigest(url, user, password, algorithm);

        var basic = new DigestAuthentication(url.User!, url.Password!);
        basic.Accept(AuthenticationChallenge.ParseAll(["Basic realm=\"cam\""]));
        string value = basic.Authorize("PLAY", url.RequestUri)!["Basic ".Length..];
        Assert.Equal($"{user}:{password}", Encoding.UTF8.GetString(Convert.FromBase64String(value)));
        Assert.DoesNotContain('@', url.RequestUri);
    }

    // A server of our own: it knows user and password, and computes what RFC 7616 §3.4.1 says.
    private static void CheckDigest(RtspUrl url, string user, string password, string algorithm)
    {
        var digest = new DigestAuthentication(url.User!, url.Password!);
        digest.Accept(AuthenticationChallenge.ParseAll([$"Digest realm=\"IP \\\"Camera\\\"\", nonce=\"n1\", algorithm={algorithm}, qop=\"auth\""]));
        string header = digest.Authorize("DESCRIBE", url.RequestUri)!;
        AuthenticationChallenge given = Assert.Single(AuthenticationChallenge.ParseAll([header]));
        Assert.Equal(user, given["username"]);
        Assert.DoesNotContain('\n', header);
        string secret = Hash($"{user}:IP \"Camera\":{password}");
        if (algorithm.EndsWith("-sess", StringComparison.Ordinal))
            secret = Hash($"{secret}:n1:{given["cnonce"]}");
        Assert.Equal(Hash($"{secret}:n1:{given["nc"]}:{given["cnonce"]}:auth:{Hash($"DESCRIBE:{url.RequestUri}")}"), given["response"]);

        string Hash(string text) => Convert.ToHexStringLower(algorithm == "MD5" ? MD5.HashData(Encoding.UTF8.GetBytes(text)) : SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }

    [GeneratedRegex("%[0-9A-Fa-f]{2}")]
    private static partial Regex Escape();
}
