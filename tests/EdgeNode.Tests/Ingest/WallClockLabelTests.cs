using EdgeNode.Ingest;

namespace EdgeNode.Tests.Ingest;

/// <summary>Wall time as <see cref="Timeline"/> puts it on a camera's pictures.</summary>
public class WallClockLabelTests
{
    private const int Step = AccessUnit.TicksPerSecond / 25;

    private readonly SteppedClock _time = new();

    [Theory]
    [InlineData(+200e-6)]
    [InlineData(-200e-6)]
    public void A_day_of_drift_bends_the_label_alone(double drift)
    {
        const int Pictures = 24 * 3600 * 25;
        var timeline = new Timeline(_time);
        var random = new Random(7);
        DateTime start = Now, last = default, sent = start;
        double worst = 0;
        long first = 0;
        for (int i = 0; i < Pictures; i++)
        {
            // A crystal that runs fast takes its pictures early by our clock; the network adds up to 60 ms, and 300 ms once in a while.
            DateTime taken = start.AddTicks((long)(i * 400_000L * (1 - drift)));
            DateTime arrives = taken.AddMilliseconds(60 * random.NextDouble() + (random.Next(200) == 0 ? 300 : 0));
            sent = arrives > sent ? arrives : sent;
            _time.Advance(sent - Now);
            (long dts, DateTime label, bool startsTimeline) = Place(timeline, 12_345 + (long)i * Step);

            if (i == 0)
                first = dts;
            Assert.Equal(first + (long)i * Step, dts);
            Assert.False(startsTimeline);
            Assert.True(label > last, "labels rise");
            last = label;
            worst = Math.Max(worst, Math.Abs((label - taken).TotalMilliseconds));
        }

        Assert.InRange(worst, 0, 100);
        Assert.Equal(0, timeline.Repaired);
    }

    [Theory]
    [InlineData(+3600)]
    [InlineData(-86400)]
    [InlineData(+2.5)]
    public void A_step_of_the_nodes_clock_is_a_new_label_at_once_and_nothing_else(double seconds)
    {
        var timeline = new Timeline(_time);
        Run(timeline, 0, 100);
        _time.Step(TimeSpan.FromSeconds(seconds));
        (long dts, DateTime label, bool startsTimeline) = Place(timeline, 100 * Step);
        Assert.Equal((100L * Step, false), (dts, startsTimeline));
        Assert.InRange((label - Now).TotalMilliseconds, -5, 5);
    }

    [Fact]
    public void A_small_step_is_followed_by_a_millisecond_a_second()
    {
        var timeline = new Timeline(_time);
        Run(timeline, 0, 500);
        _time.Step(TimeSpan.FromSeconds(1));
        DateTime before = default;
        for (int i = 500; i < 500 + 25 * 600; i++)
        {
            (_, DateTime label, _) = Place(timeline, (long)i * Step);
            if (before != default)
                Assert.InRange((label - before).TotalMilliseconds, 39.9, 40.1);
            before = label;
            _time.Advance(TimeSpan.FromMilliseconds(40));
        }

        Assert.InRange((Now - before).TotalSeconds, 0.4, 0.6); // 10 minutes make up for 0.6 s at most
    }

    [Fact]
    public void A_GOP_that_comes_in_a_rush_at_the_start_does_not_date_the_picture_into_the_future()
    {
        var timeline = new Timeline(_time);
        DateTime label = default;
        for (int i = 0; i < 75; i++)
        {
            DateTime before = label;
            (_, label, _) = Place(timeline, (long)i * Step);
            Assert.True(label >= before && label <= Now);
            _time.Advance(TimeSpan.FromMilliseconds(1));
        }

        _time.Advance(TimeSpan.FromMilliseconds(39));
        (_, label, _) = Place(timeline, 75L * Step);
        Assert.InRange((Now - label).TotalMilliseconds, 0, 5);
    }

    [Fact]
    public void A_stall_of_the_network_leaves_the_label_and_a_gap_that_stays_moves_it()
    {
        var timeline = new Timeline(_time);
        Run(timeline, 0, 500);

        // 4 s nothing, then all that was held back.
        _time.Advance(TimeSpan.FromSeconds(4));
        for (int i = 500; i < 600; i++)
        {
            (_, DateTime label, _) = Place(timeline, (long)i * Step);
            Assert.InRange((label - Start).TotalMilliseconds - 40 * i, -5, 5);
        }

        // 4 s nothing, and what was in them never comes: the camera's own clock stood still.
        Run(timeline, 600, 700);
        _time.Advance(TimeSpan.FromSeconds(4));
        Run(timeline, 700, 900);
        (_, DateTime late, _) = Place(timeline, 900L * Step);
        Assert.InRange((Now - late).TotalMilliseconds, -50, 50);
    }

    [Fact]
    public void Pictures_between_others_are_dated_before_those_they_lie_before()
    {
        var timeline = new Timeline(_time);
        var dated = new List<(long Pts, DateTime At)>();
        int[] reorder = [0, 3, 0]; // I0, then P3 B1 B2 again and again, shown one picture later than it is decoded
        for (int i = 0; i < 100; i++)
        {
            AccessUnit unit = Units.Make((long)i * Step, key: i == 0, reorder: (i == 0 ? 1 : reorder[i % 3]) * Step, capturedAt: Now);
            timeline.Place(unit);
            dated.Add((unit.Pts, unit.CapturedAt));
            unit.Release();
            _time.Advance(TimeSpan.FromMilliseconds(40));
        }

        (long Pts, DateTime At)[] shown = [.. dated.OrderBy(picture => picture.Pts)];
        Assert.All(shown.Zip(shown.Skip(1)), pair => Assert.True(pair.Second.At >= pair.First.At));
    }

    private DateTime Start { get; } = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    private DateTime Now => _time.GetUtcNow().UtcDateTime;

    private void Run(Timeline timeline, int from, int to)
    {
        for (int i = from; i < to; i++)
        {
            Place(timeline, (long)i * Step);
            _time.Advance(TimeSpan.FromMilliseconds(40));
        }
    }

    private (long Dts, DateTime CapturedAt, bool StartsTimeline) Place(Timeline timeline, long stamp)
    {
        AccessUnit unit = Units.Make(stamp, capturedAt: Now);
        timeline.Place(unit);
        (long, DateTime, bool) placed = (unit.Dts, unit.CapturedAt, unit.StartsTimeline);
        unit.Release();
        return placed;
    }

    /// <summary>A monotonic clock, and a wall clock that can be set without it: FakeTimeProvider moves both.</summary>
    private sealed class SteppedClock : TimeProvider
    {
        private TimeSpan _passed;
        private DateTimeOffset _start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _passed.Ticks;

        public override DateTimeOffset GetUtcNow() => _start + _passed;

        public void Advance(TimeSpan by) => _passed += by;

        public void Step(TimeSpan by) => _start += by;
    }
}
