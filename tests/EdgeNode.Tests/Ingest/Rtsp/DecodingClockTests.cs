using EdgeNode.Ingest.Rtsp;

namespace EdgeNode.Tests.Ingest.Rtsp;

public class DecodingClockTests
{
    [Fact]
    public void Equals_presentation_when_nothing_is_reordered()
    {
        var clock = new DecodingClock();
        long presentation = 3000;
        Assert.Equal(3000, clock.Next(ref presentation, 0, 3000));
        presentation = 6000;
        Assert.Equal(6000, clock.Next(ref presentation, 0, 3000));
    }

    [Fact]
    public void Is_the_sorted_presentation_delayed_by_the_depth()
    {
        // I0 P4 B2 b1 b3 P8 B6 b5 b7, a frame 3000 ticks.
        int[] order = [0, 4, 2, 1, 3, 8, 6, 5, 7, 12, 10, 9, 11];
        var clock = new DecodingClock();
        var decoding = new List<long>();
        foreach (int frame in order)
        {
            long presentation = 3000 * frame;
            decoding.Add(clock.Next(ref presentation, 2, 3000));
            Assert.Equal(3000 * frame, presentation);
        }

        Assert.Equal(Enumerable.Range(-2, order.Length).Select(frame => 3000L * frame), decoding);
    }

    [Fact]
    public void Rises_and_stays_below_presentation_whatever_the_stream_says()
    {
        var random = new Random(7);
        for (int round = 0; round < 200; round++)
        {
            var clock = new DecodingClock();
            long last = long.MinValue;
            for (int i = 0; i < 200; i++)
            {
                long presentation = random.Next(0, 1_000_000);
                long decoding = clock.Next(ref presentation, random.Next(100) == 0 ? random.Next(20) : round % 5, 3000);
                Assert.True(decoding > last && decoding <= presentation);
                last = decoding;
            }
        }
    }

    [Fact]
    public void A_stream_that_reorders_deeper_than_it_says_is_right_after_the_first_pictures()
    {
        int[] group = [4, 2, 1, 3]; // depth 2, said to be 1
        var clock = new DecodingClock();
        int raised = 0;
        for (int i = 0; i < 200; i++)
        {
            long asked = 3000L * (4 * (i / 4) + group[i % 4]);
            long presentation = asked;
            clock.Next(ref presentation, 1, 3000);
            if (presentation != asked)
                raised++;
        }

        Assert.InRange(raised, 1, 3);
    }
}
