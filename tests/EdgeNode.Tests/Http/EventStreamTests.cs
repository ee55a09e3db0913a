using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using EdgeNode.Events;
using EdgeNode.Http;
using EdgeNode.Storage;
using EdgeNode.Tests.Telemetry;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using static EdgeNode.Tests.Events.SampleEvents;

namespace EdgeNode.Tests.Http;

public sealed class EventStreamTests : IDisposable
{
    private const int LogLength = 1000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string _state = Directory.CreateTempSubdirectory("edgenode-events-").FullName;
    private readonly StateDatabase _database;
    private readonly FakeTimeProvider _time = new();
    private readonly EventLog _log;
    private readonly EventSubscription _news;

    // It takes some events, then holds the writer until they are read: a slow listener.
    private readonly Pipe _connection = new(new PipeOptions(pauseWriterThreshold: 4096, resumeWriterThreshold: 2048));
    private readonly StreamReader _listener;
    private readonly CancellationTokenSource _left = new();

    public EventStreamTests()
    {
        _database = StateDatabase.Open(_state);
        _log = new EventLog(_database, _ => null, _time, NullLogger.Instance);
        _log.Start();
        _news = _log.Subscribe()!;
        _listener = new StreamReader(_connection.Reader.AsStream(), Encoding.UTF8);
    }

    public void Dispose()
    {
        _listener.Dispose();
        _news.Dispose();
        _left.Dispose();
        _log.Dispose();
        _database.Dispose();
        Directory.Delete(_state, recursive: true);
    }

    [Fact]
    public async Task A_slow_listener_misses_nothing_that_comes_while_it_is_sent_the_past()
    {
        for (int seq = 1; seq <= 300; seq++)
            Append(Event(seq));
        Task writing = Follow();
        for (int seq = 301; seq <= 900; seq++)
            Append(Event(seq));
        Assert.Equal(Enumerable.Range(1, 900), await EventsAsync(900));
        Append(Event(901));
        Assert.Equal(901, Assert.Single(await EventsAsync(1)));
        await LeaveAsync(writing);
    }

    [Fact]
    public async Task A_listener_goes_on_from_its_cursor_and_sees_its_own_cameras_alone()
    {
        Append(Event(1));
        long cursor = _log.ReadAfter(0, _ => true, 10).Next;
        Append(Event(2, camera: "vault"));
        Append(Event(3));
        Task writing = Follow(cursor);
        Assert.Equal(3, Assert.Single(await EventsAsync(1)));
        Append(Event(4, camera: "vault"));
        Append(Event(5));
        Assert.Equal(5, Assert.Single(await EventsAsync(1)));
        await LeaveAsync(writing);
    }

    [Fact]
    public async Task A_listener_that_the_log_has_left_behind_is_told_of_the_gap()
    {
        Append(Event(1));
        long cursor = _log.ReadAfter(0, _ => true, 10).Next;
        for (int seq = 2; seq <= LogLength + 2; seq++)
            Append(Event(seq));
        _log.TrimOldest(LogLength, LogLength);
        Task writing = Follow(cursor);
        Assert.Equal(": gap", await _listener.ReadLineAsync());
        Assert.Equal(Enumerable.Range(3, LogLength), await EventsAsync(LogLength));
        await LeaveAsync(writing);
    }

    [Fact]
    public async Task A_quiet_stream_shows_that_it_lives()
    {
        Append(Event(1));
        Task writing = Follow();
        await EventsAsync(1);
        Assert.Equal("", await _listener.ReadLineAsync());
        Task<string?> line = _listener.ReadLineAsync();
        await Eventually.TrueAsync(() => line.IsCompleted, "a heartbeat", between: () => _time.Advance(EventStream.Heartbeat));
        Assert.Equal(": still here", await line);
        await LeaveAsync(writing);
    }

    [Fact]
    public async Task A_stream_ends_with_the_grant()
    {
        Append(Event(1));
        Task writing = Follow(end: TimeSpan.FromSeconds(5));
        await EventsAsync(1);
        _time.Advance(TimeSpan.FromSeconds(5));
        await writing;
    }

    [Fact]
    public async Task A_stream_ends_with_the_grant_although_its_listener_reads_nothing()
    {
        for (int seq = 1; seq <= 300; seq++)
            Append(Event(seq));
        Task writing = Follow(end: TimeSpan.FromSeconds(5));
        Assert.False(writing.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(5));
        await writing;
    }

    [Fact]
    public async Task A_grant_that_is_revoked_is_not_sent_all_of_the_past()
    {
        for (int seq = 1; seq <= 900; seq++)
            Append(Event(seq));
        Task writing = Follow(isAllowed: () => false);
        await EventsAsync(500);
        await writing;
        await _connection.Writer.CompleteAsync();
        Assert.DoesNotContain("data:", await _listener.ReadToEndAsync());
    }

    [Fact]
    public async Task Nothing_is_sent_to_a_grant_that_has_ended()
    {
        Append(Event(1));
        await Follow(end: TimeSpan.Zero);
        Assert.False(_connection.Reader.TryRead(out _));
    }

    private void Append(FaceEvent e)
    {
        _log.Append(e);
        if (e.Seq is < 50 or > 890 || e.Seq % 100 == 0)
            Assert.True(_log.Flush(Patience));
    }

    private Task Follow(long cursor = 0, TimeSpan? end = null, Func<bool>? isAllowed = null)
    {
        var stream = new EventStream(_log, _news, camera => camera == "entrance", isAllowed ?? (() => true), _time);
        return stream.WriteAsync(_connection.Writer.AsStream(), cursor, _time.GetUtcNow().UtcDateTime + (end ?? TimeSpan.FromDays(365)), _left.Token);
    }

    private async Task<int[]> EventsAsync(int count)
    {
        var seen = new List<int>();
        while (seen.Count < count)
        {
            string line = await _listener.ReadLineAsync() ?? throw new EndOfStreamException();
            if (line.StartsWith("data: ", StringComparison.Ordinal))
                seen.Add(JsonSerializer.Deserialize(line["data: ".Length..], FaceEventJson.Default.FaceEvent)!.Seq);
        }

        return [.. seen];
    }

    private async Task LeaveAsync(Task writing)
    {
        await _left.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing);
    }
}
