namespace EdgeNode.IntegrationTests;

/// <summary>A viewer as simple as can be: reads the media playlist again and again.</summary>
internal sealed class LivePlaylist(HttpClient client, string viewUrl)
{
    private readonly TimeSpan _patience = TimeSpan.FromSeconds(90);
    private string _text = "";

    /// <summary>The highest media sequence number whose segment is complete; 0 before the first.</summary>
    public long LastSegment { get; private set; }

    public bool HasDiscontinuity => _text.Contains("#EXT-X-DISCONTINUITY\n", StringComparison.Ordinal);

    public async Task UntilAsync(Func<LivePlaylist, bool> condition)
    {
        using var limit = new CancellationTokenSource(_patience);
        while (true)
        {
            await ReadAsync(limit.Token);
            if (condition(this))
                return;
            if (limit.IsCancellationRequested)
                throw new TimeoutException($"The playlist never came to that:\n{_text}");
            await Task.Delay(100, CancellationToken.None);
        }
    }

    private async Task ReadAsync(CancellationToken cancel)
    {
        string index = await client.GetStringAsync(viewUrl, cancel);
        string media = index.Split('\n').First(l => l.Length > 0 && l[0] != '#');
        _text = await client.GetStringAsync(new Uri(new Uri(viewUrl), media), cancel);
        string[] lines = _text.Split('\n');
        long first = long.Parse(lines.First(l => l.StartsWith("#EXT-X-MEDIA-SEQUENCE:", StringComparison.Ordinal)).Split(':')[1]);
        LastSegment = first - 1 + lines.Count(l => l.Length > 0 && l[0] != '#');
    }
}
