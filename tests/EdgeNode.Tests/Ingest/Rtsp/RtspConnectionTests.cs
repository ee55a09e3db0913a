using System.Net;
using EdgeNode.Ingest;
using EdgeNode.Ingest.Rtsp;

namespace EdgeNode.Tests.Ingest.Rtsp;

public class RtspConnectionTests
{
    private readonly TaskCompletionSource<CancellationToken> _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact]
    public async Task A_look_up_past_its_deadline_is_called_off_and_not_left_behind()
    {
        using var connection = RtspConnection.Create("camera", NeverResolve);

        SourceException failure = Assert.Throws<SourceException>(() => Connect(connection, TimeSpan.FromMilliseconds(20)));

        Assert.Equal(SourceTrouble.Unreachable, failure.Trouble);
        Assert.True((await _asked.Task).IsCancellationRequested);
    }

    [Fact]
    public async Task Abort_calls_a_look_up_off()
    {
        using var connection = RtspConnection.Create("camera", NeverResolve);
        Task connecting = Task.Factory.StartNew(() => Connect(connection, TimeSpan.FromHours(1)), TaskCreationOptions.LongRunning);
        CancellationToken token = await _asked.Task;
        connection.Abort();

        SourceException failure = await Assert.ThrowsAsync<SourceException>(() => connecting.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Equal(SourceTrouble.Closed, failure.Trouble);
        Assert.True(token.IsCancellationRequested);
    }

    private static void Connect(RtspConnection connection, TimeSpan within) => connection.Connect("camera", 554, within, TimeSpan.FromSeconds(1));

    private Task<IPAddress[]> NeverResolve(string host, CancellationToken token)
    {
        _asked.SetResult(token);
        return new TaskCompletionSource<IPAddress[]>().Task;
    }
}
