using System.Diagnostics;
using EdgeNode.Decoding;

namespace EdgeNode.Tests.Faces;

/// <summary>A picture in plain 4:2:0, decoded by the ffmpeg command line program: a witness independent of the node's own decoder.</summary>
public sealed class RawPicture(byte[] data, int width, int height, bool fullRange)
{
    public int Width => width;

    public int Height => height;

    public byte[] Data => data;

    public int Bytes => BytesOf(width, height);

    public Yuv420View View
    {
        get
        {
            int chromaStride = (width + 1) / 2;
            int chroma = chromaStride * ((height + 1) / 2);
            return new Yuv420View
            {
                Width = width,
                Height = height,
                Y = data.AsSpan(0, width * height),
                Cb = data.AsSpan(width * height, chroma),
                Cr = data.AsSpan(width * height + chroma, chroma),
                LumaStride = width,
                ChromaStride = chromaStride,
                ChromaStep = 1,
                FullRange = fullRange,
                Matrix = ColorMatrix.Bt601,
            };
        }
    }

    public static RawPicture Photo(string path)
    {
        (int width, int height) = SizeOf(path);
        RawPicture picture = new(new byte[BytesOf(width, height)], width, height, fullRange: true);
        using Process ffmpeg = Start("ffmpeg", $"-v error -i \"{path}\" -frames:v 1 -pix_fmt yuvj420p -f rawvideo -");
        ffmpeg.StandardOutput.BaseStream.ReadExactly(picture.Data);
        ffmpeg.WaitForExit();
        return picture;
    }

    /// <summary>Every <paramref name="every"/>th picture of a film with its number, in one buffer that is written again for each.</summary>
    public static IEnumerable<(RawPicture Picture, int Number)> Film(string path, int every, int most = int.MaxValue)
    {
        (int width, int height) = SizeOf(path);
        RawPicture picture = new(new byte[BytesOf(width, height)], width, height, fullRange: false);
        using Process ffmpeg = Start("ffmpeg", $"-v error -i \"{path}\" -threads 1 -pix_fmt yuv420p -f rawvideo -");
        Stream stream = ffmpeg.StandardOutput.BaseStream;
        for (int number = 0; number < most && stream.ReadAtLeast(picture.Data, picture.Bytes, throwOnEndOfStream: false) == picture.Bytes; number++)
        {
            if (number % every == every - 1)
                yield return (picture, number);
        }
        if (!ffmpeg.HasExited)
            ffmpeg.Kill();
        ffmpeg.WaitForExit();
    }

    private static int BytesOf(int width, int height) => width * height + 2 * ((width + 1) / 2) * ((height + 1) / 2);

    private static (int Width, int Height) SizeOf(string path)
    {
        using Process ffprobe = Start("ffprobe", $"-v error -select_streams v:0 -show_entries stream=width,height -of csv=p=0 \"{path}\"");
        string[] size = ffprobe.StandardOutput.ReadToEnd().Trim().Split(',');
        ffprobe.WaitForExit();
        return (int.Parse(size[0]), int.Parse(size[1]));
    }

    private static Process Start(string program, string arguments) =>
        Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, UseShellExecute = false })!;
}
