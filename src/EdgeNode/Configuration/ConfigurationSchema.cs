using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace EdgeNode.Configuration;

/// <summary>The JSON Schema (draft 2020-12) of the configuration file, by which editors complete and check it.</summary>
public static class ConfigurationSchema
{
    /// <summary>The schema, indented.</summary>
    public static string Write()
    {
        var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("$schema", "https://json-schema.org/draft/2020-12/schema");
            json.WriteString("title", "Configuration of an EdgeNode");
            ConfigurationKeys.Root.WriteSchema(json);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray()) + "\n";
    }
}
