using System.Buffers.Binary;
using EdgeNode.Decoding;
using EdgeNode.Native.Memory;
using EdgeNode.Tests.Media;

namespace EdgeNode.Tests.Decoding;

public sealed class StillImageTests : IDisposable
{
    private const int Width = 161;
    private const int Height = 95;
    private const string Smooth = "geq=r='40+X':g='250-2*Y':b='128+90*sin(X/40)*cos(Y/30)'";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("png", "rgb24")]
    [InlineData("png", "rgba")]
    [InlineData("png", "rgb48be")]
    [InlineData("png", "rgba64be")]
    [InlineData("png", "gray")]
    [InlineData("png", "gray16be")]
    [InlineData("png", "ya8")]
    [InlineData("png", "ya16be")]
    [InlineData("png", "monob")]
    [InlineData("jpg", "yuvj420p")]
    [InlineData("jpg", "yuvj422p")]
    [InlineData("jpg", "yuvj444p")]
    public void Colours_are_those_that_ffmpeg_shows(string kind, string pixelFormat)
    {
        // ffmpeg's scaler takes the last chroma column of an odd width from beyond the picture's edge when it comes from RGB.
        string crop = pixelFormat.StartsWith("rgb", StringComparison.Ordinal) ? $",crop={Width - 1}:{Height}" : "";
        string file = Make($"a.{kind}", $"{Smooth},format={pixelFormat}{crop}");

        var image = StillImage.Read(file);

        AssertLooksAlike(FFmpegTool.RawPictures(file, "yuvj420p"), image.View);
    }

    [Fact]
    public void Indexed_colours_are_those_that_ffmpeg_shows()
    {
        string blocks = Make("blocks.png", $"{Smooth},format=rgb24,scale=8:6:flags=neighbor,scale=160:96:flags=neighbor");
        string file = _folder.File("indexed.png");
        FFmpegTool.Run("-i", blocks, "-filter_complex", "split[a][b];[a]palettegen[p];[b][p]paletteuse=dither=none", "-frames:v", "1", file);

        var image = StillImage.Read(file);

        AssertLooksAlike(FFmpegTool.RawPictures(file, "yuvj420p"), image.View);
    }

    [Fact]
    public void A_photo_without_colour_has_neutral_chroma()
    {
        // 8×8, grey 12 * row + 14 * column: ffmpeg does not write JPEG files of one component.
        byte[] photo = Convert.FromBase64String(
            "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8XGBYUGBIUFRT/wAALCAAI"
            + "AAgBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAB//EABoQAAAHAAAAAAAAAAAAAAAAAAAHCCQ0QVH/2gAIAQEAAD8AHE/klGb5Q//Z");

        Yuv420View view = StillImage.Decode(photo, "photo").View;

        for (int i = 0; i < 64; i++)
            Assert.InRange(view.Y[i] - (12 * (i / 8) + 14 * (i % 8)), -3, 3);
        Assert.All(view.Cb.ToArray().Concat(view.Cr.ToArray()), chroma => Assert.Equal(128, chroma));
    }

    [Fact]
    public void Pure_colours_have_the_values_of_JFIF()
    {
        (string Color, int Y, int Cb, int Cr)[] colors = [("red", 76, 85, 255), ("lime", 150, 44, 21), ("blue", 29, 255, 107), ("white", 255, 128, 128), ("black", 0, 128, 128)];
        foreach ((string color, int y, int cb, int cr) in colors)
        {
            string file = _folder.File($"{color}.png");
            FFmpegTool.Run("-f", "lavfi", "-i", $"color={color}:size=3x3,format=rgb24", "-frames:v", "1", file);

            Yuv420View view = StillImage.Read(file).View;

            Assert.Equal((color, y, cb, cr), (color, view.Y[4], view.Cb[3], view.Cr[3]));
            Assert.True(view.FullRange);
            Assert.Equal(ColorMatrix.Bt601, view.Matrix);
        }
    }

    [Theory]
    [InlineData(1, "null")]
    [InlineData(2, "hflip")]
    [InlineData(3, "hflip,vflip")]
    [InlineData(4, "vflip")]
    [InlineData(5, "transpose=cclock_flip")]
    [InlineData(6, "transpose=clock")]
    [InlineData(7, "transpose=clock_flip")]
    [InlineData(8, "transpose=cclock")]
    public void A_photo_taken_sideways_is_turned_upright(ushort orientation, string filter)
    {
        string plain = Make("plain.jpg", $"{Smooth},crop=160:94,format=yuvj420p");
        byte[] photo = WithOrientation(File.ReadAllBytes(plain), orientation);
        byte[] expected = FFmpegTool.Run("-i", plain, "-vf", filter, "-f", "rawvideo", "-pix_fmt", "yuvj420p", "-");

        var image = StillImage.Decode(photo, "photo");

        Assert.Equal(orientation >= 5 ? (94, 160) : (160, 94), (image.Width, image.Height));
        Assert.Equal(expected, SoftwareDecoderTests.Pack(image.View));
    }

    [Fact]
    public void A_missing_photo_is_named() =>
        AssertRefused(_folder.File("none.jpg"), $"There is no file {_folder.File("none.jpg")}.");

    [Fact]
    public void A_folder_is_no_photo() => AssertRefused(_folder.Path, $"{_folder.Path} is a folder: name a JPEG or PNG photo.");

    [Fact]
    public void An_empty_file_is_no_photo()
    {
        string file = Write("empty.jpg", []);
        AssertRefused(file, $"{file} is empty.");
    }

    [Fact]
    public void Text_is_no_photo()
    {
        string file = Write("text.jpg", "no photo"u8.ToArray());
        AssertRefused(file, $"{file} is no JPEG or PNG photo.");
    }

    [Fact]
    public void A_photo_cut_off_in_its_header_is_no_photo()
    {
        string file = Write("cut.png", File.ReadAllBytes(Make("whole.png", $"{Smooth},format=rgb24"))[..20]);
        AssertRefused(file, $"{file} is no JPEG or PNG photo.");
    }

    [Fact]
    public void A_photo_whose_pixels_are_missing_is_broken()
    {
        string file = Write("cut.png", File.ReadAllBytes(Make("whole.png", $"{Smooth},format=rgb24"))[..60]);
        AssertRefused(file, $"{file} is broken: it cannot be decoded.");
    }

    [Fact]
    public void A_photo_that_states_too_many_pixels_is_refused_before_it_is_decoded()
    {
        byte[] bytes = File.ReadAllBytes(Make("whole.png", $"{Smooth},format=rgb24"));
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(16), 60_000);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(20), 60_000);
        string file = Write("large.png", bytes);
        AssertRefused(file, $"{file} is too large: 60000×60000, a photo has at most 50 million pixels.");
    }

    private static void AssertRefused(string file, string sentence) =>
        Assert.Equal(sentence, Assert.Throws<DecodeException>(() => StillImage.Read(file)).Message);

    // ffmpeg's scaler rounds in its own way and smooths the chroma of RGB pictures a little.
    private static void AssertLooksAlike(byte[] expected, Yuv420View view)
    {
        byte[] actual = SoftwareDecoderTests.Pack(view);
        Assert.Equal(expected.Length, actual.Length);
        int worst = 0;
        for (int i = 0; i < actual.Length; i++)
            worst = Math.Max(worst, Math.Abs(actual[i] - expected[i]));
        Assert.InRange(worst, 0, 3);
    }

    // An APP1 segment with a big-endian TIFF header and one entry behind SOI.
    private static byte[] WithOrientation(byte[] jpeg, ushort orientation)
    {
        byte[] app1 =
        [
            0xFF, 0xE1, 0, 34, .. "Exif\0\0MM\0*"u8, 0, 0, 0, 8, 0, 1,
            0x01, 0x12, 0, 3, 0, 0, 0, 1, (byte)(orientation >> 8), (byte)orientation, 0, 0, 0, 0, 0, 0,
        ];
        return [.. jpeg[..2], .. app1, .. jpeg[2..]];
    }

    private string Make(string name, string filter)
    {
        string file = _folder.File(name);
        FFmpegTool.Run("-f", "lavfi", "-i", $"color=black:size={Width}x{Height},format=gbrp,{filter}", "-frames:v", "1", "-q:v", "2", file);
        return file;
    }

    private string Write(string name, byte[] bytes)
    {
        File.WriteAllBytes(_folder.File(name), bytes);
        return _folder.File(name);
    }
}

[Collection("counts of the process")]
public sealed class StillImageMemoryTests
{
    [Fact]
    public void Packet_memory_comes_back_from_photos_good_and_bad()
    {
        byte[] photo = FFmpegTool.Run("-f", "lavfi", "-i", "testsrc2=size=64x48", "-frames:v", "1", "-f", "image2pipe", "-c:v", "png", "-");
        long before = PacketMemory.RentedBytes;

        Assert.Equal(64, StillImage.Decode(photo, "photo").Width);
        Assert.Throws<DecodeException>(() => StillImage.Decode(photo.AsSpan(0, 60), "photo"));

        Assert.Equal(before, PacketMemory.RentedBytes);
    }
}
