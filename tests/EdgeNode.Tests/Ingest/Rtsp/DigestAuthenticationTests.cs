using EdgeNode.Ingest.Rtsp;

namespace EdgeNode.Tests.Ingest.Rtsp;

public class DigestAuthenticationTests
{
    [Fact]
    public void Answers_the_example_of_rfc_2617()
    {
        string? answer = Answer(
            "Circle Of Life",
            "0a4f113b",
            "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"");

        Assert.Contains("response=\"6629fae49393a05397450978507c4ef1\"", answer);
        Assert.Contains("qop=auth, nc=00000001, cnonce=\"0a4f113b\"", answer);
        Assert.Contains("opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"", answer);
    }

    [Fact]
    public void Answers_without_quality_of_protection_as_rfc_2069_with_its_erratum()
    {
        string? answer = Answer("CircleOfLife", "", "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"");

        Assert.Contains("response=\"1949323746fe6a43ef61f9606e7febea\"", answer);
        Assert.DoesNotContain("qop", answer);
    }

    [Theory]
    [InlineData("MD5", "8ca523f5e9506fed4657c9700eebdbec")]
    [InlineData("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1")]
    public void Answers_the_examples_of_rfc_7616(string algorithm, string response)
    {
        string? answer = Answer(
            "Circle of Life",
            "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
            $"Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"");

        Assert.Contains($"response=\"{response}\"", answer);
    }

    [Theory]
    [InlineData("Basic realm=\"x\"", "Digest realm=\"x\", nonce=\"n\"")]
    [InlineData("Digest realm=\"x\", nonce=\"n\", Basic realm=\"x\"", null)]
    public void Digest_goes_before_basic_wherever_it_stands(string first, string? second)
    {
        Assert.StartsWith("Digest ", Answer("secret", "", first, second));
    }

    [Fact]
    public void Basic_is_used_only_where_no_digest_is_offered()
    {
        Assert.Equal("Basic TXVmYXNhOmE6Yg==", Answer("a:b", "", "Basic realm=\"x\""));
        Assert.Null(Answer("a:b", "", "Digest realm=\"x\", nonce=\"n\", algorithm=SHA-512-256", "Basic realm=\"x\""));
    }

    [Fact]
    public void A_refused_answer_to_a_fresh_challenge_is_final_although_the_nonce_is_another()
    {
        var authentication = new DigestAuthentication("a", "b");
        Assert.True(Accept(authentication, "Digest realm=\"x\", nonce=\"1\""));
        authentication.Authorize("OPTIONS", "rtsp://cam/");

        Assert.False(Accept(authentication, "Digest realm=\"x\", nonce=\"2\""));
    }

    [Fact]
    public void A_nonce_that_worked_may_run_out()
    {
        var authentication = new DigestAuthentication("a", "b");
        Accept(authentication, "Digest realm=\"x\", nonce=\"1\"");
        authentication.Authorize("OPTIONS", "rtsp://cam/");
        authentication.Authorize("DESCRIBE", "rtsp://cam/");

        Assert.True(Accept(authentication, "Digest realm=\"x\", nonce=\"2\""));
    }

    [Fact]
    public void Stale_nonces_are_answered_anew_but_not_for_ever()
    {
        var authentication = new DigestAuthentication("a", "b");
        int accepted = 0;
        while (accepted < 100 && Accept(authentication, "Digest realm=\"x\", nonce=\"1\", stale=TRUE"))
        {
            authentication.Authorize("OPTIONS", "rtsp://cam/");
            accepted++;
        }

        Assert.InRange(accepted, 2, 5);
    }

    [Fact]
    public void Quotes_in_names_are_escaped()
    {
        var authentication = new DigestAuthentication("a\"b\\", "c");
        Accept(authentication, "Digest realm=\"r\\\"x\", nonce=\"1\"");

        Assert.Contains("username=\"a\\\"b\\\\\", realm=\"r\\\"x\"", authentication.Authorize("OPTIONS", "rtsp://cam/"));
    }

    private static bool Accept(DigestAuthentication authentication, params string[] headers) =>
        authentication.Accept(AuthenticationChallenge.ParseAll(headers));

    private static string? Answer(string password, string clientNonce, params string?[] headers)
    {
        var authentication = new DigestAuthentication("Mufasa", password, () => clientNonce);
        authentication.Accept(AuthenticationChallenge.ParseAll(headers.OfType<string>()));
        return authentication.Authorize("GET", "/dir/index.html");
    }
}
