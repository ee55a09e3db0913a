using System.Text.Json;

namespace EdgeNode.Configuration;

/// <summary>Where a value stands, and where what is wrong with it goes.</summary>
/// <param name="Path">The key with its sections, such as <c>cameras[0].url</c>; empty at the top.</param>
/// <param name="Place">Where the key stands.</param>
/// <param name="Findings">What is wrong, or of no effect.</param>
internal readonly record struct KeyPlace(string Path, YamlPlace Place, ConfigurationFindings Findings)
{
    public void Error(string message) => Findings.Errors.Add((Place, $"'{Path}' {message}."));

    public KeyPlace Child(string key, YamlPlace place) =>
        this with { Path = Path.Length == 0 ? key : $"{Path}.{key}", Place = place };

    public KeyPlace Item(int index, YamlPlace place) => this with { Path = $"{Path}[{index}]", Place = place };
}

/// <summary>What was found while the configuration was read.</summary>
internal sealed class ConfigurationFindings
{
    public List<(YamlPlace Place, string Message)> Errors { get; } = [];

    public List<(YamlPlace Place, string Message)> Notes { get; } = [];

    public static ConfigurationError[] Sorted(List<(YamlPlace Place, string Message)> findings) =>
        [.. findings.OrderBy(found => found.Place).Select(found => new ConfigurationError(found.Place.ToString(), found.Message))];
}

/// <summary>A kind of value as far as the schema and the reference file need it: they do not know what it becomes.</summary>
internal abstract class ValueKind
{
    /// <summary>Keys inside a value of this kind, or inside the items of such a list.</summary>
    public virtual IReadOnlyList<ConfigurationKey> Keys => [];

    /// <summary>Whether it is a list whose items have keys.</summary>
    public virtual bool IsListOfSections => false;

    /// <summary>Writes the keywords of JSON Schema that describe it, into an object that is open.</summary>
    public abstract void WriteSchema(Utf8JsonWriter json);

    /// <summary>Writes a value of this kind as JSON.</summary>
    public virtual void WriteJson(Utf8JsonWriter json, YamlValue value) => json.WriteStringValue(((YamlScalar)value).Text);
}

/// <summary>A kind of value: reads it, and says what is allowed.</summary>
internal abstract class ValueKind<T> : ValueKind
{
    /// <summary>Reads a value; where it is wrong, says so and returns false. A key without a value is no concern of most kinds.</summary>
    public abstract bool TryRead(YamlValue value, KeyPlace at, out T read);

    /// <summary>The text of a scalar; anything else is wrong.</summary>
    protected static bool TryText(YamlValue value, KeyPlace at, out string text)
    {
        text = (value as YamlScalar)?.Text ?? "";
        if (value is YamlScalar { Text: not null })
            return true;
        at.Error("must be one value");
        return false;
    }

    /// <summary>A wrong value as messages repeat it: no more than a word.</summary>
    protected static string Quoted(string text) => text.Length <= 60 && !text.Any(char.IsControl) ? $"not '{text}'" : "not what is there";
}
