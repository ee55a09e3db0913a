using EdgeNode.Ingest.Bitstream;
using EdgeNode.Ingest.Rtsp;

namespace EdgeNode.Tests.Ingest.Rtsp;

public class DecodingClockTests
{
    // Pictures in decoding order, by their place in presentation order.
    private static readonly int[] s_pyramid = [0, 4, 2, 1, 3, 8, 6, 5, 7, 12, 10, 9, 11];

    [Theory]
    [InlineData(0, 2)]
    [InlineData(null, 2)]
    [InlineData(null, 1)]
    public void Equals_presentation_when_nothing_is_reordered(int? declared, int unit)
    {
        List<(long Decoding, long Presentation)> times = Run(Enumerable.Range(0, 30), declared, unit);

        // Undeclared, the second picture may yet be one that others are shown before.
        Assert.Equal(Enumerable.Range(0, 30).Select(frame => 3000L * frame), times.Select(time => time.Presentation));
        Assert.All(times.Where((_, i) => i != 1 || declared is not null), time => Assert.Equal(time.Presentation, time.Decoding));
    }

    [Fact]
    public void Is_the_sorted_presentation_delayed_by_the_declared_depth()
    {
        List<(long Decoding, long Presentation)> times = Run(s_pyramid, 2, 2);

        Assert.Equal(s_pyramid.Select(frame => 3000L * frame), times.Select(time => time.Presentation));
        Assert.Equal(Enumerable.Range(-2, s_pyramid.Length).Select(frame => 3000L * frame), times.Select(time => time.Decoding));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void An_undeclared_depth_is_learnt_within_the_first_group_and_no_picture_is_late(int unit)
    {
        List<(long Decoding, long Presentation)> times = Run(s_pyramid, null, unit);

        Assert.Equal(s_pyramid.Select(frame => 3000L * frame), times.Select(time => time.Presentation));
        Assert.Equal(Enumerable.Range(3, 8).Select(frame => 3000L * frame), times.Skip(5).Select(time => time.Decoding));
    }

    [Fact]
    public void Deeper_groups_later_are_no_surprise()
    {
        // P only, then one B picture, then three in a pyramid.
        int[] frames = [0, 1, 2, 3, 5, 4, 7, 6, 11, 9, 8, 10, 15, 13, 12, 14, 16, 17, 18];
        List<(long Decoding, long Presentation)> times = Run(frames, null, 2);

        Assert.Equal(frames.Select(frame => 3000L * frame), times.Select(time => time.Presentation));
    }

    [Fact]
    public void A_lost_picture_delays_one_at_most()
    {
        int[] frames = [0, 1, 2, 3, 5, 6, 7, 8, 9];
        List<(long Decoding, long Presentation)> times = Run(frames, null, 2);

        Assert.Equal([0, 6000, 9000, 18000, 21000, 24000, 27000], times.Where((_, i) => i is not (1 or 4)).Select(time => time.Decoding));
    }

    [Fact]
    public void A_stream_that_says_too_small_a_depth_is_right_after_the_first_group()
    {
        List<(long Decoding, long Presentation)> times = Run(s_pyramid, 1, 2);
        Assert.Equal(s_pyramid.Skip(5).Select(frame => 3000L * frame), times.Skip(5).Select(time => time.Presentation));
    }

    [Fact]
    public void A_period_begins_without_a_gap()
    {
        var clock = new DecodingClock();
        for (int i = 0; i < 40; i++)
        {
            long presentation = 3000 * i;
            long decoding = clock.Next(ref presentation, new PictureOrder(i / 10, 2 * (i % 10)), null, 3000);
            if (i != 1)
                Assert.Equal(presentation, decoding);
        }
    }

    [Fact]
    public void Rises_and_stays_below_presentation_whatever_the_stream_says()
    {
        var random = new Random(7);
        for (int round = 0; round < 400; round++)
        {
            var clock = new DecodingClock();
            long last = long.MinValue;
            int? declared = round % 3 == 0 ? null : round % 5;
            for (int i = 0; i < 200; i++)
            {
                long presentation = random.Next(0, 1_000_000);
                PictureOrder? order = random.Next(10) == 0 ? null : new PictureOrder(random.Next(3), random.Next(-40, 40));
                long decoding = clock.Next(ref presentation, order, random.Next(100) == 0 ? random.Next(20) : declared, 3000);
                Assert.True(decoding > last && decoding <= presentation);
                last = decoding;
            }
        }
    }

    private static List<(long Decoding, long Presentation)> Run(IEnumerable<int> frames, int? declared, int unit)
    {
        var clock = new DecodingClock();
        var times = new List<(long, long)>();
        foreach (int frame in frames)
        {
            long presentation = 3000 * frame;
            long decoding = clock.Next(ref presentation, new PictureOrder(0, unit * frame), declared, 3000);
            times.Add((decoding, presentation));
            Assert.True(decoding <= presentation && (times.Count == 1 || decoding > times[^2].Item1));
        }

        return times;
    }
}
