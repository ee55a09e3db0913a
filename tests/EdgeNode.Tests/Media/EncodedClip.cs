using System.Globalization;
using System.Text.RegularExpressions;
using EdgeNode.Ingest.H264;
using EdgeNode.Tests.Ingest.H264;
using EdgeNode.Tests.Streaming;

namespace EdgeNode.Tests.Media;

/// <summary>A clip that FFmpeg encoded and multiplexed to MP4: its decoder configuration, and its samples as FFmpeg stamped them.</summary>
internal sealed partial class EncodedClip
{
    /// <summary>The payload of avcC or hvcC.</summary>
    public required byte[] DecoderConfiguration { get; set; }

    /// <summary>In decoding order: NAL units behind 4-byte lengths.</summary>
    public required IReadOnlyList<TestClip.Sample> Samples { get; init; }

    /// <summary>The NAL units of a sample.</summary>
    public static IEnumerable<byte[]> UnitsOf(byte[] sample)
    {
        for (int at = 0; at < sample.Length;)
        {
            int length = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(sample.AsSpan(at));
            yield return sample[(at + 4)..(at + 4 + length)];
            at += 4 + length;
        }
    }

    /// <summary>The parameter sets of the decoder configuration.</summary>
    public IEnumerable<byte[]> ParameterSets(bool hevc)
    {
        if (hevc)
        {
            var record = EdgeNode.Ingest.H265.DecoderConfigurationRecord.Read(DecoderConfiguration);
            return [.. record.VideoParameterSets, .. record.SequenceParameterSets, .. record.PictureParameterSets];
        }

        var avcc = EdgeNode.Ingest.H264.DecoderConfigurationRecord.Read(DecoderConfiguration);
        return [.. avcc.SequenceParameterSets, .. avcc.PictureParameterSets];
    }

    /// <summary>Takes the VUI out of an H.264 clip's SPS, as cameras have it that write none.</summary>
    public void RemoveVui()
    {
        (byte[] sps, byte[] pps) = (ParameterSets(false).First(), ParameterSets(false).Last());
        DecoderConfiguration = H264Format.FromParameterSets(SpsWithoutVui.Of(sps), pps).DecoderConfiguration;
    }

    /// <summary>Encodes moving synthetic pictures at 25 a second by libx264 or libx265.</summary>
    public static EncodedClip Make(string encoder, string parameters = "", int pictures = 60, int width = 192, int height = 108, string pixelFormat = "yuv420p", params string[] more)
    {
        using var folder = new TemporaryFolder();
        string file = folder.File("clip.mp4");
        bool hevc = encoder == "libx265";
        string name = hevc ? "-x265-params" : "-x264-params";
        string all = (hevc ? "log-level=none:pools=none:frame-threads=1" : "threads=1") + (parameters.Length > 0 ? ":" + parameters : "");
        FFmpegTool.Run(["-f", "lavfi", "-i", $"testsrc2=size={width}x{height}:rate=25", "-frames:v", $"{pictures}", "-c:v", encoder, "-preset", "ultrafast",
            "-pix_fmt", pixelFormat, name, all, .. hevc ? (string[])["-tag:v", "hvc1"] : [], .. more, "-video_track_timescale", "90000", "-bsf:v", "filter_units=remove_types=" + (hevc ? "35" : "9"), file]);
        return Read(file);
    }

    private static EncodedClip Read(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        int box = file.AsSpan().IndexOf("avcC"u8);
        if (box < 0)
            box = file.AsSpan().IndexOf("hvcC"u8);
        int size = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(box - 4));
        var samples = new List<TestClip.Sample>();
        string text = System.Text.Encoding.UTF8.GetString(Probe(path));
        foreach (Match packet in Line().Matches(text))
        {
            long Number(string group) => long.Parse(packet.Groups[group].Value, CultureInfo.InvariantCulture);
            int position = (int)Number("pos");
            samples.Add(new TestClip.Sample(file[position..(position + (int)Number("size"))], Number("dts"), Number("pts"), packet.Groups["flags"].Value.Contains('K')));
        }

        return new EncodedClip { DecoderConfiguration = file[(box + 4)..(box - 4 + size)], Samples = samples };
    }

    private static byte[] Probe(string path) =>
        System.Text.Encoding.UTF8.GetBytes(Tool.Run("ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "packet=pts,dts,size,pos,flags", "-of", "csv=p=0", path));

    [GeneratedRegex(@"(?<pts>-?\d+),(?<dts>-?\d+),(?<size>\d+),(?<pos>\d+),(?<flags>[A-Z_]+)")]
    private static partial Regex Line();
}
