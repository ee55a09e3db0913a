using EdgeNode.Ingest.Rtsp;

namespace EdgeNode.Tests.Ingest.Rtsp;

public class RtpTimelineTests
{
    [Fact]
    public void Goes_on_where_the_timestamp_wraps()
    {
        var timeline = new RtpTimeline();
        long first = timeline.Next(uint.MaxValue - 1000, 0);

        Assert.Equal(first + 3000, timeline.Next(1999, 0));
        Assert.Equal(3000, timeline.Interval);
    }

    [Fact]
    public void Allows_reordering_but_no_more()
    {
        var timeline = new RtpTimeline();
        timeline.Next(90_000, 2);
        timeline.Next(99_000, 2);

        Assert.Equal(93_000, timeline.Next(93_000, 2));
        Assert.True(timeline.Next(10, 2) > 99_000);
    }

    [Fact]
    public void A_clock_set_back_goes_on_behind_the_last_picture()
    {
        var timeline = new RtpTimeline();
        timeline.Next(900_000, 0);
        timeline.Next(903_000, 0);

        Assert.Equal(906_000, timeline.Next(20, 0));
        Assert.Equal(909_000, timeline.Next(3020, 0));
    }

    [Fact]
    public void Another_source_goes_on_behind_the_last_picture()
    {
        var timeline = new RtpTimeline();
        timeline.Next(900_000, 0);
        timeline.Next(903_000, 0);
        timeline.Rebase(77);

        Assert.Equal(906_000, timeline.Next(77, 0));
    }
}
