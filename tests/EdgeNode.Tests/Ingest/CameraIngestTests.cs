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
        Assert.Equal(CameraState.Streaming, Next().State);
        CameraStatus broken = Next();
        Assert.Equal((CameraState.Connecting, "The script is over."), (broken.State, broken.Reason));
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
        Assert.Equal(CameraState.Streaming, Next().State);
    }

    [Fact]
    public void Disposing_ends_a_source_that_blocks()
    {
        var source = new ScriptedSource(Units.Make(0, key: true)) { BlocksAtTheEnd = true };
        CameraIngest ingest = Start(() => source);
        Next();
        Assert.Equal(CameraState.Streaming, Next().State);
        ingest.Dispose();
        Assert.True(source.IsDisposed);
    }

    private CameraIngest Start(Func<IVideoSource> open)
    {
        var ingest = new CameraIngest("test", open, _states.Add, TimeProvider.System, NullLogger.Instance);
        ingest.Start();
        return ingest;
    }

    private CameraStatus Next() => _states.TryTake(out CameraStatus? status, TimeSpan.FromSeconds(30)) ? status : throw new TimeoutException("No state came.");

    private sealed class ScriptedSource(params AccessUnit[] units) : IVideoSource
    {
        private readonly ManualResetEventSlim _aborted = new();
        private int _next;

        public bool BlocksAtTheEnd { get; init; }

        public bool IsDisposed { get; private set; }

        public void Open()
        {
        }

        public AccessUnit? Read()
        {
            if (_next < units.Length)
                return units[_next++];
            if (BlocksAtTheEnd)
                _aborted.Wait();
            throw new SourceException(SourceTrouble.Closed, "The script is over.");
        }

        public void Abort() => _aborted.Set();

        public void Dispose()
        {
            IsDisposed = true;
            while (_next < units.Length)
                units[_next++].Release();
        }
    }
}
