namespace EdgeNode.Benchmarks;

/// <summary>One edgenode for all cameras, with a viewer on each: without one it packages nothing.</summary>
internal sealed class EdgeNodePackaging : IPackaging
{
    private readonly EdgeNodeRun _node;
    private readonly Viewer[] _viewers;

    private EdgeNodePackaging(EdgeNodeRun node, Viewer[] viewers)
    {
        _node = node;
        _viewers = viewers;
    }

    public IReadOnlyCollection<MeasuredProcess> Processes => [_node.Process];

    public static async Task<IPackaging> StartAsync(BenchmarkSettings settings, RtspCameras cameras, int count, string folder)
    {
        List<Viewer> viewers = [];
        EdgeNodeRun node = await EdgeNodeRun.StartAsync(settings, cameras, count, folder);
        try
        {
            string token = await node.TokenAsync();
            for (int camera = 0; camera < count; camera++)
                viewers.Add(new(new(node.Address, $"live/{token}/cam{camera}/index.m3u8")));
            foreach (Viewer viewer in viewers)
                await Wait.UntilAsync("edgenode's first segment", node.Process, () => Task.FromResult(viewer.HasSegment));
            return new EdgeNodePackaging(node, [.. viewers]);
        }
        catch
        {
            viewers.ForEach(viewer => viewer.Dispose());
            node.Dispose();
            throw;
        }
    }

    public Task<string[]> ProgressAsync() => Task.FromResult<string[]>([.. _viewers.Select(viewer => viewer.Playlist)]);

    public void Dispose()
    {
        foreach (Viewer viewer in _viewers)
            viewer.Dispose();
        _node.Dispose();
    }
}
