using System.Collections;
using System.Text.Json;
using System.Text.RegularExpressions;
using EdgeNode.Configuration;

namespace EdgeNode.Tests.Configuration;

/// <summary>The schema, the reference file and the list of keys without effect are held against the table that the reader uses.</summary>
public partial class ConfigurationSchemaTests
{
    private static readonly string[] AllKeys = [.. ConfigurationKeys.Root.Keys.SelectMany(key => key.WithInner()).Select(key => key.Path)];

    [Fact]
    public void The_schema_has_exactly_the_keys_of_the_reader_each_with_a_description_and_refuses_others()
    {
        using var schema = JsonDocument.Parse(ConfigurationSchema.Write());
        Assert.Equal("https://json-schema.org/draft/2020-12/schema", schema.RootElement.GetProperty("$schema").GetString());
        Assert.Equal(AllKeys, Walk(schema.RootElement, ""));

        static IEnumerable<string> Walk(JsonElement section, string path)
        {
            Assert.False(section.GetProperty("additionalProperties").GetBoolean());
            foreach (JsonProperty key in section.GetProperty("properties").EnumerateObject())
            {
                string at = path.Length == 0 ? key.Name : $"{path}.{key.Name}";
                Assert.NotEmpty(key.Value.GetProperty("description").GetString()!);
                yield return at;
                bool isList = key.Value.TryGetProperty("items", out JsonElement items) && items.TryGetProperty("properties", out _);
                if (isList || key.Value.TryGetProperty("properties", out _))
                {
                    foreach (string inner in Walk(isList ? items : key.Value, isList ? at + "[]" : at))
                        yield return inner;
                }
            }
        }
    }

    [Fact]
    public void The_keys_of_the_contract_are_there() => Assert.Equal(
        [
            "node", "node.site", "node.id", "node.state", "node.base_url",
            "http", "http.listen", "http.https", "http.certificate", "http.key", "http.cors",
            "mqtt", "mqtt.broker", "mqtt.username", "mqtt.password", "mqtt.ca", "mqtt.certificate", "mqtt.key", "mqtt.home_assistant",
            "site", "site.key", "site.trust",
            "tokens", "tokens.lifetime", "tokens.grace", "tokens.issuers", "tokens.issuers[].name", "tokens.issuers[].issuer", "tokens.issuers[].jwks", "tokens.issuers[].role",
            "models", "models.folder", "models.execution", "models.runtime", "models.plugins",
            "faces", "faces.threshold", "faces.margin", "faces.min_face_px", "faces.max_event", "faces.unknown_retention",
            "retention", "retention.events", "retention.snapshots", "retention.max_bytes",
            "gpio", "gpio.led", "gpio.output", "gpio.input",
            "webhooks", "webhooks[].url", "webhooks[].secret", "webhooks[].on",
            "limits", "limits.viewers", "limits.connections_per_address",
            "cameras", "cameras[].id", "cameras[].name", "cameras[].url", "cameras[].username", "cameras[].password", "cameras[].sub_url",
            "cameras[].transport", "cameras[].client", "cameras[].decoder",
            "cameras[].analytics", "cameras[].analytics.enabled", "cameras[].analytics.fps", "cameras[].analytics.gate", "cameras[].analytics.ignore",
        ],
        AllKeys);

    [Fact]
    public void Every_key_without_effect_is_a_key() => Assert.All(NotInForceYet.Keys, key => Assert.Contains(key, AllKeys));

    [Fact]
    public void The_defaults_that_are_told_are_those_that_hold() => Assert.All(
        ConfigurationKeys.Root.Keys.SelectMany(key => key.WithInner()).Where(key => key.Default is not null),
        key => Assert.Equal(Read(Yaml(key.Path, null)), Read(Yaml(key.Path, key.Default))));

    [Fact]
    public void The_reference_file_is_the_one_that_the_program_prints() => Assert.Equal(ConfigurationReference.Write(), ReferenceFile());

    [Fact]
    public void The_reference_file_is_read_as_it_is_and_gives_the_defaults()
    {
        NodeConfiguration read = ConfigurationReader.Read("reference", new StringReader(ReferenceFile()), new Hashtable(), out IReadOnlyList<ConfigurationError> notes);
        Assert.Empty(notes);
        Assert.Equal(Read("") with { Cameras = [] }, read with { Cameras = [] });
    }

    [Fact]
    public void The_reference_file_with_every_key_switched_on_names_exactly_the_keys_of_the_schema_and_is_read()
    {
        string text = Uncommented();
        Assert.Equal("entrance", Assert.Single(Read(text).Cameras).Id);
        Assert.Equal(AllKeys, Walk(YamlTree.Read("reference", new StringReader(text)), ""));

        static IEnumerable<string> Walk(YamlMap map, string path)
        {
            foreach ((string name, (YamlValue value, _)) in map.Entries)
            {
                string at = path.Length == 0 ? name : $"{path}.{name}";
                yield return at;
                YamlMap? inner = value as YamlMap ?? (value as YamlList)?.Items.FirstOrDefault() as YamlMap;
                if (inner is null)
                    continue;
                foreach (string key in Walk(inner, value is YamlList ? at + "[]" : at))
                    yield return key;
            }
        }
    }

    // One key alone, with what its sections cannot do without.
    private static string Yaml(string path, string? value)
    {
        string[] parts = path.Split('.');
        string yaml = value is null ? "" : $"{parts[^1]}: {value}";
        for (int i = parts.Length - 2; i >= 0; i--)
        {
            string needed = parts[i] switch
            {
                "mqtt" => "broker: 'mqtt://b', ",
                "cameras[]" => "id: a, url: 'rtsp://x/', ",
                "webhooks[]" => "url: 'https://x', ",
                "issuers[]" => "name: a, issuer: b, jwks: c, ",
                _ => "",
            };
            yaml = parts[i].EndsWith("[]", StringComparison.Ordinal) ? $"{parts[i][..^2]}: [ {{ {needed}{yaml} }} ]" : $"{parts[i]}: {{ {needed}{yaml} }}";
        }

        return yaml;
    }

    // Lines that are switched off begin with '#' and no blank, or their indentation of two or more; words with one blank. Files of secrets are not here.
    private static string Uncommented() => SecretFile().Replace(SwitchedOff().Replace(ReferenceFile(), ""), "x");

    private static string ReferenceFile()
    {
        string root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "EdgeNode.sln")))
            root = Path.GetDirectoryName(root) ?? throw new InvalidOperationException("The tests do not run from within the repository.");
        return File.ReadAllText(Path.Combine(root, "docs", "edgenode.reference.yaml"));
    }

    private static NodeConfiguration Read(string yaml) => ConfigurationReader.Read("reference", new StringReader(yaml), new Hashtable());

    [GeneratedRegex(@"^#(?=\S|  )", RegexOptions.Multiline)]
    private static partial Regex SwitchedOff();

    [GeneratedRegex(@"\{ file: \S+ \}")]
    private static partial Regex SecretFile();
}
