using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using EdgeNode.Cameras;
using EdgeNode.Configuration;
using EdgeNode.Decoding;
using EdgeNode.Events;
using EdgeNode.Faces;
using EdgeNode.Gallery;
using EdgeNode.Ingest;
using EdgeNode.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeNode.Commands;

/// <summary><c>edgenode analyze SOURCE</c>: the camera's own pipeline over a file, as fast as it goes, on media time, dropping nothing.</summary>
internal static class AnalyzeCommand
{
    public static Command Create()
    {
        var source = new Argument<string>("SOURCE") { Description = "A video file, or an http(s) or rtsp URL." };
        var gallery = new Option<string?>("--gallery") { Description = "Folder with a folder a person, with photos; default: who is enrolled.", HelpName = "FOLDER" };
        var fps = new Option<double?>("--fps") { Description = "Pictures a second to look at; default 10.", HelpName = "N" };
        Option<bool> json = CommonOptions.Json();
        Option<string?> config = CommonOptions.Config();
        var command = new Command("analyze", "Find, follow and name the faces of a film, and print their events.") { source, gallery, fps, json, config };
        command.SetAction((parsed, cancel) => Task.FromResult(Run(
            CommonOptions.ReadOrDefaults(parsed.GetValue(config)), parsed.GetRequiredValue(source), parsed.GetValue(gallery),
            parsed.GetValue(fps) ?? new AnalyticsSection().Fps, parsed.GetValue(json), cancel)));
        return command;
    }

    private static int Run(NodeConfiguration configuration, string source, string? galleryFolder, double fps, bool json, CancellationToken cancel)
    {
        if (fps is not (> 0 and <= 120))
            throw new CommandFailure(CommandFailure.WrongUsage, "--fps must be a number above 0, up to 120.");
        using Process process = Process.GetCurrentProcess();
        using IVideoSource film = CameraSources.OpenFilm(source, TimeProvider.System);
        using CancellationTokenRegistration abort = cancel.Register(film.Abort);
        film.Open();

        using FaceModels models = FaceModels.Load(CommonOptions.ModelFolder(configuration));
        using StateDatabase? database = galleryFolder is null && File.Exists(Path.Combine(configuration.Node.State, DeviceKey.FileName)) ? StateDatabase.Open(configuration.Node.State) : null;
        IdentityStore identities = galleryFolder is not null
            ? PhotoEnrolment.FromFolder(models, galleryFolder, TimeProvider.System, refusal => Console.Error.WriteLine($"edgenode: {refusal}"))
            : database is not null
                ? IdentityStore.Open(database, DeviceKey.LoadOrCreate(configuration.Node.State), NullLogger.Instance)
                : IdentityStore.InMemory([]);
        var recognition = new FaceRecognition(models, identities, configuration.Faces);
        DateTime startedAt = TimeProvider.System.GetUtcNow().UtcDateTime;
        var clock = new FilmClock(startedAt);
        using Stream output = Console.OpenStandardOutput();
        var counter = new EventPrinter(output, json);
        var origin = new EventOrigin(configuration.Node.Site, configuration.Node.Id, "analyze");
        FaceEventComposer composer = recognition.ComposeEvents(origin, configuration.Faces, clock, counter.Print);
        var pipeline = new FacePipeline(models, configuration.Faces.MinFacePx);
        using var analysis = new FaceAnalysis(pipeline, composer, fps, format => new SoftwareDecoder(format));

        long start = Stopwatch.GetTimestamp();
        long? firstPts = null;
        while (!cancel.IsCancellationRequested && film.Read() is { } unit)
        {
            if (unit.Audio is not null)
            {
                unit.Release();
                continue;
            }

            firstPts ??= unit.Pts;
            DateTime capturedAt = startedAt.AddSeconds((double)(unit.Pts - firstPts.Value) / AccessUnit.TicksPerSecond);
            clock.Now = capturedAt > clock.Now ? capturedAt : clock.Now;
            unit.Restamp(new AccessUnitTiming(unit.Dts, unit.Pts, capturedAt), unit.StartsTimeline);
            analysis.Feed(unit);
            unit.Release();
        }

        analysis.Finish();
        double wall = Stopwatch.GetElapsedTime(start).TotalSeconds;
        process.Refresh();
        double cpu = process.TotalProcessorTime.TotalSeconds;
        if (analysis.FramesDecoded == 0)
            throw new CommandFailure(CommandFailure.AtRunTime, $"{source}: no picture could be decoded.");
        var summary = new AnalyzeSummary(
            analysis.FramesDecoded, analysis.FramesAnalyzed, pipeline.Faces, counter.Tracks, counter.Events, Math.Round(wall, 3), Math.Round(cpu, 3),
            new AnalyzeStages(
                Math.Round(analysis.MeanDecodeMs, 3), Math.Round(models.DetectTime.MeanMilliseconds, 3),
                Math.Round(models.LandmarksTime.MeanMilliseconds, 3), Math.Round(models.EmbedTime.MeanMilliseconds, 3)),
            Math.Round(models.InsideRuntime.TotalSeconds, 3));
        counter.PrintSummary(summary);
        return cancel.IsCancellationRequested ? CommandFailure.AtRunTime : 0;
    }

    /// <summary>Writes events as they come: JSON for programs, or a line for people.</summary>
    private sealed class EventPrinter(Stream output, bool json)
    {
        private readonly HashSet<Guid> _tracks = [];

        public int Events { get; private set; }

        public int Tracks => _tracks.Count;

        public void Print(FaceEvent e, EventShot? shot)
        {
            Events++;
            _tracks.Add(e.EventId);
            if (json)
            {
                WriteLine(e.ToJson());
                return;
            }

            string who = e.Identity.Name ?? SnakeCase(e.Identity.Status);
            WriteLine(Encoding.UTF8.GetBytes(string.Create(
                CultureInfo.InvariantCulture,
                $"{e.UpdatedAt:HH:mm:ss.fff}  {SnakeCase(e.Phase),-8} {who}  similarity {e.Identity.Similarity ?? 0:0.00}  track {e.EventId.ToString()[^6..]}")));
        }

        public void PrintSummary(AnalyzeSummary summary)
        {
            WriteLine(json
                ? JsonSerializer.SerializeToUtf8Bytes(new AnalyzeReport(summary), CommandJson.Default.AnalyzeReport)
                : Encoding.UTF8.GetBytes(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{summary.Frames} frames, {summary.FramesAnalyzed} analysed, {summary.Tracks} tracks, {summary.Events} events; {summary.WallS:0.0} s, of CPU {summary.CpuS:0.0} s")));
            output.Flush();
        }

        private void WriteLine(ReadOnlySpan<byte> line)
        {
            output.Write(line);
            output.WriteByte((byte)'\n');
        }

        private static string SnakeCase<T>(T value)
            where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());
    }
}
