using System.CommandLine;
using System.Text.Json;
using EdgeNode.Faces;
using EdgeNode.Native.FFmpeg;

namespace EdgeNode.Commands;

/// <summary><c>edgenode version</c>: what this is, and the libraries in use.</summary>
internal static class VersionCommand
{
    public static Command Create()
    {
        Option<bool> json = CommonOptions.Json();
        var command = new Command("version", "Print the version, and those of FFmpeg and ONNX Runtime in use.") { json };
        command.SetAction(parsed =>
        {
            string[] parts = ProductVersion.Text.Split('+', 2);
            string ffmpeg = Ask(() => FFmpegLibrary.Version);
            string runtime = Ask(() => FaceModels.RuntimeVersion);
            var report = new VersionReport(parts[0], parts.Length > 1 ? parts[1] : null, ffmpeg, runtime);
            Console.WriteLine(parsed.GetValue(json)
                ? JsonSerializer.Serialize(report, CommandJson.Default.VersionReport)
                : $"edgenode {ProductVersion.Text}\nFFmpeg {ffmpeg}\nONNX Runtime {runtime}");
            return 0;
        });
        return command;
    }

    // A library that is missing is worth a word in a version, not the end of it.
    private static string Ask(Func<string> version)
    {
        try
        {
            return version();
        }
        catch (Exception fault) when (fault is FFmpegException or ModelPackException)
        {
            return fault.Message;
        }
    }
}

internal sealed record VersionReport(string Version, string? Commit, string Ffmpeg, string Onnxruntime);
