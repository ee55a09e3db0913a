using EdgeNode.Decoding;
using EdgeNode.Faces;

namespace EdgeNode.Tests.Faces;

/// <summary>The scaler against plain double arithmetic, sample by sample.</summary>
public sealed class PictureScalerTests
{
    // 8-bit weights, two roundings and a chroma gain of 2.02 in BT.601: four levels of 255 cover them.
    private const float Tolerance = 4f / 128;

    [Theory]
    [InlineData(360, 288, false)]
    [InlineData(320, 240, true)]
    [InlineData(640, 480, false)]
    [InlineData(1920, 1080, false)]
    [InlineData(361, 287, true)]
    [InlineData(97, 1203, false)]
    public void Whole_picture_equals_the_plain_reference(int width, int height, bool fullRange)
    {
        RawPicture picture = Noise(width, height, fullRange);
        float[] tensor = new float[3 * 320 * 240];
        new PictureScaler(320, 240, 127, 128).Fill(picture.View, BoundingBox.Whole, tensor);

        AssertEqualsReference(picture.View, BoundingBox.Whole, tensor);
    }

    [Theory]
    [InlineData(0.4f, 0, 0.6f, 0.6f)]
    [InlineData(0.25f, 0.125f, 0.1f, 0.15f)]
    public void Part_of_the_picture_equals_the_plain_reference(float x, float y, float width, float height)
    {
        RawPicture picture = Noise(800, 600, false);
        BoundingBox region = new(x, y, width, height);
        float[] tensor = new float[3 * 320 * 240];
        new PictureScaler(320, 240, 127, 128).Fill(picture.View, region, tensor);

        AssertEqualsReference(picture.View, region, tensor);
    }

    [Fact]
    public void Region_beyond_the_picture_is_mid_grey_outside_it()
    {
        RawPicture picture = Noise(320, 240, true);
        float[] tensor = new float[3 * 320 * 240];
        Array.Fill(tensor, 9);
        new PictureScaler(320, 240, 127, 128).Fill(picture.View, new BoundingBox(-0.5f, -0.5f, 2, 2), tensor);

        Assert.Equal(0, tensor[0]);
        Assert.Equal(0, tensor[(59 * 320) + 160]);
        Assert.Equal(0, tensor[(120 * 320) + 240]);
        Assert.NotEqual(0, tensor[(60 * 320) + 80]);
        Assert.NotEqual(0, tensor[(179 * 320) + 239]);
    }

    [Fact]
    public void Interleaved_chroma_gives_the_same_as_planar()
    {
        RawPicture planar = Noise(362, 290, false);
        int chromaWidth = 181, chromaHeight = 145;
        byte[] interleaved = new byte[2 * chromaWidth * chromaHeight];
        Yuv420View view = planar.View;
        for (int i = 0; i < chromaWidth * chromaHeight; i++)
        {
            interleaved[2 * i] = view.Cb[i];
            interleaved[2 * i + 1] = view.Cr[i];
        }
        Yuv420View nv12 = new()
        {
            Width = 362,
            Height = 290,
            Y = view.Y,
            Cb = interleaved,
            Cr = interleaved.AsSpan(1),
            LumaStride = 362,
            ChromaStride = 2 * chromaWidth,
            ChromaStep = 2,
            FullRange = false,
            Matrix = ColorMatrix.Bt601,
        };
        PictureScaler scaler = new(320, 240, 127, 128);
        float[] expected = new float[3 * 320 * 240];
        float[] actual = new float[3 * 320 * 240];
        scaler.Fill(view, BoundingBox.Whole, expected);
        scaler.Fill(nv12, BoundingBox.Whole, actual);

        Assert.Equal(expected, actual);
    }

    [Fact]
    public void Stripes_finer_than_the_target_are_averaged_not_aliased()
    {
        byte[] data = new byte[1280 * 720 * 3 / 2];
        Array.Fill(data, (byte)128);
        for (int i = 0; i < 1280 * 720; i++)
            data[i] = (byte)(i % 2 == 0 ? 0 : 255);
        float[] tensor = new float[3 * 320 * 240];
        new PictureScaler(320, 240, 127, 128).Fill(new RawPicture(data, 1280, 720, true).View, BoundingBox.Whole, tensor);

        Assert.All(tensor[..(320 * 240)], value => Assert.InRange(value, -0.02f, 0.02f));
    }

    private static RawPicture Noise(int width, int height, bool fullRange)
    {
        byte[] data = new byte[width * height + 2 * ((width + 1) / 2) * ((height + 1) / 2)];
        new Random(7).NextBytes(data);
        return new RawPicture(data, width, height, fullRange);
    }

    private static void AssertEqualsReference(Yuv420View picture, BoundingBox region, float[] tensor)
    {
        double gain = picture.FullRange ? 1 : 255.0 / 219, chromaGain = picture.FullRange ? 1 : 255.0 / 224, black = picture.FullRange ? 0 : 16;
        double ratioX = (double)region.Width * picture.Width / 320, ratioY = (double)region.Height * picture.Height / 240;
        double startX = (double)region.X * picture.Width, startY = (double)region.Y * picture.Height;
        int chromaWidth = (picture.Width + 1) / 2, chromaHeight = (picture.Height + 1) / 2;
        foreach ((int u, int v) in (ReadOnlySpan<(int, int)>)[(0, 0), (319, 239), (0, 239), (319, 0), (17, 33), (160, 120), (255, 101), (313, 8), (150, 231), (84, 199)])
        {
            double y = (Sample(picture.Y, picture.LumaStride, picture.Width, picture.Height, startX, startY, ratioX, ratioY, u, v) - black) * gain;
            double cb = (Sample(picture.Cb, picture.ChromaStride, chromaWidth, chromaHeight, startX / 2, startY / 2, ratioX, ratioY, u / 2, v / 2) - 128) * chromaGain;
            double cr = (Sample(picture.Cr, picture.ChromaStride, chromaWidth, chromaHeight, startX / 2, startY / 2, ratioX, ratioY, u / 2, v / 2) - 128) * chromaGain;
            double[] expected = [y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb];
            for (int c = 0; c < 3; c++)
            {
                double wanted = (Math.Clamp(expected[c], 0, 255) - 127) / 128;
                float actual = tensor[(c * 240 + v) * 320 + u];
                Assert.True(Math.Abs(wanted - actual) <= Tolerance, $"channel {c} at {u},{v}: {actual} instead of {wanted}");
            }
        }
    }

    private static double Sample(ReadOnlySpan<byte> plane, int stride, int width, int height, double startX, double startY, double ratioX, double ratioY, int u, int v)
    {
        double sum = 0;
        foreach ((int row, double rowWeight) in Weights(height, startY, ratioY, v))
        {
            foreach ((int column, double weight) in Weights(width, startX, ratioX, u))
                sum += rowWeight * weight * plane[row * stride + column];
        }
        return sum;
    }

    private static List<(int Index, double Weight)> Weights(int length, double start, double ratio, int target)
    {
        double from = start + target * ratio;
        if (ratio <= 2)
        {
            double centre = Math.Clamp(from + ratio / 2 - 0.5, 0, length - 1);
            int first = Math.Min((int)centre, length - 2);
            return [(first, 1 - (centre - first)), (first + 1, centre - first)];
        }
        List<(int, double)> weights = [];
        double to = Math.Min(from + ratio, length);
        for (int i = (int)from; i < to; i++)
            weights.Add((i, (Math.Min(i + 1, to) - Math.Max(i, from)) / (to - from)));
        return weights;
    }
}
