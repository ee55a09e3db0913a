using System.Text.Json.Serialization;

namespace EdgeNode.Commands;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(AnalyzeReport))]
[JsonSerializable(typeof(VersionReport))]
internal sealed partial class CommandJson : JsonSerializerContext;
