using EdgeNode.Ingest;
using EdgeNode.Ingest.Rtsp;

namespace EdgeNode.Tests.Ingest.Rtsp;

/// <summary>Conversations of real cameras, as issue threads of other clients recorded them; each must end in a picture.</summary>
public sealed class RecordedCameraTests : IDisposable
{
    private const string H264 = "a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;sprop-parameter-sets=SPROP\r\n";

    private readonly StubCamera _camera = new();
    private readonly RtpBytes _rtp = new();
    private readonly string _sprop;

    public RecordedCameraTests()
    {
        _sprop = _camera.Description.Split("sprop-parameter-sets=")[1].Split("\r\n")[0];
        _camera.FramesAfterPlayAnswer = () => [Key(4)];
    }

    public void Dispose() => _camera.Dispose();

    [Theory]
    [InlineData("rtsp://127.0.0.1/dss/cameraid=1000193%241%26substream=1?token=69154&trackID=0", "trackID=0", "rtsp://127.0.0.1/dss/cameraid=1000193%241%26substream=1?token=69154&trackID=0/trackID=0")] // gortsplib#121
    [InlineData("rtsp://rtsp://turret2-cam.lan:554/stream1/", "track1", "rtsp://turret2-cam.lan:554/stream1/track1")] // go2rtc#208
    [InlineData("192.168.1.160:1935/", "trackID=0", "URL/trackID=0")] // kerberos agent#141
    [InlineData("URL/", "rtsp://192.168.0.218/?rtsp_tunnel&stream=video", "rtsp://192.168.0.218/?rtsp_tunnel&stream=video")] // gortsplib#120
    [InlineData("", "track0", "URL/track0")] // VStarcam, retina#9
    [InlineData("URL/", null, "URL/")]
    public void Streams_are_asked_for_by_the_urls_that_the_camera_means(string contentBase, string? control, string expected)
    {
        Describe($"v=0\r\nm=video 0 RTP/AVP 96\r\n{H264}" + (control is null ? "" : $"a=control:{control}\r\n"), contentBase);
        Plays();
        Assert.StartsWith($"SETUP {expected.Replace("URL", _camera.Url, StringComparison.Ordinal)} RTSP/1.0\r\n", _camera.WaitFor("SETUP"));
    }

    [Fact]
    public void A_private_address_that_the_camera_itself_does_not_know_is_replaced_by_ours() // webrtc-streamer#215, an Axis 241Q
    {
        Describe($"v=0\r\na=control:rtsp://10.0.0.7/mpeg4/media.amp\r\nm=video 0 RTP/AVP 96\r\n{H264}a=control:rtsp://10.0.0.7/mpeg4/media.amp/trackID=1?x=1\r\n", "rtsp://10.0.0.7/mpeg4/media.amp/");
        _camera.Answer = Chain(_camera.Answer, request => request.Contains(" rtsp://10.0.0.7/", StringComparison.Ordinal) ? StubCamera.Respond(request, "404 Not Found") : null);
        Plays();
        string[] asked = [.. _camera.Requests.Where(request => request.StartsWith("SETUP", StringComparison.Ordinal) || request.StartsWith("PLAY", StringComparison.Ordinal)).Select(request => request.Split(' ')[1])];
        string us = $"rtsp://127.0.0.1:{_camera.Port}/mpeg4/media.amp";
        Assert.Equal(["rtsp://10.0.0.7/mpeg4/media.amp/trackID=1?x=1", us + "/trackID=1?x=1", "rtsp://10.0.0.7/mpeg4/media.amp", us], asked);
    }

    [Theory]
    [InlineData("RTP/AVP/TCP;ssrc=22345684;interleaved=0-1", 0)] // retina#120
    [InlineData("RTP/AVP/TCP;unicast;interleaved=6-7", 6)] // gortsplib#72
    [InlineData("RTP/AVP/TCP; unicast; interleaved = 2", 2)]
    [InlineData(null, 0)] // gortsplib#456
    [InlineData("RTP/AVP/TCP;unicast", 0)] // gortsplib#142
    public void Channels_are_those_of_the_answer_else_those_asked_for(string? transport, byte channel)
    {
        string[] headers = transport is null ? ["Session: 1"] : ["Session: 1", "Transport: " + transport];
        _camera.Answer = request => request.StartsWith("SETUP", StringComparison.Ordinal) ? StubCamera.Respond(request, "200 OK", headers) : null;
        _camera.FramesAfterPlayAnswer = () => [Key(channel)];
        Plays();
    }

    [Theory]
    [InlineData("Session: 12345 ;timeout=60", "Session: 12345\r\n")]
    [InlineData("Session:  ab cd ; timeout = 60", "Session: ab cd\r\n")]
    [InlineData("X-None: 1", null)]
    public void Session_headers_as_cameras_write_them(string header, string? sentBack)
    {
        _camera.Answer = request => request.StartsWith("SETUP", StringComparison.Ordinal) ? StubCamera.Respond(request, "200 OK", header, "Transport: RTP/AVP/TCP;interleaved=4-5") : null;
        Plays();
        string play = _camera.WaitFor("PLAY");
        if (sentBack is null)
            Assert.DoesNotContain("Session:", play);
        else
            Assert.Contains(sentBack, play);
    }

    [Theory]
    [InlineData("v=0\no=- -8959200248001175080 1 IN IP4 192.168.1.7\nc=IN \nm=video 0 RTP/AVP 96\n")] // mediamtx#2708, #5033
    [InlineData("v=0\r\na=control:track9\r\n\r\nm=audio 0 RTP/AVP 0\r\nm=video 0 RTP/AVP 26\r\na=control:jpeg\r\nm=video 0 RTP/AVP 96 97\r\n")] // the second video is the one
    [InlineData("v=0\r\nm=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\nm=video 0 RTP/AVP  96 \r\n")] // gortsplib#479
    [InlineData("v=0\r\nm=video 0 RTP/AVP\r\n")] // no payload type in the m= line
    public void Descriptions_as_cameras_write_them(string start)
    {
        Describe(start + H264 + "a=control:video\r\n", _camera.Url + "/");
        Plays();
        Assert.Contains("/video RTSP/1.0", _camera.WaitFor("SETUP"));
        Assert.Single(_camera.Methods(), "SETUP");
    }

    [Theory]
    [InlineData("m=audio 0 RTP/AVP 8\r\na=control:trackID=1\r\na=rtpmap:8 PCMA/8000\r\na=recvonly\r\nm=audio 0 RTP/AVP 116\r\na=rtpmap:116 MPEG4-GENERIC/64000\r\na=sendonly\r\n", "G.711 A-law")] // gortsplib#479
    [InlineData("m=audio 0 RTP/AVP 0\r\na=control:trackID=1\r\n", "G.711 µ-law")]
    [InlineData("m=audio 0 RTP/AVP 111\r\na=rtpmap:111 opus/48000/2\r\n", "Opus")]
    [InlineData("m=audio 0 RTP/AVP 116\r\na=rtpmap:116 PCMU/8000\r\na=sendonly\r\n", null)] // a loudspeaker, no audio
    [InlineData("", null)]
    public void Audio_that_the_node_does_not_read_is_left_out_and_named(string audio, string? name)
    {
        Describe($"v=0\r\nm=video 0 RTP/AVP 96\r\n{H264}a=control:video\r\n{audio}", _camera.Url + "/");
        Assert.Equal(name, Plays());
        Assert.Single(_camera.Methods(), "SETUP");
    }

    [Fact]
    public void Old_packets_of_another_session_and_junk_before_the_first_frame_do_no_harm() // retina#17: live555 before 2017
    {
        var old = new RtpBytes { Source = 0xDEAD, Sequence = 900, Timestamp = 77 };
        _camera.FramesBeforePlayAnswer = () => ["\r\n\0junk$"u8.ToArray(), RtpBytes.Interleave(4, old.Packet(RtpBytes.Slice(key: false, 80))), RtpBytes.Interleave(9, [1, 2, 3])];
        Plays();
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    public void Answers_that_count_by_themselves_or_end_lines_barely(string line)
    {
        _camera.Answer = request =>
        {
            string method = request.Split(' ')[0];
            string answer = $"RTSP/1.0 200 OK\r\nCSeq: 0\r\nSession: 1\r\nTransport: RTP/AVP/TCP;interleaved=4-5\r\nContent-Length: {(method == "DESCRIBE" ? _camera.Description.Length : 0)}\r\n\r\n";
            return answer.Replace("\r\n", line, StringComparison.Ordinal) + (method == "DESCRIBE" ? _camera.Description : "");
        };
        Plays(new RtspSourceOptions { StallAfter = TimeSpan.FromMilliseconds(100) });
    }

    [Fact]
    public void A_session_that_cannot_be_played_as_a_whole_is_played_by_its_stream()
    {
        _camera.Answer = request => request.StartsWith($"PLAY {_camera.Url}/ ", StringComparison.Ordinal) ? StubCamera.Respond(request, "459 Aggregate Operation Not Allowed") : null;
        Plays();
        Assert.Contains("/video RTSP/1.0", _camera.Requests.Last(request => request.StartsWith("PLAY", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("DESCRIBE")]
    [InlineData("SETUP")]
    [InlineData("PLAY")]
    public void A_redirect_is_followed_wherever_it_comes_and_the_session_is_ended_first(string method)
    {
        using var target = new StubCamera();
        target.FramesAfterPlayAnswer = () => [Key(4)];
        _camera.Answer = request => request.StartsWith(method, StringComparison.Ordinal) ? StubCamera.Respond(request, "302 Moved Temporarily", "Location: " + target.Url) : null;
        Plays();
        target.WaitFor("TEARDOWN");
        Assert.Equal(method == "PLAY", _camera.Methods().Contains("TEARDOWN"));
    }

    [Fact]
    public void A_camera_that_sends_us_elsewhere_while_it_plays_is_followed()
    {
        using var target = new StubCamera();
        target.FramesAfterPlayAnswer = () => [Key(4)];
        using var source = new RtspSource(RtspUrl.Parse(_camera.Url));
        source.Open();
        source.Read()!.Release();
        _rtp.Sequence += 3;
        _camera.Push(Key(4));
        source.Read()!.Release();
        Assert.Equal(3, source.LostPackets);
        _camera.Push(System.Text.Encoding.ASCII.GetBytes($"REDIRECT {_camera.Url} RTSP/1.0\r\nCSeq: 5\r\nLocation: {target.Url}\r\n\r\n"));
        AccessUnit unit = source.Read()!;
        Assert.True(unit is { IsKey: true, StartsTimeline: true });
        unit.Release();
        _camera.WaitFor("TEARDOWN");
        target.WaitFor("PLAY");
        Assert.Equal(3, source.LostPackets);
    }

    // The name of what was left out.
    private string? Plays(RtspSourceOptions? options = null)
    {
        using var source = new RtspSource(RtspUrl.Parse(_camera.Url), options);
        source.Open();
        AccessUnit unit = source.Read()!;
        Assert.True(unit.IsKey);
        unit.Release();
        return source.LeftOutAudio;
    }

    private void Describe(string description, string contentBase)
    {
        string text = description.Replace("SPROP", _sprop, StringComparison.Ordinal);
        string[] headers = contentBase.Length == 0 ? [] : ["Content-Base: " + contentBase.Replace("URL", _camera.Url, StringComparison.Ordinal)];
        _camera.Answer = request => request.StartsWith("DESCRIBE", StringComparison.Ordinal)
            ? StubCamera.Respond(request, "200 OK", [.. headers, "Content-Type: application/sdp", $"Content-Length: {text.Length}"]) + text
            : null;
    }

    private static Func<string, string?> Chain(Func<string, string?> first, Func<string, string?> second) => request => first(request) ?? second(request);

    private byte[] Key(byte channel)
    {
        _rtp.Timestamp += 3000;
        return RtpBytes.Interleave(channel, _rtp.Packet(RtpBytes.Slice(key: true, 200), marker: true));
    }
}
