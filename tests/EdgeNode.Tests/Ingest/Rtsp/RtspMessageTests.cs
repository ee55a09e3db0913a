using System.Text;
using EdgeNode.Ingest.Rtsp;

namespace EdgeNode.Tests.Ingest.Rtsp;

public class RtspMessageTests
{
    [Theory]
    [InlineData("\r\n")]
    [InlineData("\n")]
    public void Reads_status_headers_in_any_case_and_body(string newline)
    {
        RtspMessage message = Parse($"RTSP/1.0 200 OK{newline}cseq: 7{newline}CONTENT-LENGTH : 3{newline}X: a{newline}x: b{newline}{newline}v=0");

        Assert.Equal((200, "OK", 7), (message.Status, message.Reason, message.Sequence));
        Assert.Equal("v=0", Encoding.ASCII.GetString(message.Body));
        Assert.Equal(["a", "b"], message.Headers("X"));
    }

    [Fact]
    public void Reads_a_request_of_the_cameras_own()
    {
        RtspMessage message = Parse("OPTIONS rtsp://node/x RTSP/1.0\r\nCSeq: 2\r\n\r\n");

        Assert.Equal(("OPTIONS", 0, 2), (message.Method, message.Status, message.Sequence));
    }

    [Theory]
    [InlineData("RTSP/1.0 abc OK\r\n\r\n")]
    [InlineData("RTSP/1.0\r\n\r\n")]
    [InlineData("RTSP/1.0 200 OK\r\nContent-Length: -5\r\n\r\n")]
    [InlineData("HTTP/1.1 400 Bad\r\n\r\n")]
    public void Refuses_what_is_no_message(string text)
    {
        Assert.Throws<InvalidDataException>(() => Parse(text));
    }

    [Fact]
    public void A_head_without_end_is_refused()
    {
        byte[] bytes = Encoding.ASCII.GetBytes("RTSP/1.0 200 OK\r\n" + string.Concat(Enumerable.Repeat("A: b\r\n", 4000)));

        Assert.Throws<InvalidDataException>(() => RtspMessage.Measure(bytes, out _));
    }

    [Fact]
    public void A_request_carries_no_line_break_of_the_cameras_making()
    {
        Assert.Throws<InvalidDataException>(() => new RtspRequest("PLAY", "rtsp://cam/x").With("Session", "1\r\nEvil: 1"));
    }

    private static RtspMessage Parse(string text)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(text);
        long length = RtspMessage.Measure(bytes, out int head);
        return RtspMessage.Parse(bytes.AsSpan(0, (int)length), head);
    }
}
