using EdgeNode.Configuration;

namespace EdgeNode.Tests.Configuration;

public class CameraUrlTests
{
    [Theory]
    [InlineData("rtsp://192.0.2.10:554/main")]
    [InlineData("RTSPS://cam:p@ss:w/rd#1@door.example/live")]
    [InlineData("http://[2001:db8::1]/flv?port=1935&app=bcs")]
    [InlineData("https://door.example:8443/stream.ts")]
    public void Cameras_on_the_network_may_be_named_from_everywhere(string url) =>
        Assert.All(Enum.GetValues<CameraUrlOrigin>(), origin => Assert.Null(CameraUrl.Check(url, origin)));

    [Fact]
    public void A_file_may_be_named_by_whoever_owns_the_machine_alone()
    {
        Assert.Null(CameraUrl.Check("file:/films/demo.mp4", CameraUrlOrigin.File));
        Assert.Null(CameraUrl.Check("file:/films/demo.mp4", CameraUrlOrigin.CommandLine));
        foreach (CameraUrlOrigin origin in new[] { CameraUrlOrigin.Api, CameraUrlOrigin.Mqtt })
        {
            Assert.Equal(
                "The camera's URL must begin with rtsp://, rtsps://, http:// or https://: files are taken from the configuration file alone.",
                CameraUrl.Check("File:///etc/passwd", origin));
        }
    }

    [Theory]
    [InlineData("exec:curl evil.example")]
    [InlineData("ffmpeg:rtsp://door")]
    [InlineData("concat:a.ts|b.ts")]
    [InlineData("pipe:0")]
    [InlineData("subfile,,start,0,end,9,,:/etc/passwd")]
    [InlineData("crypto:http://door")]
    [InlineData("hls+http://door/a.m3u8")]
    [InlineData("data:text/plain,x")]
    [InlineData("/etc/passwd")]
    [InlineData(" rtsp://door")]
    [InlineData("rtmp://door/live")]
    [InlineData("udp://239.0.0.1:1234")]
    [InlineData("unix:///run/docker.sock")]
    [InlineData("http:door")]
    public void Anything_else_may_be_named_by_nobody(string url) => Assert.All(Enum.GetValues<CameraUrlOrigin>(), origin =>
    {
        string? refused = CameraUrl.Check(url, origin);
        Assert.StartsWith("The camera's URL must begin with rtsp://", refused);
    });

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("rtsp://")]
    [InlineData("http:///secret")]
    [InlineData("https://:80/secret")]
    [InlineData("file:")]
    [InlineData("rtsp://door/secret\r\nAuthorization: x")]
    [InlineData("rtsp://door/secret\u009b")]
    public void A_url_that_leads_nowhere_is_refused_in_one_sentence_that_repeats_nothing_of_it(string? url)
    {
        string refused = CameraUrl.Check(url, CameraUrlOrigin.File)!;
        Assert.EndsWith(".", refused);
        Assert.DoesNotContain("secret", refused, StringComparison.Ordinal);
    }

    [Fact]
    public void A_url_has_a_longest_length() =>
        Assert.Equal("The camera's URL has 2049 characters; 2048 are the most.", CameraUrl.Check("rtsp://" + new string('a', 2042), CameraUrlOrigin.Api));
}
