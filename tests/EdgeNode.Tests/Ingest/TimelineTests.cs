using EdgeNode.Ingest;
using Microsoft.Extensions.Time.Testing;

namespace EdgeNode.Tests.Ingest;

public class TimelineTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void A_camera_that_begins_anywhere_begins_at_zero() => Assert.Equal([0, 3600, 7200], Place(new Timeline(_time), 1_000_000, 1_003_600, 1_007_200));

    [Fact]
    public void One_rogue_stamp_is_repaired_and_the_next_goes_on() =>
        Assert.Equal([0, 3600, 7200, 10800], Place(new Timeline(_time), 0, 3600, 900_000_000, 10800));

    [Fact]
    public void A_backward_stamp_is_repaired() => Assert.Equal([0, 3600, 7200, 10800], Place(new Timeline(_time), 0, 3600, 3600, 10800));

    [Fact]
    public void Three_in_a_row_are_a_new_timeline_joined_on()
    {
        long[] placed = Place(new Timeline(_time), 0, 3600, 5_000_000, 5_003_600, 5_007_200, 5_010_800);
        Assert.Equal([0, 3600, 7200, 10800, 14400, 18000], placed);
    }

    [Fact]
    public void Another_connection_goes_on_at_the_time_that_passed_and_says_so()
    {
        var timeline = new Timeline(_time);
        Place(timeline, 77, 3677);
        _time.Advance(TimeSpan.FromSeconds(10));
        timeline.BeginConnection();
        AccessUnit unit = Units.Make(42);
        timeline.Place(unit);
        Assert.Equal((900_000, true), (unit.Dts, unit.StartsTimeline));
        unit.Release();
        unit = Units.Make(42 + 3600);
        timeline.Place(unit);
        Assert.Equal((903_600, false), (unit.Dts, unit.StartsTimeline));
        unit.Release();
    }

    [Fact]
    public void Presentation_stays_as_far_behind_decoding_as_it_was()
    {
        var timeline = new Timeline(_time);
        AccessUnit unit = Units.Make(500, reorder: 7200);
        timeline.Place(unit);
        Assert.Equal((0, 7200), (unit.Dts, unit.Pts));
        unit.Release();
    }

    private static long[] Place(Timeline timeline, params long[] stamps)
    {
        return [.. stamps.Select(stamp =>
        {
            AccessUnit unit = Units.Make(stamp);
            timeline.Place(unit);
            long dts = unit.Dts;
            unit.Release();
            return dts;
        })];
    }
}
