using System.Text.Json;

namespace EdgeNode.Configuration;

/// <summary>A section: a mapping of known keys that becomes a <typeparamref name="T"/>.</summary>
/// <param name="create">A section in which no key is given.</param>
/// <param name="check">What one key cannot know: judges the whole section and may complete it.</param>
internal sealed class SectionKind<T>(Func<T> create, Func<T, YamlMap, KeyPlace, T>? check = null) : ValueKind<T>
{
    private readonly List<ConfigurationKey<T>> _keys = [];

    /// <inheritdoc/>
    public override IReadOnlyList<ConfigurationKey> Keys => _keys;

    /// <summary>Adds a key, in the order in which the reference file shows them.</summary>
    public SectionKind<T> Key<TValue>(string name, ValueKind<TValue> kind, Func<T, TValue, T> set, string description, string? @default = null, string? example = null, bool required = false)
    {
        _keys.Add(new ConfigurationKey<T, TValue>(name, kind, set, description) { Default = @default, Example = example, Required = required });
        return this;
    }

    /// <summary>Tells every key where it stands; for the section of the whole file.</summary>
    public SectionKind<T> AsRoot()
    {
        foreach (ConfigurationKey<T> key in _keys)
            key.PlaceIn("");
        return this;
    }

    /// <inheritdoc/>
    public override bool TryRead(YamlValue value, KeyPlace at, out T read)
    {
        read = create();
        if (value is not YamlMap map)
        {
            at.Error("must be a section with keys of its own");
            return false;
        }

        int errors = at.Findings.Errors.Count;
        foreach (ConfigurationKey<T> key in _keys)
        {
            bool given = map.Entries.TryGetValue(key.Name, out (YamlValue Value, YamlPlace Place) entry);
            KeyPlace place = at.Child(key.Name, given ? entry.Place : at.Place);
            if (given && !key.IsInForce && !entry.Value.IsNull)
                at.Findings.Notes.Add((entry.Place, $"'{place.Path}' is read, but changes nothing in this version yet."));
            if (given && key.Kind is SecretKind && entry.Value.IsNull)
                place.Error("has no value: one that begins with '#' must stand in quotes");
            else if (given && !entry.Value.IsNull)
                read = key.Apply(read, entry.Value, place);
            else if (key.Required)
                place.Error("is missing");
        }

        string[] known = [.. _keys.Select(key => key.Name)];
        foreach ((string name, (YamlValue entry, YamlPlace place)) in map.Entries)
        {
            if (!known.Contains(name))
                at.Findings.Errors.Add((place, UnknownKey.Describe(at.Path, name, !entry.IsNull, known)));
        }

        if (check is not null && errors == at.Findings.Errors.Count)
            read = check(read, map, at);
        return true;
    }

    /// <inheritdoc/>
    public override void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteString("type", "object");
        json.WriteStartObject("properties");
        foreach (ConfigurationKey<T> key in _keys)
        {
            json.WriteStartObject(key.Name);
            json.WriteString("description", key.Description);
            key.Kind.WriteSchema(json);
            if (key.Default is not null)
            {
                json.WritePropertyName("default");
                key.Kind.WriteJson(json, YamlTree.ReadValue(key.Name, key.Default));
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
        if (_keys.Exists(key => key.Required))
        {
            json.WriteStartArray("required");
            foreach (ConfigurationKey<T> key in _keys.Where(key => key.Required))
                json.WriteStringValue(key.Name);
            json.WriteEndArray();
        }

        json.WriteBoolean("additionalProperties", false);
    }
}
