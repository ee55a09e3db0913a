using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace EdgeNode.Faces;

/// <summary>What a model of a pack does.</summary>
public enum ModelRole
{
    /// <summary>Finds faces in a picture.</summary>
    Detector,

    /// <summary>Finds eyes, nose and mouth in a face.</summary>
    Landmarks,

    /// <summary>Turns an aligned face into a vector.</summary>
    Embedding,

    /// <summary>Tells a live face from a photo of one.</summary>
    Liveness,
}

/// <summary>How a model's tensors are laid out and read.</summary>
public enum ModelFamily
{
    /// <summary>UltraFace (Linzaier's Ultra-Light-Fast-Generic-Face-Detector): RGB in; <c>scores</c> 1×N×2 and <c>boxes</c> 1×N×4 out, corners as fractions.</summary>
    Ultraface,

    /// <summary>Grey face box in; the 68 points of iBUG 300-W out, as fractions of the box.</summary>
    Points68,

    /// <summary>RGB face aligned to ArcFace's five points in (Deng et al. 2019); a vector compared by cosine out.</summary>
    Arcface,
}

/// <summary>One model of a pack: its file and how to feed and read it.</summary>
public sealed record ModelDescription
{
    /// <summary>What it does.</summary>
    public required ModelRole Role { get; init; }

    /// <summary>How its tensors are laid out.</summary>
    public required ModelFamily Family { get; init; }

    /// <summary>Name of its file in the pack's folder.</summary>
    public required string File { get; init; }

    /// <summary>SHA-256 of the file in hexadecimal; null is not checked.</summary>
    public string? Sha256 { get; init; }

    /// <summary>Width of its input, pixels.</summary>
    public required int Width { get; init; }

    /// <summary>Height of its input, pixels.</summary>
    public required int Height { get; init; }

    /// <summary>Subtracted from each 0–255 sample.</summary>
    public required float Mean { get; init; }

    /// <summary>Divides what is left.</summary>
    public required float Scale { get; init; }

    /// <summary>Detector: the score from which a face counts, 0 to 1; null for 0.65.</summary>
    public float? ScoreThreshold { get; init; }

    /// <summary>Detector: boxes that overlap a better one by more than this IoU are the same face; null for 0.4.</summary>
    public float? OverlapThreshold { get; init; }
}

/// <summary>
/// The models that faces are found and known by: a folder with <c>model-pack.json</c> and the files that it names.
/// Embeddings of different packs are never compared: see <see cref="Id"/>.
/// </summary>
public sealed record ModelPack
{
    /// <summary>Name of the description in a pack's folder.</summary>
    public const string FileName = "model-pack.json";

    private const int LargestDescription = 64 * 1024;

    /// <summary>Name of the pack.</summary>
    public required string Name { get; init; }

    /// <summary>Version of the pack.</summary>
    public required string Version { get; init; }

    /// <summary>Licence of the weights, shown to the user.</summary>
    public required string License { get; init; }

    /// <summary>Cosine from which two faces may be the same person, when the configuration says <c>auto</c>.</summary>
    public required float SimilarityThreshold { get; init; }

    /// <summary>By how much the best identity must beat the second, when the configuration says <c>auto</c>.</summary>
    public required float SimilarityMargin { get; init; }

    /// <summary>The models.</summary>
    public required IReadOnlyList<ModelDescription> Models { get; init; }

    /// <summary>Where the pack was read from.</summary>
    [JsonIgnore]
    public string Folder { get; private init; } = "";

    /// <summary>Stored beside each embedding: which pack made it.</summary>
    [JsonIgnore]
    public string Id => $"{Name}@{Version}";

    /// <summary>Reads a pack's description and checks it against the files beside it; the models are not opened yet.</summary>
    /// <exception cref="ModelPackException">One sentence: which file is wrong, and what to do.</exception>
    public static ModelPack Load(string folder)
    {
        if (!Directory.Exists(folder))
            throw new ModelPackException($"The model folder {folder} does not exist: set models.folder to a folder with {FileName} and its models.");
        string path = Path.Combine(folder, FileName);
        if (!System.IO.File.Exists(path))
            throw new ModelPackException($"The model folder {folder} has no {FileName}: put the pack's description there, or set models.folder to a folder that has one.");

        ModelPack? pack;
        try
        {
            if (new FileInfo(path).Length > LargestDescription)
                throw new ModelPackException($"{path} is larger than {LargestDescription / 1024} KiB, so it is no pack's description: put the right one there.");
            using FileStream stream = System.IO.File.OpenRead(path);
            pack = JsonSerializer.Deserialize(stream, ModelPackJson.Default.ModelPack);
        }
        catch (JsonException e)
        {
            throw new ModelPackException($"{path} is not a valid pack description: correct {Where(e)}.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelPackException($"{path} cannot be read: give the service read access to it.");
        }
        if (pack is null || pack.Models is null)
            throw new ModelPackException($"{path} is empty: put the pack's description there.");
        if (!(pack.SimilarityThreshold is > 0 and < 1 && pack.SimilarityMargin is >= 0 and < 1))
            throw new ModelPackException($"{path}: similarity_threshold and similarity_margin must lie between 0 and 1; correct them.");

        foreach (ModelDescription model in pack.Models)
            Check(folder, path, model);
        return pack with { Folder = folder };
    }

    /// <summary>The pack's model for <paramref name="role"/>.</summary>
    /// <exception cref="ModelPackException">It has none.</exception>
    public ModelDescription Require(ModelRole role)
    {
        foreach (ModelDescription model in Models)
        {
            if (model.Role == role)
                return model;
        }
        throw new ModelPackException($"{Path.Combine(Folder, FileName)} names no model for the role {role.ToString().ToLowerInvariant()}: add one under models.");
    }

    private static void Check(string folder, string path, ModelDescription model)
    {
        if (model is null)
            throw new ModelPackException($"{path} lists an empty model: remove it.");
        if (string.IsNullOrWhiteSpace(model.File) || model.File != Path.GetFileName(model.File))
            throw new ModelPackException($"{path}: \"{model.File}\" is not the name of a file beside it; models must lie in the pack's own folder.");
        if (model.Width is < 8 or > 4096 || model.Height is < 8 or > 4096 || !(model.Scale > 0) || !float.IsFinite(model.Scale) || !float.IsFinite(model.Mean))
            throw new ModelPackException($"{path}: {model.File} needs a width and height of 8 to 4096 pixels and a scale above 0; correct them.");
        if (model.ScoreThreshold is not (null or > 0 and < 1) || model.OverlapThreshold is not (null or > 0 and < 1))
            throw new ModelPackException($"{path}: score_threshold and overlap_threshold of {model.File} must lie between 0 and 1; correct them.");
        string file = Path.Combine(folder, model.File);
        if (!System.IO.File.Exists(file))
            throw new ModelPackException($"The model {file} named by {FileName} is missing: fetch the pack again.");
        if (model.Sha256 is null)
            return;
        string hash;
        try
        {
            using FileStream stream = System.IO.File.OpenRead(file);
            hash = Convert.ToHexStringLower(SHA256.HashData(stream));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelPackException($"The model {file} cannot be read: give the service read access to it.");
        }
        if (!hash.Equals(model.Sha256, StringComparison.OrdinalIgnoreCase))
            throw new ModelPackException($"The model {file} is damaged or another than {FileName} names (its SHA-256 differs): fetch the pack again.");
    }

    /// <summary>Where the JSON is wrong, without the serializer's type names.</summary>
    private static string Where(JsonException e)
    {
        string line = e.LineNumber is long number ? $"line {number + 1}" : "it";
        return string.IsNullOrEmpty(e.Path) || e.Path == "$" ? $"{line} (every key of the default pack is needed)" : $"{line} ({e.Path})";
    }
}

/// <summary>A model pack that cannot be used; the message is one sentence that says what to do.</summary>
public sealed class ModelPackException(string message) : Exception(message);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UseStringEnumConverter = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, ReadCommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true)]
[JsonSerializable(typeof(ModelPack))]
internal sealed partial class ModelPackJson : JsonSerializerContext;
