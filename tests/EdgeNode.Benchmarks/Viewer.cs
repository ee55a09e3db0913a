namespace EdgeNode.Benchmarks;

/// <summary>Asks for a camera's playlist once a second, as an HLS player does; where it names renditions, for the first one's.</summary>
internal sealed class Viewer : IDisposable
{
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(10) };
    private readonly CancellationTokenSource _end = new();
    private readonly Task _watching;
    private volatile string _playlist = "";

    public Viewer(Uri url) => _watching = WatchAsync(url);

    /// <summary>The newest media playlist; empty before the first.</summary>
    public string Playlist => _playlist;

    public bool HasSegment => _playlist.Contains("#EXTINF", StringComparison.Ordinal);

    public void Dispose()
    {
        _end.Cancel();
        _watching.GetAwaiter().GetResult();
        _client.Dispose();
        _end.Dispose();
    }

    private async Task WatchAsync(Uri url)
    {
        using PeriodicTimer second = new(TimeSpan.FromSeconds(1));
        try
        {
            do
            {
                try
                {
                    string text = await _client.GetStringAsync(url, _end.Token);
                    if (text.Contains("#EXT-X-STREAM-INF", StringComparison.Ordinal))
                        url = new(url, text.Split('\n').First(line => line.Length > 0 && line[0] != '#').Trim());
                    else
                        _playlist = text;
                }
                catch (HttpRequestException)
                {
                    // Not ready yet, or gone: the benchmark sees that no segment comes.
                }
            }
            while (await second.WaitForNextTickAsync(_end.Token));
        }
        catch (OperationCanceledException)
        {
            // The end, or a playlist that did not come within the time-out: no segment comes then either.
        }
    }
}
