namespace EdgeNode.Tests.Faces;

/// <summary>Where the model pack and the pictures are: named by the environment, else under the repository's <c>out/</c>; null where set-up has not run.</summary>
internal static class FaceMedia
{
    public static string? Models { get; } = Folder("EDGENODE_MODELS", Path.Combine("out", "models"), "fr_detect.onnx");

    private static readonly string? s_media = Folder("EDGENODE_MEDIA", Path.Combine("out", "test-media"), "franck.mp4");

    /// <summary>The repository's root: where the solution lies.</summary>
    public static string Repository => Above("EdgeNode.sln") ?? throw new InvalidOperationException("The tests run outside the repository.");

    /// <summary>A picture or film of npm's packages; skips the test where it is absent.</summary>
    public static string Require(string file)
    {
        string? path = s_media is null ? null : Path.Combine(s_media, file);
        Skip.If(path is null || !File.Exists(path), $"{file} is absent: run make test, or set EDGENODE_MEDIA to a folder with it.");
        return path!;
    }

    /// <summary>A picture of <c>shared/media</c>; skips the test where it is absent.</summary>
    public static string RequireShared(string file)
    {
        string? folder = Above(Path.Combine("shared", "media"));
        Skip.If(folder is null, "shared/media is absent beside the repository.");
        return Path.Combine(folder!, "shared", "media", file);
    }

    private static string? Folder(string variable, string fallback, string witness)
    {
        string? folder = Environment.GetEnvironmentVariable(variable);
        if (string.IsNullOrEmpty(folder))
            folder = Path.Combine(Repository, fallback);
        return File.Exists(Path.Combine(folder, witness)) ? folder : null;
    }

    private static string? Above(string relative)
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !Path.Exists(Path.Combine(folder, relative)))
            folder = Path.GetDirectoryName(folder);
        return folder;
    }
}
