using System.Collections.Concurrent;
using EdgeNode.Ingest;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeNode.Tests.Ingest;

public class CameraIngestTests
{
    private readonly BlockingCollection<CameraStatus> _states = [];

    [Fact]
    public void A_camera_that_breaks_off_is_opened_again_and_goes_on_on_one_timeline()
    {
        using var ingest = Start(() => new ScriptedSource(Units.Make(500, key: true), Units.Make(4100)));
        Assert.Equal(CameraState.Connecting, Next().State);
        AssertConnected(Next());
        Assert.Equal(CameraState.Streaming, Next().State);
        CameraStatus broken = Next();
        Assert.Equal((CameraState.Connecting, "The script is over."), (broken.State, broken.Reason));
        AssertConnected(Next());
        Assert.Equal(CameraState.Streaming, Next().State);
        Assert.True(ingest.Connections >= 2);
    }

    [Theory]
    [InlineData(SourceTrouble.Stalled, CameraState.Stalled)]
    [InlineData(SourceTrouble.Unauthorized, CameraState.Failed)]
    [InlineData(SourceTrouble.Unreachable, CameraState.Connecting)]
    public void The_state_says_what_is_the_matter(SourceTrouble trouble, CameraState state)
    {
        using var ingest = Start(() => throw new SourceException(trouble, "Because."));
        Assert.Equal(CameraState.Connecting, Next().State);
        CameraStatus next = Next();
        Assert.Equal((state, "Because."), (next.State, next.Reason));
    }

    [Fact]
    public void A_fault_of_ours_ends_the_connection_and_not_the_camera()
    {
        int opened = 0;
        using var ingest = Start(() => Interlocked.Increment(ref opened) == 1 ? throw new InvalidOperationException("secret") : new ScriptedSource(Units.Make(0, key: true)));
        Assert.Equal(CameraState.Connecting, Next().State);
        CameraStatus broken = Next();
        Assert.DoesNotContain("secret", broken.Reason!, StringComparison.Ordinal);
        AssertConnected(Next());
        Assert.Equal(CameraState.Streaming, Next().State);
    }

    [Fact]
    public void A_camera_that_connects_again_but_sends_no_picture_does_not_keep_its_old_reason()
    {
        int opened = 0;
        using var ingest = Start(() => Interlocked.Increment(ref opened) == 1
            ? throw new SourceException(SourceTrouble.Unreachable, "Because.")
            : new ScriptedSource { BlocksAtTheEnd = true });
        WaitFor(status => status.Reason == "Because.");
        AssertConnected(Next());
        AssertConnected(ingest.Status);
    }

    [Fact]
    public void A_camera_that_connects_and_says_nothing_again_and_again_stays_stalled()
    {
        int opened = 0;
        using var ingest = Start(() => Interlocked.Increment(ref opened) > 2
            ? new ScriptedSource(Units.Make(0, key: true)) { BlocksAtTheEnd = true }
            : new ScriptedSource { Ends = new SourceException(SourceTrouble.Stalled, "Silence.") });
        WaitFor(status => status.State == CameraState.Stalled);
        Assert.Equal(CameraState.Streaming, Next().State);
    }

    [Fact]
    public void A_source_that_cannot_even_be_closed_is_left_and_opened_anew()
    {
        int opened = 0;
        using var ingest = Start(() => new ScriptedSource(Units.Make(0, key: true)) { FailsToClose = Interlocked.Increment(ref opened) == 1 });
        WaitFor(status => status.Reason == "The script is over.");
        WaitFor(status => status.State == CameraState.Streaming);
    }

    [Fact]
    public void A_listener_that_fails_does_not_end_the_camera()
    {
        int told = 0;
        using var ingest = new CameraIngest(
            "test",
            () => new ScriptedSource(Units.Make(0, key: true)),
            status =>
            {
                // The first call is Start's own, on the thread of the caller.
                if (Interlocked.Increment(ref told) is > 1 and < 6)
                    throw new InvalidOperationException("secret");
                _states.Add(status);
            },
            TimeProvider.System,
            NullLogger.Instance);
        ingest.Start();
        WaitFor(status => status.State == CameraState.Streaming);
    }

    [Fact]
    public void Disposing_ends_a_source_that_blocks()
    {
        var source = new ScriptedSource(Units.Make(0, key: true)) { BlocksAtTheEnd = true };
        CameraIngest ingest = Start(() => source);
        Next();
        AssertConnected(Next());
        Assert.Equal(CameraState.Streaming, Next().State);
        ingest.Dispose();
        Assert.True(source.IsDisposed);
    }

    [Fact]
    public void What_was_lost_repaired_and_left_out_is_counted_over_all_connections()
    {
        int opened = 0;
        using var ingest = Start(() => new ScriptedSource(
            Units.MakeAudio(400), Units.Make(500, key: true), Units.MakeAudio(700), Units.Make(4100, damaged: true), Units.Make(7700, damaged: true), Units.Make(7700, key: true))
        {
            LostPackets = 3,
            LeftOutAudio = "G.711 A-law",
            BlocksAtTheEnd = Interlocked.Increment(ref opened) == 2,
        });

        Assert.True(SpinWait.SpinUntil(() => ingest.Statistics.Units == 8, TimeSpan.FromSeconds(30)));

        Assert.Equal((6, 2, "G.711 A-law"), (ingest.LostPackets, ingest.DamagedGops, ingest.LeftOutAudio));
        Assert.Equal((2, 2, 4), (ingest.RepairedStamps, ingest.Statistics.AudioUnits, ingest.Statistics.DamagedUnits));
        Assert.Same(Units.Audio, ingest.Audio);
        Assert.Same(Units.Format, ingest.Format);
    }

    [Fact]
    public void A_camera_that_starts_slowly_is_granted_more_time_until_it_streams()
    {
        var granted = new BlockingCollection<int>();
        int opened = 0;
        using var ingest = Start(() =>
        {
            int nth = Interlocked.Increment(ref opened);
            return nth == 3
                ? new ScriptedSource(Units.Make(0, key: true)) { Granted = granted.Add }
                : new ScriptedSource { Ends = new SourceException(SourceTrouble.Stalled, "Silence."), Granted = granted.Add };
        });

        Assert.Equal([0, 1, 2, 0], Enumerable.Range(0, 4).Select(_ => granted.TryTake(out int failed, TimeSpan.FromSeconds(30)) ? failed : -1));
    }

    [Fact]
    public void A_remark_of_the_source_is_shown_until_a_picture_comes()
    {
        var source = new ScriptedSource { BlocksAtTheEnd = true };
        using CameraIngest ingest = Start(() => source);
        WaitFor(status => status.Reason == "It is connected; waiting for a keyframe.");
        ingest.Remark("No keyframe.");
        CameraStatus next = Next();
        Assert.Equal((CameraState.Connecting, "No keyframe."), (next.State, next.Reason));
    }

    [Fact]
    public void What_a_camera_held_is_given_back_also_where_its_thread_ends_long_after_it_was_removed()
    {
        var source = new ScriptedSource(Units.Make(0, key: true)) { BlocksAtTheEnd = true, HearsNoAbort = true };
        CameraIngest ingest = Start(() => source);
        WaitFor(status => status.State == CameraState.Streaming);
        Assert.True(SpinWait.SpinUntil(() => ingest.Gop.Bytes > 0, TimeSpan.FromSeconds(30)));
        ingest.Dispose();
        Assert.False(source.IsDisposed);
        source.LetGo();
        Assert.True(SpinWait.SpinUntil(() => ingest.Gop.Bytes == 0, TimeSpan.FromSeconds(30)));
    }

    private CameraIngest Start(Func<IVideoSource> open)
    {
        var ingest = new CameraIngest("test", open, _states.Add, TimeProvider.System, NullLogger.Instance);
        ingest.Start();
        return ingest;
    }

    private CameraStatus Next() => _states.TryTake(out CameraStatus? status, TimeSpan.FromSeconds(30)) ? status : throw new TimeoutException("No state came.");

    private static void AssertConnected(CameraStatus status) =>
        Assert.Equal((CameraState.Connecting, "It is connected; waiting for a keyframe."), (status.State, status.Reason));

    private void WaitFor(Func<CameraStatus, bool> condition)
    {
        while (!condition(Next()))
        {
        }
    }

    private sealed class ScriptedSource(params AccessUnit[] units) : IVideoSource
    {
        private readonly ManualResetEventSlim _aborted = new();
        private int _next;

        public bool BlocksAtTheEnd { get; init; }

        public SourceException Ends { get; init; } = new(SourceTrouble.Closed, "The script is over.");

        public bool HearsNoAbort { get; init; }

        public bool FailsToClose { get; init; }

        public bool IsDisposed { get; private set; }

        public long LostPackets { get; init; }

        public string? LeftOutAudio { get; init; }

        public Action<int> Granted { get; init; } = _ => { };

        public void GrantPatience(int failedStarts) => Granted(failedStarts);

        public void Open()
        {
        }

        public AccessUnit? Read()
        {
            if (_next < units.Length)
                return units[_next++];
            if (BlocksAtTheEnd)
                _aborted.Wait();
            throw Ends;
        }

        public void Abort()
        {
            if (!HearsNoAbort)
                LetGo();
        }

        public void LetGo() => _aborted.Set();

        public void Dispose()
        {
            IsDisposed = true;
            while (_next < units.Length)
                units[_next++].Release();
            if (FailsToClose)
                throw new InvalidDataException("A broken header.");
        }
    }
}
