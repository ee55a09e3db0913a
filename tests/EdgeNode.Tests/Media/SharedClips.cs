namespace EdgeNode.Tests.Media;

/// <summary>Small H.264 clips with moving synthetic pictures, made once for the classes that read them.</summary>
public sealed class SharedClips : IDisposable
{
    public const int Width = 322;
    public const int Height = 178;
    public const int Pictures = 75;
    public const int Rate = 25;
    public const int Gop = 25;

    private readonly TemporaryFolder _folder = new();
    private readonly Lock _lock = new();

    /// <summary>I and P pictures only, MP4.</summary>
    public string WithoutBFrames => Make("plain.mp4", "-bf", "0");

    /// <summary>Three B-frames between P pictures, MP4.</summary>
    public string WithBFrames => Make("b.mp4", "-bf", "3", "-x264-params", "b-adapt=0:b-pyramid=none:scenecut=0");

    /// <summary>The plain clip in another container, not encoded anew.</summary>
    public string Remuxed(string name, string? source = null, params string[] options)
    {
        source ??= WithoutBFrames;
        string file = _folder.File(name);
        lock (_lock)
        {
            if (!File.Exists(file))
                FFmpegTool.Run(["-i", source, "-c", "copy", .. options, file]);
        }

        return file;
    }

    /// <summary>The plain clip with a tone of 3 s beside it, encoded as the options say.</summary>
    public string WithAudio(string name, params string[] options)
    {
        string plain = WithoutBFrames;
        string file = _folder.File(name);
        lock (_lock)
        {
            if (!File.Exists(file))
            {
                FFmpegTool.Run([
                    "-i", plain, "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=3",
                    "-map", "0:v", "-map", "1:a", "-c:v", "copy", .. options, file]);
            }
        }

        return file;
    }

    /// <summary>The same pictures in H.265, with B-frames.</summary>
    public string MakeH265(string name) => Make(name, "-c:v", "libx265", "-preset", "ultrafast", "-bf", "2", "-x265-params", $"log-level=error:keyint={Gop}:min-keyint={Gop}:scenecut=0:open-gop=0", "-tag:v", "hvc1");

    public string Make(string name, params string[] options)
    {
        string file = _folder.File(name);
        lock (_lock)
        {
            if (!File.Exists(file))
            {
                FFmpegTool.Run([
                    "-f", "lavfi", "-i", $"testsrc2=size={Width}x{Height}:rate={Rate}", "-frames:v", $"{Pictures}",
                    "-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "veryfast", "-g", $"{Gop}", .. options, file]);
            }
        }

        return file;
    }

    public string Path(string name) => _folder.File(name);

    public void Dispose() => _folder.Dispose();
}

[CollectionDefinition("clips")]
public sealed class ClipsCollection : ICollectionFixture<SharedClips>;

/// <summary>Tests that count something of the whole process run while no others do.</summary>
[CollectionDefinition("counts of the process", DisableParallelization = true)]
public sealed class ProcessCountsCollection : ICollectionFixture<SharedClips>;
