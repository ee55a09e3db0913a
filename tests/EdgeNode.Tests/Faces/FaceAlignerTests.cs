using System.Numerics;
using EdgeNode.Faces;

namespace EdgeNode.Tests.Faces;

public sealed class FaceAlignerTests
{
    [Fact]
    public void Fit_finds_the_transform_that_made_the_points()
    {
        SimilarityTransform made = new(0.6, -0.3, 12, -7);
        Vector2[] source = [new(10, 20), new(80, 25), new(44, 60), new(20, 90), new(70, 95)];
        Vector2[] target = Array.ConvertAll(source, p => new Vector2((float)(0.6 * p.X + 0.3 * p.Y + 12), (float)(-0.3 * p.X + 0.6 * p.Y - 7)));

        SimilarityTransform found = SimilarityTransform.Fit(source, target);

        Assert.Equal(made.A, found.A, 5);
        Assert.Equal(made.B, found.B, 5);
        Assert.Equal(made.X, found.X, 3);
        Assert.Equal(made.Y, found.Y, 3);
        SimilarityTransform there = found.Inverse();
        Assert.Equal(source[2].X, there.A * target[2].X - there.B * target[2].Y + there.X, 3);
        Assert.Equal(source[2].Y, there.B * target[2].X + there.A * target[2].Y + there.Y, 3);
    }

    /// <summary>numpy's Umeyama with the singular value decomposition gave these for points that no similarity maps exactly.</summary>
    [Fact]
    public void Fit_equals_umeyama_for_points_that_fit_only_roughly()
    {
        Vector2[] source = [new(30, 40), new(75, 44), new(50, 66), new(36, 85), new(68, 90)];
        Vector2[] target = [new(38.2946f, 51.6963f), new(73.5318f, 51.5014f), new(56.0252f, 71.7366f), new(41.5493f, 92.3655f), new(70.7299f, 92.2041f)];

        SimilarityTransform found = SimilarityTransform.Fit(source, target);

        Assert.Equal(0.8588786, found.A, 5);
        Assert.Equal(-0.0498970, found.B, 5);
        Assert.Equal(8.2929406, found.X, 3);
        Assert.Equal(18.6583342, found.Y, 3);
    }

    [Fact]
    public void Points_of_a_turned_and_enlarged_face_land_where_arcface_was_trained_with_them()
    {
        // A dark picture with a bright dot on each eye, the face turned by a quarter and three times the size.
        const int Side = 480;
        byte[] data = new byte[Side * Side * 3 / 2];
        Array.Fill(data, (byte)128, Side * Side, Side * Side / 2);
        static Vector2 Turn(float x, float y) => new(400 - 3 * y, 30 + 3 * x);
        FivePoints points = new(Turn(38.2946f, 51.6963f), Turn(73.5318f, 51.5014f), Turn(56.0252f, 71.7366f), Turn(41.5493f, 92.3655f), Turn(70.7299f, 92.2041f));
        foreach (Vector2 eye in (Vector2[])[points.LeftEye, points.RightEye])
        {
            for (int y = -6; y <= 6; y++)
                data.AsSpan(((int)eye.Y + y) * Side + (int)eye.X - 6, 13).Fill(255);
        }
        float[] tensor = new float[3 * 112 * 112];
        FaceAligner aligner = new(112, 127.5f, 128);

        Assert.True(aligner.Align(new RawPicture(data, Side, Side, true).View, points, tensor));

        Assert.True(aligner.Luma[52 * 112 + 38] > 200);
        Assert.True(aligner.Luma[52 * 112 + 74] > 200);
        Assert.True(aligner.Luma[72 * 112 + 56] < 20);
        Assert.True(tensor[52 * 112 + 38] > 0.7f);
        Assert.Equal(-127.5f / 128, tensor[72 * 112 + 56], 3);
    }

    [Fact]
    public void What_lies_outside_the_picture_is_black()
    {
        byte[] data = new byte[100 * 100 * 3 / 2];
        Array.Fill(data, (byte)235, 0, 100 * 100);
        Array.Fill(data, (byte)128, 100 * 100, 100 * 100 / 2);
        FivePoints points = new(new(-2, 11), new(34, 11), new(16, 31), new(1, 52), new(31, 52));
        FaceAligner aligner = new(112, 127.5f, 128);

        Assert.True(aligner.Align(new RawPicture(data, 100, 100, false).View, points, new float[3 * 112 * 112]));

        Assert.Equal(0, aligner.Luma[0]);
        Assert.Equal(255, aligner.Luma[80 * 112 + 80]);
    }

    [Fact]
    public void Points_in_one_place_are_no_face()
    {
        byte[] data = new byte[64 * 64 * 3 / 2];
        Vector2 same = new(20, 20);

        Assert.False(new FaceAligner(112, 127.5f, 128).Align(new RawPicture(data, 64, 64, true).View, new FivePoints(same, same, same, same, same), new float[3 * 112 * 112]));
    }
}
