using EdgeNode.Ingest;
using EdgeNode.Ingest.Rtsp;
using EdgeNode.Native.Memory;
using Microsoft.Extensions.Time.Testing;

namespace EdgeNode.Tests.Ingest.Rtsp;

public class AudioClockTests
{
    private const int Rate = 16_000;
    private const int FrameTicks = 1024 * 90_000 / Rate;

    private static readonly AudioFormat Format = new() { Codec = AudioCodec.Aac, SampleRate = Rate, Channels = 1, DecoderConfiguration = [0x14, 0x08], CodecString = "mp4a.40.2" };

    private readonly FakeTimeProvider _time = new();
    private readonly StreamClock _video = new(90_000);
    private readonly StreamClock _audio = new(Rate);
    private readonly AudioClock _clock;
    private uint _videoTimestamp = 1_000_000;
    private uint _audioTimestamp = 50_000;
    private long _audioTicks = 281_250;

    public AudioClockTests() => _clock = new AudioClock(_video, _audio, _time);

    [Fact]
    public void Before_the_first_picture_there_is_no_place() => Assert.Null(Frame());

    [Fact]
    public void By_arrival_while_nothing_better_is_known()
    {
        Picture();
        _time.Advance(TimeSpan.FromMilliseconds(20));
        Assert.Equal(1_000_000 + 1800, Frame());
    }

    [Fact]
    public void By_the_starts_that_play_told()
    {
        _video.Start = 1_000_000;
        _audio.Start = 50_000 - 1600; // the first frame is 100 ms after the first picture
        Picture();
        Assert.Equal(1_000_000 + 9000, Frame());
    }

    [Fact]
    public void By_the_reports_of_both()
    {
        Picture();
        _video.Note(new SenderReport(10ul << 32, 1_000_000));
        _audio.Note(new SenderReport(11ul << 32, 50_000)); // one second later
        Assert.Equal(1_000_000 + 90_000, Frame());
    }

    [Fact]
    public void A_report_that_comes_later_slews_and_stamps_rise_strictly()
    {
        Picture();
        long last = Frame()!.Value;
        _video.Note(new SenderReport(10ul << 32, 1_000_000));
        _audio.Note(new SenderReport((10ul << 32) - (1ul << 31), 50_000)); // half a second before the picture
        for (int i = 0; i < 1000; i++)
        {
            Advance();
            long next = Frame()!.Value;
            Assert.InRange(next - last, FrameTicks * 97 / 100, FrameTicks);
            last = next;
        }

        long truth = 1_000_000 - 45_000 + 1000L * FrameTicks;
        Assert.InRange(last - truth, -2, 2);
    }

    [Fact]
    public void A_report_that_contradicts_arrival_is_not_believed()
    {
        Picture();
        _video.Note(new SenderReport(10ul << 32, 1_000_000));
        _audio.Note(new SenderReport(100ul << 32, 50_000));
        Assert.Equal(1_000_000, Frame());
    }

    [Fact]
    public void Jitter_of_arrival_moves_nothing()
    {
        var random = new Random(7);
        Picture();
        long last = Frame()!.Value;
        for (int i = 0; i < 500; i++)
        {
            Advance();
            var late = TimeSpan.FromMilliseconds(random.Next(120));
            _time.Advance(late);
            long next = Frame()!.Value;
            _time.Advance(TimeSpan.FromMilliseconds(120) - late);
            Picture(TimeSpan.FromMilliseconds(120));
            _audioTicks += 120 * 90;
            _audioTimestamp += 120 * Rate / 1000;
            Assert.Equal(FrameTicks + (i == 0 ? 0 : 120 * 90), next - last);
            last = next;
        }
    }

    // The clock goes on by one audio frame, pictures with it.
    private void Advance()
    {
        var frame = TimeSpan.FromMilliseconds(64);
        _time.Advance(frame);
        Picture(frame);
    }

    private void Picture(TimeSpan after = default)
    {
        _videoTimestamp += (uint)(after.TotalSeconds * 90_000);
        _video.Note(_videoTimestamp, _videoTimestamp, _time.GetTimestamp());
    }

    private long? Frame()
    {
        _audio.Note(_audioTimestamp, _audioTicks, _time.GetTimestamp());
        var frame = AccessUnit.CreateAudio(PacketMemory.Rent(16), 16, Format, new AccessUnitTiming(_audioTicks, _audioTicks, default));
        bool placed = _clock.Place(frame);
        long pts = frame.Pts;
        frame.Release();
        _audioTicks += FrameTicks;
        _audioTimestamp += 1024;
        return placed ? pts : null;
    }
}
