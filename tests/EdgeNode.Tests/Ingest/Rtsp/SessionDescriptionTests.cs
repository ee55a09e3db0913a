using System.Text;
using EdgeNode.Ingest.Rtsp;

namespace EdgeNode.Tests.Ingest.Rtsp;

public class SessionDescriptionTests
{
    [Fact]
    public void Reads_media_formats_controls_and_parameter_sets()
    {
        SessionDescription description = Parse("""
            v=0
            o=- 1 1 IN IP4 192.0.2.10
            s=Media
            a=control:*
            m=audio 0 RTP/AVP 8
            a=control:trackID=2
            m=video 0 RTP/AVP 96
            b=AS:5000
            a=rtpmap:96 H264/90000
            a=fmtp:96 packetization-mode=1; profile-level-id=4D401F;sprop-parameter-sets=Z01AH9sBQBbv/AAMABBAAAADAEAAAAYDxgy4,aOrDyyA=
            a=control:trackID=1
            """);

        MediaDescription video = Assert.Single(description.Media, media => media.IsVideo);
        Assert.Equal(("*", "trackID=1"), (description.Control, video.Control));
        Assert.Equal((96, 1), (video.H264!.PayloadType, video.H264.PacketizationMode));
        Assert.Equal([27, 5], video.H264.ReadParameterSets().Select(set => set.Length));
    }

    [Theory]
    [InlineData("m=video 0 RTP/AVP 96\na=rtpmap:96 h264/90000\na=fmtp:96 sprop-parameter-sets=Z01A,aOrDyyA", 2)] // no padding, lower case
    [InlineData("m=video 0 RTP/AVP 96\r\na=fmtp:96 sprop-parameter-sets=\"Z01A\"", 1)] // quoted, rtpmap missing
    [InlineData("m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\na=fmtp:96 sprop-parameter-sets=!!!,,Z01A", 1)] // half broken
    [InlineData("m=video 0 RTP/AVP\na=rtpmap:96 H264/90000", 0)] // payload type missing in the m= line
    [InlineData("m=video 0 RTP/AVP 96\na=rtpmap:96  H264 / 90000\na=fmtp:96", 0)]
    public void Tolerates_what_cameras_write(string text, int sets)
    {
        MediaFormat? format = Parse(text).Media[0].H264;

        Assert.NotNull(format);
        Assert.Equal(sets, format.ReadParameterSets().Count);
    }

    [Theory]
    [InlineData("a=rtpmap:96 H264/90000\na=fmtp:96 x=1\nm=\nm=video\nm=video x y z\na=rtpmap:\na=fmtp:96")]
    [InlineData("")]
    [InlineData("\0\xFF\nm=video 0 RTP/AVP 999 -1 96")]
    public void Broken_lines_are_left_out(string text)
    {
        Assert.DoesNotContain(Parse(text).Media, media => media.H264 is not null);
    }

    [Theory]
    [InlineData("rtsp://other/track1", "rtsp://cam/base/", null, "rtsp://other/track1")]
    [InlineData("trackID=1", "rtsp://cam/base/", null, "rtsp://cam/base/trackID=1")]
    [InlineData("trackID=1", "rtsp://cam/base", "rtsp://cam/location", "rtsp://cam/base/trackID=1")]
    [InlineData("trackID=1", null, "rtsp://cam/location", "rtsp://cam/location/trackID=1")]
    [InlineData("trackID=1", "nonsense", null, "rtsp://cam/request?x=1/trackID=1")]
    [InlineData("/trackID=1", "rtsp://cam/base/", null, "rtsp://cam/base/trackID=1")]
    [InlineData("*", "rtsp://cam/base/", null, "rtsp://cam/base/")]
    [InlineData(null, null, null, "rtsp://cam/request?x=1")]
    public void Control_urls_resolve_as_cameras_mean_them(string? control, string? contentBase, string? contentLocation, string expected)
    {
        Assert.Equal(expected, SessionDescription.ResolveControl(control, contentBase, contentLocation, "rtsp://cam/request?x=1"));
    }

    /// <summary>Ingest threads have small stacks, and a stack that overflows ends the process.</summary>
    [Fact]
    public void A_scheme_repeated_without_end_needs_no_stack()
    {
        string control = string.Concat(Enumerable.Repeat("rtsp://", 9000)) + "camera/stream";
        string resolved = "";
        var thread = new Thread(() => resolved = SessionDescription.ResolveControl(control, null, null, "rtsp://camera/"), 256 << 10);
        thread.Start();
        thread.Join();
        Assert.Equal("rtsp://camera/stream", resolved);
    }

    private static SessionDescription Parse(string text) => SessionDescription.Parse(Encoding.UTF8.GetBytes(text));
}
