using EdgeNode.Ingest.Rtsp;

namespace EdgeNode.Tests.Ingest.Rtsp;

public class RtspUrlTests
{
    [Theory]
    [InlineData("rtsp://192.0.2.10/main", "192.0.2.10", 554, "/main", null, null)]
    [InlineData("RTSP://cam.example:8554", "cam.example", 8554, "", null, null)]
    [InlineData("rtsp://a:b@[2001:db8::1]:8554/x?y=1", "2001:db8::1", 8554, "/x?y=1", "a", "b")]
    [InlineData("rtsp://a:b@[2001:db8::1]/x", "2001:db8::1", 554, "/x", "a", "b")]
    [InlineData("rtsp://admin:p@ss/w:1#?@192.0.2.10/main", "192.0.2.10", 554, "/main", "admin", "p@ss/w:1#?")]
    [InlineData("rtsp://admin:12/34@192.0.2.10/main", "192.0.2.10", 554, "/main", "admin", "12/34")]
    [InlineData("rtsp://admin:p%40ss%@cam/main", "cam", 554, "/main", "admin", "p@ss%")]
    [InlineData("rtsp://admin@cam/main", "cam", 554, "/main", "admin", null)]
    [InlineData("rtsp://cam/live@main", "cam", 554, "/live@main", null, null)]
    [InlineData("rtsp://cam:554/live@main", "cam", 554, "/live@main", null, null)]
    [InlineData("rtsp://cam/a b#frag", "cam", 554, "/a%20b", null, null)]
    [InlineData("rtsp://cam?channel=1", "cam", 554, "/?channel=1", null, null)]
    public void Takes_urls_as_users_paste_them(string url, string host, int port, string path, string? user, string? password)
    {
        var parsed = RtspUrl.Parse(url);

        Assert.Equal((host, port, path), (parsed.Host, parsed.Port, parsed.Path));
        Assert.Equal((user, password), (parsed.User, parsed.Password));
    }

    [Fact]
    public void Any_printable_character_works_in_a_password()
    {
        for (char first = ' '; first <= '~'; first++)
        {
            for (char second = ' '; second <= '~'; second++)
            {
                string password = $"x{first}{second}z"; // no "%41": that is an escape
                RtspUrl inside = RtspUrl.Parse($"rtsp://cam:{password}@192.0.2.10:8554/main");
                Assert.Equal(("192.0.2.10", 8554, "/main", password), (inside.Host, inside.Port, inside.Path, inside.Password));
            }
        }

        Assert.Equal("%41@:/", RtspUrl.Parse("rtsp://cam/main", "user", "%41@:/").Password);
    }

    [Theory]
    [InlineData("http://cam/main")]
    [InlineData("rtsp://")]
    [InlineData("rtsp:///main")]
    [InlineData("rtsp://a:b@/main")]
    [InlineData("rtsp://cam:0/main")]
    [InlineData("rtsp://cam:99999/main")]
    [InlineData("rtsp://cam/\r\nInjected: 1")]
    [InlineData("rtsp://hunter2:hunter2@ho st/main")]
    public void Refuses_others_without_repeating_them(string url)
    {
        FormatException refused = Assert.Throws<FormatException>(() => RtspUrl.Parse(url));

        Assert.DoesNotContain("hunter2", refused.Message);
    }

    [Theory]
    [InlineData("rtsp://hunter2:hunter2@cam/main", "rtsp://***:***@cam/main")]
    [InlineData("rtsp://cam/live?user=a&pwd=hunter2", "rtsp://cam/live?***")]
    [InlineData("rtsp://cam:8554/user=a_password=hunter2_stream=0.sdp", "rtsp://cam:8554/***")]
    public void Its_text_shows_no_secret(string url, string shown)
    {
        Assert.Equal(shown, RtspUrl.Parse(url).ToString());
    }

    [Fact]
    public void The_request_uri_has_no_credentials()
    {
        Assert.Equal("rtsp://[2001:db8::1]:8554/main", RtspUrl.Parse("rtsp://a:b@[2001:db8::1]:8554/main").RequestUri);
    }

    [Fact]
    public void A_redirect_takes_the_password_along_to_the_same_host_only()
    {
        var url = RtspUrl.Parse("rtsp://a:b@cam/main");

        Assert.Equal("b", url.Redirect("rtsp://cam:8554/other").Password);
        Assert.Null(url.Redirect("rtsp://elsewhere/main").Password);
    }
}
