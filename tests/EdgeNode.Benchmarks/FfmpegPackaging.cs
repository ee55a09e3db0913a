namespace EdgeNode.Benchmarks;

/// <summary>One FFmpeg a camera, copying to fMP4 HLS.</summary>
internal sealed class FfmpegPackaging : IPackaging
{
    private readonly MeasuredProcess[] _processes;
    private readonly string[] _playlists;

    private FfmpegPackaging(MeasuredProcess[] processes, string[] playlists)
    {
        _processes = processes;
        _playlists = playlists;
    }

    public IReadOnlyCollection<MeasuredProcess> Processes => _processes;

    public static async Task<IPackaging> StartAsync(BenchmarkSettings settings, RtspCameras cameras, int count, string folder)
    {
        string[] playlists = [.. Enumerable.Range(0, count).Select(camera => Path.Combine(Directory.CreateDirectory(Path.Combine(folder, $"cam{camera}")).FullName, "index.m3u8"))];
        FfmpegPackaging packaging = new([.. playlists.Select((playlist, camera) => new MeasuredProcess(playlist + ".log", "ffmpeg",
            "-nostdin", "-v", "error", "-rtsp_transport", "tcp", "-i", cameras.Url(camera), "-c", "copy",
            "-f", "hls", "-hls_segment_type", "fmp4", "-hls_time", "2", "-hls_list_size", "6", "-hls_flags", "delete_segments", playlist))], playlists);
        try
        {
            for (int camera = 0; camera < count; camera++)
            {
                string playlist = playlists[camera];
                await Wait.UntilAsync($"FFmpeg's first segment of camera {camera}", packaging._processes[camera], () => Task.FromResult(File.Exists(playlist)));
            }

            return packaging;
        }
        catch
        {
            packaging.Dispose();
            throw;
        }
    }

    public Task<string[]> ProgressAsync() => Task.WhenAll(_playlists.Select(playlist => File.ReadAllTextAsync(playlist)));

    public void Dispose()
    {
        foreach (MeasuredProcess process in _processes)
            process.Dispose();
    }
}
