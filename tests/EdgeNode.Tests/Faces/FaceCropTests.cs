using EdgeNode.Decoding;
using EdgeNode.Faces;

namespace EdgeNode.Tests.Faces;

public sealed class FaceCropTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void The_face_is_in_the_middle_of_its_crop_with_as_much_around_it(int chromaStep)
    {
        // Dark and blue, with a bright, red face of 80 × 60 samples.
        StillImage crop = StillImage.Decode(FaceCrop.Encode(Picture(640, 360, chromaStep, 200, 100, 80, 60), Box(640, 360, 200, 100, 80, 60)), "crop");
        Assert.Equal((160, 160), (crop.Width, crop.Height));
        Assert.InRange(crop.View.Y[80 * 160 + 80], 190, 210);
        Assert.InRange(crop.View.Cr[40 * 80 + 40], 190, 210);
        Assert.InRange(crop.View.Y[80 * 160 + 5], 40, 60);
        Assert.InRange(crop.View.Cr[40 * 80 + 3], 90, 110);
        Assert.InRange(crop.View.Y[5 * 160 + 80], 40, 60);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(321, 201)]
    public void At_the_edge_of_the_picture_the_crop_ends_there(int x, int y)
    {
        StillImage crop = StillImage.Decode(FaceCrop.Encode(Picture(361, 241, 1, x, y, 40, 40), Box(361, 241, x, y, 40, 40)), "crop");
        Assert.InRange(crop.Width, 59, 62);
        Assert.InRange(crop.Height, 59, 62);
    }

    [Fact]
    public void A_face_beyond_the_picture_is_no_fault()
    {
        byte[] jpeg = FaceCrop.Encode(Picture(64, 48, 1, 0, 0, 1, 1), new BoundingBox(1.2f, -3, 0.01f, 0.01f));
        Assert.InRange(StillImage.Decode(jpeg, "crop").Width, 1, 2);
    }

    [Fact]
    public void A_large_face_of_noise_takes_64_KB_at_most()
    {
        byte[] noise = new byte[1920 * 1080 * 3 / 2];
        new Random(1).NextBytes(noise);
        byte[] jpeg = FaceCrop.Encode(View(noise, 1920, 1080, 1), new BoundingBox(0, 0, 1, 1));
        Assert.InRange(jpeg.Length, 1000, FaceCrop.BytesAtMost);
        Assert.Equal((480, 270), (StillImage.Decode(jpeg, "crop").Width, StillImage.Decode(jpeg, "crop").Height));
    }

    private static BoundingBox Box(int width, int height, int x, int y, int w, int h) => new((float)x / width, (float)y / height, (float)w / width, (float)h / height);

    private static Yuv420View Picture(int width, int height, int chromaStep, int x, int y, int w, int h)
    {
        int chromaWidth = (width + 1) / 2, chromaHeight = (height + 1) / 2;
        byte[] samples = new byte[width * height + 2 * chromaWidth * chromaHeight];
        samples.AsSpan(0, width * height).Fill(50);
        samples.AsSpan(width * height).Fill(100);
        for (int row = y; row < y + h; row++)
            samples.AsSpan(row * width + x, w).Fill(200);
        for (int row = y / 2; row < (y + h) / 2; row++)
        {
            for (int column = x / 2; column < (x + w) / 2; column++)
            {
                int at = row * chromaWidth + column;
                samples[width * height + (chromaStep == 2 ? 2 * at + 1 : chromaWidth * chromaHeight + at)] = 200;
            }
        }

        return View(samples, width, height, chromaStep);
    }

    private static Yuv420View View(byte[] samples, int width, int height, int chromaStep)
    {
        int chromaWidth = (width + 1) / 2, chromaHeight = (height + 1) / 2;
        int cr = chromaStep == 2 ? 1 : chromaWidth * chromaHeight;
        return new Yuv420View
        {
            Width = width,
            Height = height,
            Y = samples.AsSpan(0, width * height),
            Cb = samples.AsSpan(width * height),
            Cr = samples.AsSpan(width * height + cr),
            LumaStride = width,
            ChromaStride = chromaWidth * chromaStep,
            ChromaStep = chromaStep,
            FullRange = true,
            Matrix = ColorMatrix.Bt601,
        };
    }
}
