using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using EdgeNode.Ingest;
using EdgeNode.Native.Memory;
using EdgeNode.Streaming;
using Microsoft.Extensions.Time.Testing;

namespace EdgeNode.Tests.Streaming;

/// <summary>Alone in the process: it counts what the whole process holds.</summary>
[CollectionDefinition(nameof(LiveStreamTests), DisableParallelization = true)]
public sealed class LiveStreamCollection;

[Collection(nameof(LiveStreamTests))]
public sealed class LiveStreamTests : IDisposable
{
    private readonly long _rentedBefore = PacketMemory.RentedBytes;
    private readonly FakeTimeProvider _time = new();
    private readonly TestFeed _feed = new();
    private readonly TestClip _clip = TestClip.Make("25", 50);
    private readonly VideoFormat _format;
    private readonly IEnumerator<(TestClip.Sample Sample, long Shift)> _source;
    private readonly LiveStream _stream;

    public LiveStreamTests()
    {
        _format = _clip.NewFormat();
        _source = _clip.Loop().GetEnumerator();
        _stream = new LiveStream("entrance", _feed, _time);
    }

    /// <summary>Whatever a test did: everything is given back.</summary>
    public void Dispose()
    {
        _stream.Dispose();
        _feed.Dispose();
        Assert.Equal(0, _feed.SinkCount);
        Assert.Equal(_rentedBefore, PacketMemory.RentedBytes);
    }

    [Fact]
    public async Task Nothing_is_packaged_before_somebody_asks()
    {
        Push(200);
        Assert.False(_stream.IsRunning);
        Assert.Equal(0, _feed.SinkCount);
        Assert.Null(_stream.TryGetSegment(1));
        Assert.Null(_stream.GetInitialization(1));
        Assert.Equal(LiveStatus.NotFound, (await _stream.GetPartAsync(1, 0)).Status);
        Assert.False(_stream.IsRunning);
    }

    [Fact]
    public async Task The_first_viewer_gets_pictures_at_once_from_what_was_kept()
    {
        Push(120);
        ValueTask<PlaylistAnswer> asked = _stream.GetMediaPlaylistAsync(null, null, false);
        Assert.True(asked.IsCompletedSuccessfully);
        ParsedPlaylist playlist = Parse(await asked);
        Assert.Equal(1, playlist.MediaSequence);
        Assert.Equal(2, playlist.TargetDuration);
        Assert.Equal(1, playlist.LastCompleteSequence);
        Assert.True(_stream.MemoryBytes > 0);
        using MediaBody segment = _stream.TryGetSegment(1)!;
        Assert.Equal(50, FragmentReader.Read(Bytes(segment)).Sum(fragment => fragment.Samples.Count));
        Assert.NotNull(_stream.GetInitialization(1));
        Assert.Null(_stream.GetInitialization(2));
    }

    [Fact]
    public async Task The_first_request_waits_for_the_camera_and_gives_up_after_ten_seconds()
    {
        Task<PlaylistAnswer> late = _stream.GetMediaPlaylistAsync(null, null, false).AsTask();
        _time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.False(late.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal(LiveStatus.Unavailable, (await late).Status);

        Task<PlaylistAnswer> playlist = _stream.GetMediaPlaylistAsync(null, null, false).AsTask();
        Task<PlaylistAnswer> multivariant = _stream.GetMultivariantPlaylistAsync().AsTask();
        Push(49);
        Assert.False(playlist.IsCompleted);
        Push(2);
        Assert.Equal(LiveStatus.Ok, (await playlist).Status);
        Assert.Contains("media.m3u8", Encoding.UTF8.GetString((await multivariant).Body.Span));
    }

    [Fact]
    public async Task A_blocked_reload_is_answered_when_its_part_is_there_and_never_before()
    {
        ParsedPlaylist playlist = await StartAsync();
        for (int i = 0; i < 40; i++)
        {
            (long msn, int part) = Hinted(playlist);
            Task<PlaylistAnswer> waiting = _stream.GetMediaPlaylistAsync(msn, part, i % 2 == 0).AsTask();
            int pushed = 0;
            while (!waiting.IsCompleted && pushed < 20)
            {
                string before = Text(await _stream.GetMediaPlaylistAsync(null, null, false));
                Assert.Equal(playlist.Hint, ParsedPlaylist.Parse(before).Hint);
                Push(1);
                pushed++;
                if (Hinted(Parse(await _stream.GetMediaPlaylistAsync(null, null, false))) != (msn, part))
                    break;
            }

            playlist = Parse(await waiting);
            Assert.Contains(playlist.Parts, listed => listed.Uri == $"part-{msn}-{part}.m4s");
        }
    }

    [Fact]
    public async Task A_blocked_reload_without_a_part_waits_for_the_whole_segment()
    {
        ParsedPlaylist playlist = await StartAsync();
        long next = playlist.LastCompleteSequence + 1;
        Task<PlaylistAnswer> waiting = _stream.GetMediaPlaylistAsync(next, null, false).AsTask();
        while (Hinted(Parse(await _stream.GetMediaPlaylistAsync(null, null, false))).Sequence == next)
        {
            Assert.False(waiting.IsCompleted);
            Push(1);
        }

        Assert.Equal(next, Parse(await waiting).LastCompleteSequence);
    }

    [Fact]
    public async Task A_part_behind_the_last_of_its_segment_means_the_first_of_the_next()
    {
        ParsedPlaylist playlist = await StartAsync();
        long next = playlist.LastCompleteSequence + 1;
        // Segments have 7 parts: index 8 will never be.
        Task<PlaylistAnswer> waiting = _stream.GetMediaPlaylistAsync(next, 8, false).AsTask();
        ParsedPlaylist now = playlist;
        while (!now.Parts.Any(part => part.Uri == $"part-{next + 1}-0.m4s"))
        {
            Assert.False(waiting.IsCompleted);
            Push(1);
            now = Parse(await _stream.GetMediaPlaylistAsync(null, null, false));
        }

        Assert.Contains(Parse(await waiting).Parts, part => part.Uri == $"part-{next + 1}-0.m4s");
        // Long past: at once.
        Assert.True(_stream.GetMediaPlaylistAsync(next, 8, false).IsCompleted);
    }

    [Fact]
    public async Task Requests_for_the_past_are_answered_at_once()
    {
        await StartAsync();
        Push(300);
        Assert.True(_stream.GetMediaPlaylistAsync(1, 3, false).IsCompletedSuccessfully);
        Assert.True(_stream.GetMediaPlaylistAsync(0, null, false).IsCompletedSuccessfully);
    }

    [Theory]
    [InlineData(2, null, false)]
    [InlineData(3, null, true)]
    [InlineData(1, 9, false)]
    [InlineData(0, 10, true)]
    [InlineData(0, 9, false)]
    [InlineData(1, 10, true)]
    [InlineData(5000, 0, true)]
    [InlineData(-100, null, true)]
    public async Task Only_what_the_draft_forbids_is_refused(long ahead, int? partAhead, bool isRefused)
    {
        // The current segment has no parts yet: parts are counted from its beginning.
        ParsedPlaylist playlist = await StartAsync();
        Assert.Equal(0, Hinted(playlist).Index);
        long msn = playlist.LastCompleteSequence + (partAhead is null ? 0 : 1) + ahead;
        ValueTask<PlaylistAnswer> asked = _stream.GetMediaPlaylistAsync(msn, partAhead, false);
        Assert.Equal(isRefused, asked.IsCompleted);
        if (isRefused)
            Assert.Equal(LiveStatus.BadRequest, (await asked).Status);
        else
            await TimeOutAsync(asked.AsTask(), 3 * playlist.TargetDuration);
    }

    [Fact]
    public async Task A_part_without_a_segment_is_refused()
    {
        await StartAsync();
        Assert.Equal(LiveStatus.BadRequest, (await _stream.GetMediaPlaylistAsync(null, 1, false)).Status);
        Assert.Equal(LiveStatus.BadRequest, (await _stream.GetMediaPlaylistAsync(2, -1, false)).Status);
    }

    [Fact]
    public async Task A_camera_that_falls_silent_costs_three_target_durations_of_waiting()
    {
        ParsedPlaylist playlist = await StartAsync();
        (long msn, int part) = Hinted(playlist);
        Task<PlaylistAnswer> waiting = _stream.GetMediaPlaylistAsync(msn, part, false).AsTask();
        Task<MediaAnswer> hinted = _stream.GetPartAsync(msn, part).AsTask();
        await TimeOutAsync(waiting, 3 * playlist.TargetDuration);
        Assert.Equal(LiveStatus.Unavailable, (await hinted).Status);
    }

    [Fact]
    public async Task The_hinted_part_is_held_until_it_is_there_and_no_other()
    {
        ParsedPlaylist playlist = await StartAsync();
        (long msn, int part) = Hinted(playlist);
        Assert.Equal(LiveStatus.NotFound, (await _stream.GetPartAsync(msn, part + 1)).Status);
        Assert.Equal(LiveStatus.NotFound, (await _stream.GetPartAsync(msn + 1, 0)).Status);
        Assert.Equal(LiveStatus.NotFound, (await _stream.GetPartAsync(1, 99)).Status);
        Assert.Equal(LiveStatus.NotFound, (await _stream.GetPartAsync(long.MaxValue, int.MaxValue)).Status);
        Task<MediaAnswer> held = _stream.GetPartAsync(msn, part).AsTask();
        Assert.False(held.IsCompleted);
        Push(12);
        using MediaBody body = (await held).Body!;
        byte[] bytes = Bytes(body);
        using MediaBody again = (await _stream.GetPartAsync(msn, part)).Body!;
        Assert.Equal(bytes, Bytes(again));
        Assert.Null(_stream.TryGetSegment(msn)); // not complete
    }

    [Fact]
    public async Task A_response_under_way_keeps_its_pictures_when_the_playlist_moves_on_and_the_stream_stops()
    {
        await StartAsync();
        MediaBody body = _stream.TryGetSegment(1)!;
        byte[] bytes = Bytes(body);
        Push(600);
        Assert.Null(_stream.TryGetSegment(1));
        Assert.Equal(bytes, Bytes(body));
        _stream.Stop();
        Assert.Equal(bytes, Bytes(body));

        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 16 * 1024, resumeWriterThreshold: 8 * 1024));
        Task writing = WriteAsync();
        var read = new MemoryStream();
        await pipe.Reader.CopyToAsync(read);
        await writing;
        Assert.Equal(bytes, read.ToArray());
        body.Dispose();
        body.Dispose();

        async Task WriteAsync()
        {
            await body.WriteToAsync(pipe.Writer, CancellationToken.None);
            await pipe.Writer.CompleteAsync();
        }
    }

    [Fact]
    public async Task Packaging_stops_thirty_seconds_after_the_last_request_and_gives_its_memory_back()
    {
        await StartAsync();
        Push(300);
        _time.Advance(TimeSpan.FromSeconds(20));
        await _stream.GetMediaPlaylistAsync(null, null, false);
        _time.Advance(TimeSpan.FromSeconds(29));
        Assert.True(_stream.IsRunning);
        _time.Advance(TimeSpan.FromSeconds(1.1));
        Assert.False(_stream.IsRunning);
        Assert.Equal(0, _feed.SinkCount);
        Assert.Equal(0, _stream.MemoryBytes);
        _feed.Dispose();
        Assert.Equal(_rentedBefore, PacketMemory.RentedBytes);
        Assert.Equal(1, _stream.Runs);
        Assert.True(_stream.Counters.Parts > 10);
    }

    [Fact]
    public async Task Viewers_that_wait_keep_it_running()
    {
        // A group of pictures of 12 s: a request waits for up to 36 s.
        _feed.LongestGop = TimeSpan.FromSeconds(12);
        ParsedPlaylist playlist = await StartAsync();
        Assert.Equal(12, playlist.TargetDuration);
        (long msn, int part) = Hinted(playlist);
        Task<PlaylistAnswer> waiting = _stream.GetMediaPlaylistAsync(msn, part, false).AsTask();
        Assert.Equal(1, _stream.ViewerCount);
        for (int i = 0; i < 35; i++)
            _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(_stream.IsRunning);
        Push(12);
        Assert.Equal(LiveStatus.Ok, (await waiting).Status);
        for (int i = 0; i < 31; i++)
            _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(_stream.IsRunning);
        Assert.Equal(0, _stream.ViewerCount);
    }

    [Fact]
    public async Task A_stream_that_starts_again_goes_on_behind_its_last_run()
    {
        await StartAsync();
        Push(300);
        ParsedPlaylist before = Parse(await _stream.GetMediaPlaylistAsync(null, null, false));
        long end = LastFragment(before.LastCompleteSequence).End;
        _stream.Stop();
        Push(100);
        ParsedPlaylist after = Parse(await _stream.GetMediaPlaylistAsync(null, null, false));
        Assert.True(after.MediaSequence > before.Segments[^1].Sequence);
        Assert.True(after.Segments[0].IsDiscontinuity);
        Assert.Equal("init-2.mp4", after.Segments[0].Map);
        Assert.True(LastFragment(after.MediaSequence).DecodeTime > end);
        Assert.Equal(2, _stream.Runs);
    }

    [Fact]
    public async Task Waiting_requests_are_answered_when_the_camera_is_removed()
    {
        ParsedPlaylist playlist = await StartAsync();
        (long msn, int part) = Hinted(playlist);
        Task<PlaylistAnswer> waiting = _stream.GetMediaPlaylistAsync(msn, part, false).AsTask();
        Task<MediaAnswer> hinted = _stream.GetPartAsync(msn, part).AsTask();
        _stream.Dispose();
        Assert.Equal(LiveStatus.Unavailable, (await waiting).Status);
        Assert.Equal(LiveStatus.Unavailable, (await hinted).Status);
        Assert.Throws<ObjectDisposedException>(_stream.EnsureStarted);
    }

    [Fact]
    public async Task A_viewer_who_leaves_stops_waiting()
    {
        ParsedPlaylist playlist = await StartAsync();
        (long msn, int part) = Hinted(playlist);
        using var gone = new CancellationTokenSource();
        Task<PlaylistAnswer> waiting = _stream.GetMediaPlaylistAsync(msn, part, false, gone.Token).AsTask();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Equal(0, _stream.ViewerCount);
    }

    [Fact]
    public async Task All_viewers_share_the_same_bytes()
    {
        ParsedPlaylist playlist = await StartAsync();
        (long msn, int part) = Hinted(playlist);
        Task<PlaylistAnswer>[] waiting = [.. Enumerable.Range(0, 50).Select(_ => _stream.GetMediaPlaylistAsync(msn, part, false).AsTask())];
        Assert.Equal(50, _stream.ViewerCount);
        Push(10);
        PlaylistAnswer[] answers = await Task.WhenAll(waiting);
        Assert.All(answers, answer => Assert.True(answer.Body.Equals(answers[0].Body)));
    }

    [Fact]
    public async Task Nothing_is_allocated_for_a_picture()
    {
        await StartAsync();
        Push(500);
        // 250 pictures are 32 parts and 5 segments; what they need is allowed, 250 times anything is not.
        var units = new List<AccessUnit>();
        for (int i = 0; i < 250; i++)
        {
            _source.MoveNext();
            units.Add(TestClip.Unit(_source.Current.Sample, _format, _source.Current.Shift));
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        foreach (AccessUnit unit in units)
            _feed.Push(unit);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.InRange(allocated, 0, 40 * 700);
    }

    [Fact]
    public async Task Viewers_and_pictures_may_come_from_many_threads()
    {
        await StartAsync();
        using var end = new CancellationTokenSource();
        Task[] viewers = [.. Enumerable.Range(0, 4).Select(number => Task.Run(() => WatchAsync(number)))];
        for (int i = 0; i < 3000; i++)
        {
            Push(1);
            if (i % 500 == 499)
                _stream.Stop();
            if (i % 10 == 0)
                await Task.Yield();
        }

        await end.CancelAsync();
        await Task.WhenAll(viewers);

        async Task WatchAsync(int number)
        {
            long last = 0;
            try
            {
                while (!end.IsCancellationRequested)
                {
                    PlaylistAnswer answer = await _stream.GetMediaPlaylistAsync(null, null, number == 0, end.Token);
                    if (answer.Status != LiveStatus.Ok)
                        continue;
                    ParsedPlaylist playlist = Parse(answer);
                    Assert.True(playlist.LastCompleteSequence >= last);
                    last = playlist.LastCompleteSequence;
                    (long msn, int part) = Hinted(playlist);
                    MediaAnswer media = await _stream.GetPartAsync(msn, part, end.Token);
                    if (media.Body is not null)
                    {
                        using (media.Body)
                            FragmentReader.Read(Bytes(media.Body));
                    }

                    using MediaBody? segment = _stream.TryGetSegment(last);
                    if (segment is not null)
                        FragmentReader.Read(Bytes(segment));
                }
            }
            catch (OperationCanceledException)
            {
                // The end of the test.
            }
        }
    }

    // One whole segment and nothing of the next.
    private async Task<ParsedPlaylist> StartAsync()
    {
        Push(51);
        return Parse(await _stream.GetMediaPlaylistAsync(null, null, false));
    }

    private void Push(int count)
    {
        for (int i = 0; i < count; i++)
        {
            _source.MoveNext();
            _feed.Push(TestClip.Unit(_source.Current.Sample, _format, _source.Current.Shift));
        }
    }

    private async Task TimeOutAsync(Task<PlaylistAnswer> waiting, int seconds)
    {
        _time.Advance(TimeSpan.FromSeconds(seconds - 0.1));
        Assert.False(waiting.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal(LiveStatus.Unavailable, (await waiting).Status);
    }

    private Fragment LastFragment(long sequence)
    {
        using MediaBody body = _stream.TryGetSegment(sequence)!;
        return FragmentReader.Read(Bytes(body))[^1];
    }

    private static (long Sequence, int Index) Hinted(ParsedPlaylist playlist)
    {
        Assert.True(MediaName.TryParse(playlist.Hint, out MediaName name));
        return (name.Number, name.Part);
    }

    private static byte[] Bytes(MediaBody body)
    {
        var writer = new ArrayBufferWriter<byte>();
        body.WriteTo(writer);
        Assert.Equal(body.TotalBytes, writer.WrittenCount);
        return writer.WrittenSpan.ToArray();
    }

    private static string Text(PlaylistAnswer answer)
    {
        Assert.Equal(LiveStatus.Ok, answer.Status);
        return Encoding.UTF8.GetString(answer.Body.Span);
    }

    private static ParsedPlaylist Parse(PlaylistAnswer answer) => ParsedPlaylist.Parse(Text(answer));
}
