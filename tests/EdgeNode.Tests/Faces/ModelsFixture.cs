using EdgeNode.Faces;

namespace EdgeNode.Tests.Faces;

/// <summary>The default pack, opened once for all tests that need it.</summary>
public sealed class ModelsFixture : IDisposable
{
    private readonly FaceModels? _models;
    private readonly string? _folder;

    public ModelsFixture()
    {
        if (FaceMedia.Models is null)
            return;
        _folder = CopyPack();
        _models = FaceModels.Load(_folder);
    }

    /// <summary>The models; skips the test where they are absent.</summary>
    public FaceModels Require()
    {
        Skip.If(_models is null, "The model pack is absent: run make test, or set EDGENODE_MODELS to its folder.");
        return _models!;
    }

    /// <summary>A copy of the default pack, with the description of this very tree, to be spoilt.</summary>
    public static string CopyPack()
    {
        Skip.If(FaceMedia.Models is null, "The model pack is absent: run make test, or set EDGENODE_MODELS to its folder.");
        string folder = Directory.CreateTempSubdirectory("pack-").FullName;
        foreach (string file in (string[])["fr_detect.onnx", "fr_landmark.onnx", "fr_feature.onnx"])
            File.Copy(Path.Combine(FaceMedia.Models!, file), Path.Combine(folder, file));
        File.Copy(Path.Combine(FaceMedia.Repository, "src", "EdgeNode", "Faces", "default-model-pack.json"), Path.Combine(folder, ModelPack.FileName));
        return folder;
    }

    public void Dispose()
    {
        _models?.Dispose();
        if (_folder is not null)
            Directory.Delete(_folder, recursive: true);
    }
}

[CollectionDefinition(Name)]
public sealed class ModelsCollection : ICollectionFixture<ModelsFixture>
{
    public const string Name = "models";
}
