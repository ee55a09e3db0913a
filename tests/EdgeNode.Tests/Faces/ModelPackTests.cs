using EdgeNode.Faces;

namespace EdgeNode.Tests.Faces;

/// <summary>Packs that cannot be used end in one sentence that names the file and says what to do.</summary>
public sealed class ModelPackTests : IDisposable
{
    private readonly List<string> _folders = [];

    public void Dispose() => _folders.ForEach(f => Directory.Delete(f, recursive: true));

    [SkippableFact]
    public void Default_pack_loads()
    {
        string folder = Copy();
        using FaceModels models = FaceModels.Load(folder);

        Assert.Equal("faceplugin@0.0.1", models.Pack.Id);
        Assert.Equal(512, models.EmbeddingLength);
        Assert.InRange(models.Pack.SimilarityThreshold, 0.3f, 0.5f);
        Assert.Equal(0.65f, models.ScoreThreshold);
    }

    [Fact]
    public void Missing_folder() => AssertRefused("/nowhere/at/all", "/nowhere/at/all does not exist");

    [Fact]
    public void Missing_description() => AssertRefused(Folder(), $"has no {ModelPack.FileName}");

    [Theory]
    [InlineData("{", "line 1")]
    [InlineData("null", "is empty")]
    [InlineData("{\"name\": \"a\"}", "every key")]
    [InlineData("{\"name\":\"a\",\"version\":\"1\",\"license\":\"x\",\"similarity_threshold\":4,\"similarity_margin\":0.1,\"models\":[]}", "similarity_threshold")]
    [InlineData("{\"name\":\"a\",\"version\":\"1\",\"license\":\"x\",\"similarity_threshold\":0.4,\"similarity_margin\":0.1,\"models\":[]}", "names no model for the role embedding")]
    [InlineData("{\"name\":\"a\",\"version\":\"1\",\"license\":\"x\",\"similarity_threshold\":0.4,\"similarity_margin\":0.1,\"models\":[null]}", "empty model")]
    [InlineData("{\"nmae\":\"a\",\"version\":\"1\",\"license\":\"x\",\"similarity_threshold\":0.4,\"similarity_margin\":0.1,\"models\":[]}", "line 1")]
    public void Wrong_description(string json, string says)
    {
        string folder = Folder();
        File.WriteAllText(Path.Combine(folder, ModelPack.FileName), json);

        AssertRefused(folder, says);
    }

    [SkippableFact]
    public void Missing_model()
    {
        string folder = Copy();
        File.Delete(Path.Combine(folder, "fr_landmark.onnx"));

        AssertRefused(folder, "fr_landmark.onnx named by model-pack.json is missing");
    }

    [SkippableFact]
    public void Damaged_model()
    {
        string folder = Copy();
        File.AppendAllText(Path.Combine(folder, "fr_feature.onnx"), "x");

        AssertRefused(folder, "fr_feature.onnx is damaged");
    }

    [SkippableFact]
    public void Model_that_is_no_onnx_file()
    {
        string folder = Copy();
        File.WriteAllText(Path.Combine(folder, "fr_detect.onnx"), "not a model");
        Edit(folder, "\"sha256\": \"6c0256ccd3164f844736a401faf936ec2930764a87ae39442180887d0c5c8854\",", "");

        AssertRefused(folder, "fr_detect.onnx is not a readable ONNX model");
    }

    [SkippableFact]
    public void Model_of_the_wrong_input_shape()
    {
        string folder = Copy();
        Edit(folder, "\"width\": 320", "\"width\": 640");

        AssertRefused(folder, "1×3×240×640", "1×3×240×320");
    }

    [SkippableFact]
    public void Models_in_the_wrong_roles()
    {
        string folder = Copy();
        File.Copy(Path.Combine(folder, "fr_landmark.onnx"), Path.Combine(folder, "fr_detect.onnx"), overwrite: true);
        Edit(folder, "\"sha256\": \"6c0256ccd3164f844736a401faf936ec2930764a87ae39442180887d0c5c8854\",", "");

        AssertRefused(folder, "fr_detect.onnx", "scores 1×N×2");
    }

    [SkippableFact]
    public void Family_that_does_not_serve_its_role()
    {
        string folder = Copy();
        Edit(folder, "\"family\": \"points68\"", "\"family\": \"arcface\"");

        AssertRefused(folder, "fr_landmark.onnx", "points68");
    }

    [SkippableFact]
    public void Model_outside_the_folder()
    {
        string folder = Copy();
        Edit(folder, "\"file\": \"fr_detect.onnx\"", "\"file\": \"../fr_detect.onnx\"");

        AssertRefused(folder, "own folder");
    }

    private static void AssertRefused(string folder, params string[] says)
    {
        ModelPackException e = Assert.Throws<ModelPackException>(() => FaceModels.Load(folder));
        Assert.All(says, part => Assert.Contains(part, e.Message));
        Assert.EndsWith(".", e.Message);
        Assert.DoesNotContain('\n', e.Message);
    }

    private static void Edit(string folder, string what, string with)
    {
        string path = Path.Combine(folder, ModelPack.FileName);
        string text = File.ReadAllText(path);
        Assert.Contains(what, text);
        File.WriteAllText(path, text.Replace(what, with));
    }

    private string Folder()
    {
        string folder = Directory.CreateTempSubdirectory("pack-").FullName;
        _folders.Add(folder);
        return folder;
    }

    private string Copy()
    {
        string folder = ModelsFixture.CopyPack();
        _folders.Add(folder);
        return folder;
    }
}
