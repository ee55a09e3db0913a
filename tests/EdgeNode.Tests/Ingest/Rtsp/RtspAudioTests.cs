using System.Buffers.Binary;
using EdgeNode.Configuration;
using EdgeNode.Ingest;
using EdgeNode.Ingest.Rtsp;
using Microsoft.Extensions.Time.Testing;

namespace EdgeNode.Tests.Ingest.Rtsp;

/// <summary>AAC beside the pictures, in one session.</summary>
public sealed class RtspAudioTests : IDisposable
{
    private const byte VideoChannel = 4;
    private const byte AudioChannel = 6;
    private const string Aac = "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 MPEG4-GENERIC/16000/1\r\na=fmtp:97 streamtype=5;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=CONFIG\r\na=control:audio\r\n";

    private readonly StubCamera _camera = new();
    private readonly FakeTimeProvider _clock = new();
    private readonly RtpBytes _video = new() { Timestamp = 900_000 };
    private readonly RtpBytes _audio = new() { Timestamp = 160_000, Source = 0xA0D10 };

    public RtspAudioTests() => Describe("1408");

    public void Dispose() => _camera.Dispose();

    [Theory]
    [InlineData(RtpTransport.Tcp)]
    [InlineData(RtpTransport.Udp)]
    public void Both_are_set_up_in_one_session_and_played_together(RtpTransport transport)
    {
        using RtspSource source = Open(transport);
        Send(transport, Key());
        Assert.True(Take(source) is { Audio: null });
        Send(transport, Frame(), channel: 2);
        Send(transport, Frame(), channel: 2);
        (AudioFormat? Audio, long Pts) first = Take(source);
        (AudioFormat? Audio, long Pts) second = Take(source);

        Assert.Equal((16_000, 5760L), (first.Audio!.SampleRate, second.Pts - first.Pts));
        Assert.Null(source.LeftOutAudio);
        Assert.Equal(["OPTIONS", "DESCRIBE", "SETUP", "SETUP", "PLAY"], _camera.Methods());
        Assert.StartsWith($"SETUP {_camera.Url}/audio ", _camera.Requests[3]);
        Assert.Contains("Session: 42\r\n", _camera.Requests[3]);
        if (transport == RtpTransport.Tcp)
            Assert.Contains("interleaved=2-3\r\n", _camera.Requests[3]);
    }

    [Fact]
    public void Audio_before_the_first_picture_is_left_out()
    {
        using RtspSource source = Open();
        _camera.Push(On(AudioChannel, Frame()), On(VideoChannel, Key()), On(AudioChannel, Frame()));
        Assert.Null(Take(source).Audio);
        Assert.NotNull(Take(source).Audio);
    }

    [Fact]
    public void Audio_lies_on_the_pictures_clock_by_what_plays_answer_told()
    {
        _camera.Answer = request => request.StartsWith("PLAY", StringComparison.Ordinal)
            ? StubCamera.Respond(request, "200 OK", $"RTP-Info: url={_camera.Url}/video;seq=1;rtptime=900000,url={_camera.Url}/audio;seq=1;rtptime=156800")
            : null;
        using RtspSource source = Open();
        _camera.Push(On(VideoChannel, Key()), On(AudioChannel, Frame()));
        long picture = Take(source).Pts;
        Assert.Equal(picture + 200 * 90, Take(source).Pts); // 3200 of 16000 samples later
    }

    [Fact]
    public void Audio_lies_on_the_pictures_clock_by_sender_reports()
    {
        using RtspSource source = Open();
        _camera.Push(
            On(VideoChannel + 1, Report(1ul << 40, 900_000)),
            On(AudioChannel + 1, Report((1ul << 40) + (1ul << 31), 160_000)),
            On(VideoChannel, Key()),
            On(AudioChannel, Frame()));
        long picture = Take(source).Pts;
        Assert.Equal(picture + 45_000, Take(source).Pts);
    }

    [Theory]
    [InlineData("404 Not Found")]
    [InlineData("453 Not Enough Bandwidth")]
    [InlineData("302 Moved")]
    [InlineData(null)]
    public void Audio_that_the_camera_refuses_never_costs_the_video(string? status)
    {
        bool asked = false;
        _camera.Answer = request =>
        {
            if (!request.StartsWith($"SETUP {_camera.Url}/audio", StringComparison.Ordinal))
                return null;
            asked = true;
            if (status is not null)
                return StubCamera.Respond(request, status);
            _camera.HangUp();
            return "";
        };
        using RtspSource source = Open();
        _camera.Push(On(VideoChannel, Key()));
        Assert.Null(Take(source).Audio);
        Assert.Equal((true, "AAC"), (asked, source.LeftOutAudio));
    }

    [Fact]
    public void Audio_with_a_broken_configuration_is_left_out()
    {
        Describe("zz");
        using RtspSource source = Open();
        _camera.Push(On(VideoChannel, Key()));
        Assert.Null(Take(source).Audio);
        Assert.Equal("AAC", source.LeftOutAudio);
        Assert.Single(_camera.Methods(), "SETUP");
    }

    [Fact]
    public void Each_stream_gets_its_receiver_reports()
    {
        using RtspSource source = Open();
        _camera.Push(On(VideoChannel, Key()), On(AudioChannel, Frame()));
        Take(source);
        Take(source);
        _clock.Advance(TimeSpan.FromSeconds(3));
        _camera.Push(On(VideoChannel, Key()));
        Take(source);
        _clock.Advance(TimeSpan.FromSeconds(3));
        _camera.Push(On(VideoChannel, Key()));
        Take(source);
        _camera.Push(On(VideoChannel, Key()));
        Take(source);
        uint[] sources = [.. Enumerable.Range(0, 2).Select(_ => _camera.Received.TryTake(out byte[]? report, TimeSpan.FromSeconds(20)) ? BinaryPrimitives.ReadUInt32BigEndian(report.AsSpan(8)) : 0)];
        Assert.Equal([_video.Source, _audio.Source], sources);
    }

    private void Describe(string config) =>
        _camera.Description = "v=0\r\ns=x\r\n"
            + _camera.Description[_camera.Description.IndexOf("m=video", StringComparison.Ordinal)..].Split("m=audio")[0]
            + Aac.Replace("CONFIG", config, StringComparison.Ordinal);

    private RtspSource Open(RtpTransport transport = RtpTransport.Tcp)
    {
        var options = new RtspSourceOptions { Transport = transport, AnswerWithin = TimeSpan.FromHours(1), FirstPacketWithin = TimeSpan.FromHours(1), StallAfter = TimeSpan.FromHours(1) };
        var source = new RtspSource(RtspUrl.Parse(_camera.Url), options, _clock);
        source.Open();
        return source;
    }

    private static (AudioFormat? Audio, long Pts) Take(RtspSource source)
    {
        AccessUnit unit = source.Read()!;
        (AudioFormat?, long) taken = (unit.Audio, unit.Pts);
        unit.Release();
        return taken;
    }

    private void Send(RtpTransport transport, byte[] packet, int channel = 0)
    {
        if (transport == RtpTransport.Udp)
            _camera.PushUdp(channel, packet);
        else
            _camera.Push(On((byte)(VideoChannel + channel), packet));
    }

    private static byte[] On(byte channel, byte[] packet) => RtpBytes.Interleave(channel, packet);

    private byte[] Key()
    {
        byte[] packet = _video.Packet(RtpBytes.Slice(key: true, 200), marker: true);
        _video.Timestamp += 3000;
        return packet;
    }

    // One AAC frame of 40 bytes behind its header.
    private byte[] Frame()
    {
        byte[] packet = _audio.Packet([0, 16, 40 >> 5, (40 << 3) & 0xFF, .. new byte[40]], marker: true);
        packet[1] = 0x80 | 97;
        _audio.Timestamp += 1024;
        return packet;
    }

    private static byte[] Report(ulong ntp, uint timestamp)
    {
        byte[] report = new byte[28];
        (report[0], report[1], report[3]) = (0x80, 200, 6);
        BinaryPrimitives.WriteUInt64BigEndian(report.AsSpan(8), ntp);
        BinaryPrimitives.WriteUInt32BigEndian(report.AsSpan(16), timestamp);
        return report;
    }
}
