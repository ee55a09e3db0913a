using System.Text.Json;

namespace EdgeNode.Configuration;

/// <summary>A list of values of one kind, bounded. A variable of the environment writes it as YAML: <c>[a, b]</c>.</summary>
internal sealed class ListKind<T>(ValueKind<T> item, int least = 0, int most = 1000) : ValueKind<ValueList<T>>
{
    /// <inheritdoc/>
    public override IReadOnlyList<ConfigurationKey> Keys => item.Keys;

    /// <inheritdoc/>
    public override bool IsListOfSections => item.Keys.Count > 0;

    /// <inheritdoc/>
    public override bool TryRead(YamlValue value, KeyPlace at, out ValueList<T> read)
    {
        read = [];
        if (value is YamlScalar { Text: not null, Place.Line: 0 } variable)
            value = YamlTree.ReadValue(variable.Place.Source, variable.Text);
        if (value is not YamlList list)
        {
            at.Error(IsListOfSections ? "must be a list, each entry behind a '-'" : "must be a list, such as [a, b]");
            return false;
        }

        if (list.Items.Count < least || list.Items.Count > most)
        {
            at.Error(least == 0 ? $"may have {most} entries at most" : $"must have {least} to {most} entries");
            return false;
        }

        var items = new List<T>();
        for (int i = 0; i < list.Items.Count; i++)
        {
            if (item.TryRead(list.Items[i], at.Item(i, list.Items[i].Place), out T one))
                items.Add(one);
        }

        read = [.. items];
        return items.Count == list.Items.Count;
    }

    /// <inheritdoc/>
    public override void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteString("type", "array");
        if (least > 0)
            json.WriteNumber("minItems", least);
        json.WriteNumber("maxItems", most);
        json.WriteStartObject("items");
        item.WriteSchema(json);
        json.WriteEndObject();
    }

    /// <inheritdoc/>
    public override void WriteJson(Utf8JsonWriter json, YamlValue value)
    {
        json.WriteStartArray();
        foreach (YamlValue one in ((YamlList)value).Items)
            item.WriteJson(json, one);
        json.WriteEndArray();
    }
}
