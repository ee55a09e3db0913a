using EdgeNode.Decoding;

namespace EdgeNode.Tests.Decoding;

public sealed class JpegPictureTests
{
    // Luma and chroma of pure red, 8 bits: BT.709 and BT.601 limited range, and what JFIF has for it.
    [Theory]
    [InlineData(ColorMatrix.Bt709, 63, 102, 240)]
    [InlineData(ColorMatrix.Bt601, 81, 90, 240)]
    public void Colours_are_those_of_the_picture(ColorMatrix matrix, int y, int cb, int cr)
    {
        StillImage jpeg = Encode(33, 17, matrix, (byte)y, (byte)cb, (byte)cr, sideAtMost: 1000);
        Assert.Equal((33, 17), (jpeg.Width, jpeg.Height));
        Assert.InRange(jpeg.View.Y[0], 74, 78);
        Assert.InRange(jpeg.View.Cb[0], 83, 87);
        Assert.InRange(jpeg.View.Cr[0], 252, 255);
    }

    [Fact]
    public void A_large_picture_is_made_smaller()
    {
        StillImage jpeg = Encode(642, 360, ColorMatrix.Bt601, 126, 128, 128, sideAtMost: 300);
        Assert.Equal((214, 120), (jpeg.Width, jpeg.Height));
        Assert.InRange(jpeg.View.Y[^1], 126, 130);
    }

    private static StillImage Encode(int width, int height, ColorMatrix matrix, byte y, byte cb, byte cr, int sideAtMost)
    {
        int chromaWidth = (width + 1) / 2;
        byte[] luma = new byte[width * height];
        byte[] blue = new byte[chromaWidth * ((height + 1) / 2)];
        byte[] red = new byte[blue.Length];
        luma.AsSpan().Fill(y);
        blue.AsSpan().Fill(cb);
        red.AsSpan().Fill(cr);
        byte[] file = JpegPicture.Encode(
            new Yuv420View { Width = width, Height = height, Y = luma, Cb = blue, Cr = red, LumaStride = width, ChromaStride = chromaWidth, ChromaStep = 1, FullRange = false, Matrix = matrix },
            sideAtMost,
            1 << 20);
        return StillImage.Decode(file, "picture");
    }
}
