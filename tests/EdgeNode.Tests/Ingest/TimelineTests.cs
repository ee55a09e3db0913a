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

    [Fact]
    public void One_rogue_stamp_in_fifty_moves_no_other()
    {
        var timeline = new Timeline(_time);
        long[] hours = [-7, 7, 100, -1];
        for (int i = 0; i < 5000; i++)
        {
            bool isRogue = i % 50 == 49;
            AccessUnit unit = Units.Make(1_000_000 + 3600L * i + (isRogue ? hours[i / 50 % 4] * 3600 * 90_000 : 0));
            timeline.Place(unit);
            Assert.Equal((3600L * i, false), (unit.Dts, unit.StartsTimeline));
            unit.Release();
            _time.Advance(TimeSpan.FromMilliseconds(40));
        }

        Assert.Equal((100, 0), (timeline.Repaired, timeline.NewTimelines));
    }

    [Fact]
    public void A_rogue_that_was_put_too_far_on_shifts_nothing_behind_it()
    {
        // Steps of 7200, then of 1800: the rogue, put 7200 on, lies beyond its three successors.
        long[] placed = Place(new Timeline(_time), 0, 7200, 900_000_000, 10_800, 12_600, 14_400, 16_200);
        Assert.Equal([0, 7200, 14_400, 14_401, 14_402, 14_403, 16_200], placed);
    }

    [Fact]
    public void A_wrap_goes_on_without_a_gap()
    {
        const long Wrap = 1L << 32;
        long[] placed = Place(new Timeline(_time), Wrap - 7200, Wrap - 3600, 0, 3600, 7200, 10_800);
        Assert.Equal([0, 3600, 7200, 10_800, 14_400, 18_000], placed);
    }

    [Fact]
    public void A_gap_that_took_its_time_is_no_leap()
    {
        var timeline = new Timeline(_time);
        Assert.Equal([0, 3600], Place(timeline, 0, 3600));
        _time.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal([5_403_600], Place(timeline, 3600 + 60 * 90_000));
        Assert.Equal(0, timeline.Repaired);
    }

    [Fact]
    public void Stamps_without_sense_come_out_rising()
    {
        var random = new Random(1);
        var timeline = new Timeline(_time);
        long last = -1, lastAudio = -1;
        for (int i = 0; i < 20_000; i++)
        {
            bool isAudio = i > 0 && random.Next(2) == 0;
            long stamp = random.Next(4) == 0 ? random.NextInt64(-(1L << 40), 1L << 40) : 3600L * i + random.Next(-9000, 9000);
            AccessUnit unit = isAudio ? Units.MakeAudio(stamp) : Units.Make(stamp, key: i % 25 == 0, reorder: random.Next(9) == 0 ? random.NextInt64(-(1L << 40), 1L << 40) : random.Next(7200));
            Assert.True(timeline.Place(unit));
            ref long before = ref isAudio ? ref lastAudio : ref last;
            Assert.InRange(unit.Dts, before + 1, long.MaxValue);
            Assert.InRange(unit.Pts - unit.Dts, 0, 5 * 90_000);
            before = unit.Dts;
            unit.Release();
            _time.Advance(TimeSpan.FromMilliseconds(random.Next(80)));
        }
    }

    [Fact]
    public void Audio_goes_with_the_pictures_and_waits_for_their_first()
    {
        var timeline = new Timeline(_time);
        Assert.Null(PlaceAudio(timeline, 1_000_000));
        Place(timeline, 1_000_500);
        Assert.Equal(500, PlaceAudio(timeline, 1_001_000));
        Assert.Equal(2420, PlaceAudio(timeline, 1_002_920));
        Assert.Equal([3600], Place(timeline, 1_004_100));
        Assert.Equal(2421, PlaceAudio(timeline, 1_002_920)); // twice the same
        Assert.Equal(4340, PlaceAudio(timeline, 1_004_840));
    }

    [Fact]
    public void Audio_with_stamps_from_elsewhere_leaves_the_pictures_alone_and_is_put_beside_them()
    {
        var timeline = new Timeline(_time);
        var audio = new List<long>();
        for (int i = 0; i < 50; i++)
        {
            Assert.Equal([3600L * i], Place(timeline, 3600L * i));
            audio.Add(PlaceAudio(timeline, 777_000_000_000 + 3600L * i)!.Value);
        }

        Assert.All(audio.Zip(audio.Skip(1)), pair => Assert.True(pair.Second > pair.First));
        Assert.All(audio.Select((at, i) => at - 3600L * i), apart => Assert.InRange(apart, -9000, 9000));
    }

    [Fact]
    public void Audio_follows_when_the_camera_begins_a_new_timeline()
    {
        var timeline = new Timeline(_time);
        for (int i = 0; i < 100; i++)
        {
            long jump = i < 50 ? 0 : -500_000_000;
            Place(timeline, 3600L * i + jump);
            long at = PlaceAudio(timeline, 3600L * i + jump)!.Value;
            Assert.InRange(at - 3600L * i, -9000, 9000);
        }

        Assert.Equal(1, timeline.NewTimelines);
    }

    private static long? PlaceAudio(Timeline timeline, long stamp)
    {
        AccessUnit unit = Units.MakeAudio(stamp);
        long? at = timeline.Place(unit) ? unit.Dts : null;
        unit.Release();
        return at;
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
