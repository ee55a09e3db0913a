using EdgeNode.Ingest;

namespace EdgeNode.Tests.Ingest;

public class GopBufferTests
{
    // What a unit of Push takes: PacketMemory's smallest block.
    private const int UnitBytes = 512;

    [Fact]
    public void A_consumer_starts_at_the_keyframe_before_the_newest()
    {
        using var buffer = new GopBuffer();
        Push(buffer, "K1 2 K3 4 K5 6");
        using var reader = new Recorder();
        using (buffer.Attach(reader))
        {
            Push(buffer, "7");
            Assert.Equal("K3 4 K5 6 7", reader.Seen);
        }

        Push(buffer, "8");
        Assert.Equal("K3 4 K5 6 7", reader.Seen);
    }

    [Fact]
    public void Before_the_first_keyframe_nothing_is_kept()
    {
        using var buffer = new GopBuffer();
        Push(buffer, "1 2");
        using var reader = new Recorder();
        using IDisposable attachment = buffer.Attach(reader);
        Assert.Equal("", reader.Seen);
    }

    [Fact]
    public void A_GOP_that_outgrows_the_bound_is_dropped_and_counted_and_the_next_one_is_kept()
    {
        using var buffer = new GopBuffer(bytesAtMost: 3 * UnitBytes);
        Push(buffer, "K1 2 3 4 5");
        Assert.Equal((0, 1), (buffer.Bytes, buffer.DroppedGops));
        Push(buffer, "6 K7 8");
        using var reader = new Recorder();
        using IDisposable attachment = buffer.Attach(reader);
        Assert.Equal("K7 8", reader.Seen);
    }

    [Fact]
    public void The_older_GOP_makes_room_for_the_newer()
    {
        using var buffer = new GopBuffer(bytesAtMost: 3 * UnitBytes);
        Push(buffer, "K1 2 K3 4 5");
        using var reader = new Recorder();
        using IDisposable attachment = buffer.Attach(reader);
        Assert.Equal(("K3 4 5", 0L), (reader.Seen, buffer.DroppedGops));
    }

    [Fact]
    public void The_longest_GOP_is_known()
    {
        using var buffer = new GopBuffer();
        foreach (long second in new long[] { 0, 2, 6, 8 })
        {
            AccessUnit unit = Units.Make(second * 90_000, key: true);
            buffer.Push(unit);
            unit.Release();
        }

        Assert.Equal(TimeSpan.FromSeconds(4), buffer.LongestGop);
    }

    [Fact]
    public void A_slow_reader_loses_its_oldest_units_up_to_the_next_keyframe()
    {
        using var buffer = new GopBuffer();
        using var reader = new GopReader(bytesAtMost: 4 * UnitBytes);
        using IDisposable attachment = buffer.Attach(reader);
        Push(buffer, "K1 2 3 K4 5");
        Assert.Equal(3, reader.Dropped);
        Assert.Equal([4L, 5L], Drain(reader));
    }

    [Fact]
    public void A_slow_reader_without_a_keyframe_in_its_queue_waits_for_the_next()
    {
        using var buffer = new GopBuffer();
        using var reader = new GopReader(bytesAtMost: 2 * UnitBytes);
        using IDisposable attachment = buffer.Attach(reader);
        Push(buffer, "K1 2 3 4 K5");
        Assert.Equal([5L], Drain(reader));
        Assert.Equal(4, reader.Dropped);
    }

    [Fact]
    public async Task Closing_wakes_a_reader_that_waits()
    {
        using var reader = new GopReader();
        Task<AccessUnit?> reading = Task.Run(() => reader.Read(Timeout.InfiniteTimeSpan));
        reader.Dispose();
        Assert.Null(await reading.WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.True(reader.IsClosed);
    }

    [Fact]
    public void While_no_GOP_is_held_whoever_comes_gets_nothing_before_the_next_keyframe()
    {
        using var buffer = new GopBuffer(bytesAtMost: 3 * UnitBytes);
        using var early = new Recorder();
        using IDisposable first = buffer.Attach(early);
        Push(buffer, "K1 2 3 4 5");
        using var late = new Recorder();
        using IDisposable second = buffer.Attach(late);
        Push(buffer, "6 A6 K7 A7 8");
        Assert.Equal(("K1 2 3 4 5 6 A6 K7 A7 8", "K7 A7 8"), (early.Seen, late.Seen));
    }

    [Fact]
    public void GOPs_that_are_too_large_are_told_until_a_whole_one_fitted()
    {
        using var buffer = new GopBuffer(bytesAtMost: 3 * UnitBytes);
        Push(buffer, "K1 2");
        Assert.Null(buffer.Trouble);
        Push(buffer, "3 4 K5 6");
        Assert.StartsWith("Its pictures from one keyframe to the next are larger than", buffer.Trouble);
        Push(buffer, "7 8 K9 10");
        Assert.NotNull(buffer.Trouble);
        Push(buffer, "K11");
        Assert.Null(buffer.Trouble);
        Assert.Equal(2, buffer.DroppedGops);
    }

    [Fact]
    public void Pictures_of_a_few_bytes_count_for_the_memory_that_they_take()
    {
        using var buffer = new GopBuffer(bytesAtMost: 64 << 10);
        for (int picture = 0; picture < 1000; picture++)
        {
            AccessUnit unit = Units.Make(picture, key: picture == 0, bytes: 10);
            buffer.Push(unit);
            unit.Release();
        }

        Assert.Equal((0, 1), (buffer.Bytes, buffer.DroppedGops));
    }

    [Fact]
    public void Audio_is_kept_among_the_pictures_as_it_came_and_is_never_a_keyframe()
    {
        using var buffer = new GopBuffer();
        Push(buffer, "A0 K1 A1 2 A2 K3 A3 4 A4");
        using var reader = new Recorder();
        using IDisposable attachment = buffer.Attach(reader);
        Push(buffer, "A5 5 K6");
        Assert.Equal("K1 A1 2 A2 K3 A3 4 A4 A5 5 K6", reader.Seen);
        using var next = new Recorder();
        using IDisposable another = buffer.Attach(next);
        Assert.Equal("K3 A3 4 A4 A5 5 K6", next.Seen);
    }

    private static void Push(GopBuffer buffer, string units)
    {
        foreach (string word in units.Split(' '))
        {
            long dts = long.Parse(word.TrimStart('K', 'A'));
            AccessUnit unit = word[0] == 'A' ? Units.MakeAudio(dts) : Units.Make(dts, key: word[0] == 'K');
            buffer.Push(unit);
            unit.Release();
        }
    }

    private static List<long> Drain(GopReader reader)
    {
        var seen = new List<long>();
        while (reader.Count > 0)
        {
            AccessUnit unit = reader.Read(TimeSpan.Zero)!;
            seen.Add(unit.Dts);
            unit.Release();
        }

        return seen;
    }

    private sealed class Recorder : IAccessUnitSink, IDisposable
    {
        private readonly List<string> _seen = [];

        public string Seen => string.Join(' ', _seen);

        public void OnAccessUnit(AccessUnit unit) => _seen.Add($"{(unit.IsKey ? "K" : "")}{unit.Dts}");

        public void OnAudio(AccessUnit unit) => _seen.Add($"A{unit.Dts}");

        public void Dispose() => _seen.Clear();
    }
}
