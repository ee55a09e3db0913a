using System.Text.Json;
using System.Text.Json.Serialization;

namespace EdgeNode.Storage;

/// <summary>
/// An enumeration in JSON as snake_case words. It is named at the enumeration itself, so that no serializer context can forget it and
/// write numbers.
/// </summary>
public sealed class SnakeCaseEnum<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false)
    where T : struct, Enum;
