using System.Globalization;

namespace EdgeNode.Benchmarks;

/// <summary>N cameras packaged as HLS: by one edgenode process, and by N times FFmpeg, from the same RTSP server.</summary>
internal static class PackagingBenchmark
{
    private const int CamerasOfTheGoal = 16;
    private const double CpuGoal = 0.4;
    private const double MemoryGoal = 0.1;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(5);

    public static async Task RunAsync(BenchmarkSettings settings)
    {
        Console.WriteLine($"""

            Packaging 1080p30 H.264 (4 Mbit/s, GOP 2 s) from RTSP over TCP to fMP4 HLS, {settings.Window.TotalSeconds:0} s after {WarmUp.TotalSeconds:0} s of warm-up.
            One edgenode with a viewer on each camera (Low-Latency HLS), against one 'ffmpeg -c copy -f hls' a camera.
            CPU in percent of one core. Memory in MB, proportional (PSS: shared pages shared out) and resident (RSS). edgenode's
            segments are in its memory; FFmpeg's are in files, which are counted for themselves.

            | cameras | CPU edgenode | CPU ffmpeg | PSS edgenode | PSS ffmpeg | RSS edgenode | RSS ffmpeg | files edgenode | files ffmpeg | CPU ratio | PSS ratio | RSS ratio |
            | ------: | -----------: | ---------: | -----------: | ---------: | -----------: | ---------: | -------------: | -----------: | --------: | --------: | --------: |
            """);
        foreach (int cameras in settings.Cameras)
        {
            Usage ours = await MeasureAsync(settings, cameras, EdgeNodePackaging.StartAsync);
            Usage theirs = await MeasureAsync(settings, cameras, FfmpegPackaging.StartAsync);
            double cpu = ours.Cores / theirs.Cores;
            double proportional = (double)ours.Proportional / theirs.Proportional, resident = (double)ours.Resident / theirs.Resident;
            bool judged = cameras == CamerasOfTheGoal;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {cameras} | {ours.Cores:0.00 %} | {theirs.Cores:0.00 %} | {Megabytes(ours.Proportional)} | {Megabytes(theirs.Proportional)} | {Megabytes(ours.Resident)} | {Megabytes(theirs.Resident)} | {Megabytes(ours.Files)} | {Megabytes(theirs.Files)} | {Ratio(cpu, judged, CpuGoal)} | {Ratio(proportional, judged, MemoryGoal)} | {Ratio(resident, judged, MemoryGoal)} |"));
        }
    }

    private static async Task<Usage> MeasureAsync(BenchmarkSettings settings, int cameras, Func<BenchmarkSettings, RtspCameras, int, string, Task<IPackaging>> start)
    {
        // In memory, so that FFmpeg's segments cost it no disk: edgenode writes none.
        string folder = Directory.CreateDirectory($"/dev/shm/edgenode-bench-{Environment.ProcessId}").FullName;
        try
        {
            using RtspCameras server = await RtspCameras.StartAsync(settings, folder, cameras);
            using IPackaging packaging = await start(settings, server, cameras, folder);
            await Task.Delay(WarmUp);
            string[] before = await packaging.ProgressAsync();
            Usage usage = await Usage.MeasureAsync(packaging.Processes, new(folder), settings.Window);
            string[] after = await packaging.ProgressAsync();
            for (int camera = 0; camera < cameras; camera++)
            {
                if (before[camera] == after[camera])
                    throw new BenchmarkException($"Camera {camera} of {cameras} brought no new segment within the window, so the numbers would say nothing.");
            }

            return usage;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Ratio(double ratio, bool judged, double goal)
        => judged ? Goal.Judge(ratio, goal) : ratio.ToString("0.000", CultureInfo.InvariantCulture);

    private static string Megabytes(long bytes) => (bytes / 1e6).ToString("0.0", CultureInfo.InvariantCulture);
}
