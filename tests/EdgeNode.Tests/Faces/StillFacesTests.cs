using System.Numerics.Tensors;
using EdgeNode.Faces;

namespace EdgeNode.Tests.Faces;

/// <summary>Real photos through detection, landmarks, alignment and embedding.</summary>
[Collection(ModelsCollection.Name)]
public sealed class StillFacesTests(ModelsFixture fixture)
{
    [SkippableFact]
    public void Boxes_and_embeddings_agree_with_opencv()
    {
        FaceModels models = fixture.Require();
        foreach (OpenCvReference reference in OpenCvReference.All)
        {
            StillFace face = Assert.Single(Analyze(models, FaceMedia.Require(reference.Photo)));

            float overlap = face.Box.IntersectionOverUnion(reference.Box);
            Assert.True(overlap > 0.9f, $"{reference.Photo}: IoU {overlap}");
            float cosine = reference.Cosine(face.Embedding!);
            Assert.True(cosine >= 0.97f, $"{reference.Photo}: cosine {cosine}");
        }
    }

    [SkippableFact]
    public void Portraits_of_one_person_are_alike_and_of_two_are_not()
    {
        FaceModels models = fixture.Require();
        (string Person, string Photo)[] portraits =
        [
            ("franck", "franck_01829.jpg"), ("franck", "franck_02683.jpg"), ("franck", "franck_04000.jpg"), ("franck", "clmtrackr02.jpg"),
            ("cage", "cage.jpg"), ("cage", "cage2_crop.jpg"), ("audrey", "audrey.jpg"), ("audrey", "audrey_crop.jpg"),
            ("bieber", "bieber_small.jpg"), ("bieber", "Justin-Bieber2_crop.jpg"),
            ("connery", "SeanConnery.jpg"), ("murray", "bill-murray-snl_crop.jpg"), ("norris", "chuck_crop.jpg"), ("clooney", "fragrance-George-Clooney-main_crop.jpg"),
            ("kim", "kim1_crop.jpg"), ("queen", "queen20_crop.jpg"), ("rihanna", "ri_1_crop.jpg"), ("walter", "walter2_crop.jpg"), ("obama", "obama4_crop.jpg"),
        ];
        (string Person, string Photo, float[] Embedding)[] faces =
            Array.ConvertAll(portraits, p => (p.Person, p.Photo, Assert.Single(Analyze(models, FaceMedia.Require(p.Photo))).Embedding!));
        AssertTold(models, faces);
    }

    [SkippableFact]
    public void Two_presidents_are_told_apart_alone_and_together()
    {
        FaceModels models = fixture.Require();
        List<(string, string, float[])> faces = [];
        foreach ((string person, string photo) in ((string, string)[])[("obama", "obama.jpg"), ("obama", "obama2.jpg"), ("biden", "biden.jpg"), ("biden", "biden2.jpg")])
            faces.Add((person, photo, Analyze(models, FaceMedia.RequireShared(photo))[0].Embedding!));
        List<StillFace> two = [.. Analyze(models, FaceMedia.RequireShared("two_people.jpg")).OrderBy(f => f.Box.X)];
        faces.Add(("obama", "two_people.jpg", two[0].Embedding!));
        faces.Add(("biden", "two_people.jpg", two[1].Embedding!));
        List<StillFace> together = [.. Analyze(models, FaceMedia.RequireShared("obama_and_biden.jpg")).OrderBy(f => f.Box.X)];
        faces.Add(("biden", "obama_and_biden.jpg", together[0].Embedding!));
        faces.Add(("obama", "obama_and_biden.jpg", together[1].Embedding!));
        AssertTold(models, [.. faces]);
    }

    [SkippableTheory]
    [InlineData("sample1.jpg", 3)]
    [InlineData("sample2.jpg", 3)]
    [InlineData("sample3.jpg", 3)]
    [InlineData("sample4.jpg", 4)]
    [InlineData("sample6.jpg", 4)]
    public void Every_face_of_a_group_is_found_once(string photo, int people)
    {
        IReadOnlyList<StillFace> faces = Analyze(fixture.Require(), FaceMedia.Require(photo));

        Assert.Equal(people, faces.Count);
    }

    [SkippableFact]
    public void A_face_too_small_for_the_whole_picture_is_found_in_a_tile()
    {
        FaceModels models = fixture.Require();
        RawPicture scene = Place(RawPicture.Photo(FaceMedia.Require("audrey.jpg")), shrink: 6, 1920, 1080, 1300, 300);
        lock (models.Gate)
        {
            foreach (DetectedFace faint in models.Detect(scene.View))
                Assert.True(faint.Score < models.ScoreThreshold, "The face is large enough for the whole picture: the test shows nothing.");
        }

        StillFace face = Assert.Single(models.AnalyzeStill(scene.View));
        Assert.True(face.Box.IntersectionOverUnion(new BoundingBox((1300 + 0.288f * 90) / 1920, (300 + 0.217f * 120) / 1080, 0.482f * 90 / 1920, 0.435f * 120 / 1080)) > 0.5f);
    }

    [SkippableFact]
    public void A_picture_without_a_face_has_none()
    {
        byte[] data = new byte[640 * 480 * 3 / 2];
        Array.Fill(data, (byte)128);

        Assert.Empty(fixture.Require().AnalyzeStill(new RawPicture(data, 640, 480, true).View));
    }

    [SkippableFact]
    public void A_blurred_portrait_is_of_lower_quality()
    {
        FaceModels models = fixture.Require();
        RawPicture sharp = RawPicture.Photo(FaceMedia.Require("audrey.jpg"));
        // Its own thumbnail enlarged again.
        RawPicture small = Place(sharp, shrink: 8, sharp.Width / 8, sharp.Height / 8, 0, 0);
        RawPicture blurred = Place(small, shrink: -8, small.Width * 8, small.Height * 8, 0, 0);

        float before = Assert.Single(models.AnalyzeStill(sharp.View)).Quality;
        float after = Assert.Single(models.AnalyzeStill(blurred.View)).Quality;

        Assert.True(after < before - 0.05f, $"{after} is not below {before}");
    }

    private static IReadOnlyList<StillFace> Analyze(FaceModels models, string path) => models.AnalyzeStill(RawPicture.Photo(path).View);

    private static void AssertTold(FaceModels models, (string Person, string Photo, float[] Embedding)[] faces)
    {
        for (int i = 0; i < faces.Length; i++)
        {
            for (int j = 0; j < i; j++)
            {
                float cosine = TensorPrimitives.Dot<float>(faces[i].Embedding, faces[j].Embedding);
                string pair = $"{faces[i].Photo} and {faces[j].Photo}: {cosine}";
                if (faces[i].Person == faces[j].Person)
                    Assert.True(cosine >= models.Pack.SimilarityThreshold + 0.05f, pair);
                else
                    Assert.True(cosine <= models.Pack.SimilarityThreshold - 0.05f, pair);
            }
        }
    }

    /// <summary>Puts a picture, smaller by a whole factor (averaged) or larger by one (interpolated), on a grey one.</summary>
    private static RawPicture Place(RawPicture picture, int shrink, int width, int height, int left, int top)
    {
        byte[] data = new byte[width * height + 2 * ((width + 1) / 2) * ((height + 1) / 2)];
        Array.Fill(data, (byte)128);
        for (int plane = 0; plane < 3; plane++)
        {
            int by = plane == 0 ? 1 : 2;
            int from = plane == 0 ? picture.Width : (picture.Width + 1) / 2, fromRows = plane == 0 ? picture.Height : (picture.Height + 1) / 2;
            int to = plane == 0 ? width : (width + 1) / 2, toRows = plane == 0 ? height : (height + 1) / 2;
            int fromAt = plane == 0 ? 0 : picture.Width * picture.Height + (plane - 1) * from * fromRows;
            int toAt = plane == 0 ? 0 : width * height + (plane - 1) * to * toRows;
            int columns = shrink > 0 ? from / shrink : from * -shrink, rows = shrink > 0 ? fromRows / shrink : fromRows * -shrink;
            for (int y = 0; y < rows && top / by + y < toRows; y++)
            {
                for (int x = 0; x < columns && left / by + x < to; x++)
                    data[toAt + (top / by + y) * to + left / by + x] = (byte)Value(picture.Data.AsSpan(fromAt, from * fromRows), from, fromRows, x, y, shrink);
            }
        }
        return new RawPicture(data, width, height, true);
    }

    private static double Value(ReadOnlySpan<byte> plane, int width, int height, int x, int y, int shrink)
    {
        if (shrink > 0)
        {
            int sum = 0;
            for (int j = 0; j < shrink; j++)
            {
                for (int i = 0; i < shrink; i++)
                    sum += plane[(y * shrink + j) * width + x * shrink + i];
            }
            return sum / (shrink * shrink);
        }
        double fx = Math.Clamp((x + 0.5) / -shrink - 0.5, 0, width - 1.001), fy = Math.Clamp((y + 0.5) / -shrink - 0.5, 0, height - 1.001);
        int ix = (int)fx, iy = (int)fy;
        double a = fx - ix, b = fy - iy;
        return (plane[iy * width + ix] * (1 - a) + plane[iy * width + ix + 1] * a) * (1 - b) + (plane[(iy + 1) * width + ix] * (1 - a) + plane[(iy + 1) * width + ix + 1] * a) * b;
    }
}
