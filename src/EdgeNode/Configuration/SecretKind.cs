using System.Text.Json;

namespace EdgeNode.Configuration;

/// <summary>A secret: as it is, or <c>{ file: /path }</c>, whose trailing line breaks are left out. What is wrong with one is said without repeating any of it.</summary>
/// <param name="check">Null for a value that may be; else a sentence that repeats nothing of it.</param>
internal sealed class SecretKind(Func<string, string?>? check = null) : ValueKind<Secret>
{
    private const string FileKey = "file";
    private const int LongestSecret = 64 << 10;
    private const string Allowed = "must be a value (in quotes where it holds special characters) or { file: /path }";

    /// <inheritdoc/>
    public override bool TryRead(YamlValue value, KeyPlace at, out Secret read)
    {
        read = new Secret("");
        string? text = value switch
        {
            YamlScalar scalar => scalar.Text,
            YamlMap { Entries: { Count: 1 } entries } when entries.TryGetValue(FileKey, out (YamlValue Value, YamlPlace Place) file) && file.Value is YamlScalar { Text: string path }
                => ReadFile(path, at),
            _ => Wrong(at, Allowed),
        };
        if (text is not null && check?.Invoke(text) is string complaint)
            text = Wrong(at, complaint);
        if (text is null)
            return false;
        read = new Secret(text);
        return true;
    }

    /// <inheritdoc/>
    public override void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteStartArray("oneOf");
        json.WriteStartObject();
        json.WriteString("type", "string");
        json.WriteEndObject();
        json.WriteStartObject();
        json.WriteString("type", "object");
        json.WriteStartObject("properties");
        json.WriteStartObject(FileKey);
        json.WriteString("description", "A file that holds the secret.");
        json.WriteString("type", "string");
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteStartArray("required");
        json.WriteStringValue(FileKey);
        json.WriteEndArray();
        json.WriteBoolean("additionalProperties", false);
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static string? ReadFile(string path, KeyPlace at)
    {
        try
        {
            using var reader = new StreamReader(path);
            char[] content = new char[LongestSecret + 1];
            int length = reader.ReadBlock(content);
            if (length > LongestSecret)
                return Wrong(at, $"names the file '{path}', which is too long for a secret");
            string text = new string(content, 0, length).TrimEnd('\r', '\n');
            return text.Length > 0 ? text : Wrong(at, $"names the file '{path}', which is empty");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or ArgumentException)
        {
            string reason = fault switch
            {
                FileNotFoundException or DirectoryNotFoundException => "it is not there",
                UnauthorizedAccessException => Directory.Exists(path) ? "it is a folder" : "this user may not read it",
                _ => fault.Message.TrimEnd('.'),
            };
            return Wrong(at, $"names the file '{path}', which cannot be read ({reason})");
        }
    }

    private static string? Wrong(KeyPlace at, string message)
    {
        at.Error(message);
        return null;
    }
}
