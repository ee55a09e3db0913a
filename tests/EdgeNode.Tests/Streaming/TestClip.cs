using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using EdgeNode.Ingest;
using EdgeNode.Native.Memory;

namespace EdgeNode.Tests.Streaming;

/// <summary>A short H.264 clip made by FFmpeg, as samples: bytes behind 4-byte lengths with their times in 90 kHz ticks.</summary>
internal sealed class TestClip
{
    public static readonly DateTime Epoch = new(2026, 3, 1, 12, 0, 0, DateTimeKind.Utc);

    private static readonly ConcurrentDictionary<string, Lazy<TestClip>> Made = new();

    public required IReadOnlyList<Sample> Samples { get; init; }

    public required byte[] DecoderConfiguration { get; init; }

    public required int Width { get; init; }

    public required int Height { get; init; }

    /// <summary>Duration of the clip in ticks.</summary>
    public required long Length { get; init; }

    public static TestClip Make(string fps = "25", int gop = 50, int bFrames = 0, double seconds = 8, int width = 192, int height = 108) =>
        Made.GetOrAdd($"{fps} {gop} {bFrames} {seconds} {width}x{height}", _ => new Lazy<TestClip>(() => Encode(fps, gop, bFrames, seconds, width, height))).Value;

    public VideoFormat NewFormat() => new()
    {
        Codec = VideoCodec.H264,
        Width = Width,
        Height = Height,
        DecoderConfiguration = DecoderConfiguration,
        CodecString = $"avc1.{Convert.ToHexStringLower(DecoderConfiguration.AsSpan(1, 3))}",
    };

    /// <summary>A unit with the sample's bytes; the caller holds the reference.</summary>
    public static AccessUnit Unit(Sample sample, VideoFormat format, long shift = 0, AccessUnitFlags more = AccessUnitFlags.None, DateTime? capturedAt = null)
    {
        PacketMemory memory = PacketMemory.Rent(sample.Bytes.Length);
        sample.Bytes.CopyTo(memory.Span);
        DateTime captured = capturedAt ?? Epoch.AddSeconds((sample.Dts + shift) / 90000.0);
        AccessUnitFlags flags = (sample.IsKey ? AccessUnitFlags.Key : AccessUnitFlags.None) |
                                ((sample.Bytes[4] & 0x60) != 0 ? AccessUnitFlags.Reference : AccessUnitFlags.None) | more;
        return AccessUnit.Create(memory, sample.Bytes.Length, format, new AccessUnitTiming(sample.Dts + shift, sample.Pts + shift, captured), flags);
    }

    /// <summary>The clip over and over, as (sample, shift).</summary>
    public IEnumerable<(Sample Sample, long Shift)> Loop()
    {
        for (long shift = 0; ; shift += Length)
        {
            foreach (Sample sample in Samples)
                yield return (sample, shift);
        }
    }

    private static TestClip Encode(string fps, int gop, int bFrames, double seconds, int width, int height)
    {
        string path = Path.Combine(Path.GetTempPath(), $"edgenode-clip-{Guid.NewGuid():N}.mp4");
        try
        {
            Tool.Run("ffmpeg", "-v", "error", "-f", "lavfi", "-i",
                string.Create(CultureInfo.InvariantCulture, $"testsrc2=size={width}x{height}:rate={fps}:duration={seconds}"),
                "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-threads", "1", "-g", $"{gop}", "-keyint_min", $"{gop}",
                "-sc_threshold", "0", "-bf", $"{bFrames}", "-video_track_timescale", "90000", path);
            byte[] file = File.ReadAllBytes(path);
            int avcc = file.AsSpan().IndexOf("avcC"u8);
            int size = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(avcc - 4));
            var samples = new List<Sample>();
            long end = 0;
            foreach (string line in Tool.Run("ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "packet=pts,dts,duration,size,pos,flags", "-of", "csv=p=0", path)
                         .Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                string[] fields = line.Trim().Split(',');
                long pts = long.Parse(fields[0], CultureInfo.InvariantCulture);
                long dts = long.Parse(fields[1], CultureInfo.InvariantCulture);
                long duration = long.Parse(fields[2], CultureInfo.InvariantCulture);
                int bytes = int.Parse(fields[3], CultureInfo.InvariantCulture);
                int position = int.Parse(fields[4], CultureInfo.InvariantCulture);
                samples.Add(new Sample(file[position..(position + bytes)], dts, pts, fields[5].Contains('K')));
                end = dts + duration;
            }

            return new TestClip
            {
                Samples = samples,
                DecoderConfiguration = file[(avcc + 4)..(avcc - 4 + size)],
                Width = width,
                Height = height,
                Length = end - samples[0].Dts,
            };
        }
        finally
        {
            File.Delete(path);
        }
    }

    internal sealed record Sample(byte[] Bytes, long Dts, long Pts, bool IsKey);
}

/// <summary>Runs a command line program to its end.</summary>
internal static class Tool
{
    /// <summary>Its standard output; anything on standard error or an exit code fails the test.</summary>
    public static string Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0 && errors.Result.Length == 0, $"{program} exited with {process.ExitCode}: {errors.Result}");
        return output;
    }
}
