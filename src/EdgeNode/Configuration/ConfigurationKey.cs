namespace EdgeNode.Configuration;

/// <summary>One key of the file: all that is said of it, for the reader, the schema and the reference file.</summary>
/// <param name="name">Its name in its section.</param>
/// <param name="kind">What its value looks like.</param>
/// <param name="description">What it means, one sentence or two.</param>
internal abstract class ConfigurationKey(string name, ValueKind kind, string description)
{
    public string Name => name;

    public ValueKind Kind => kind;

    /// <summary>What it means, and that it changes nothing yet where that is so.</summary>
    public string Description => NotInForceYet.Keys.Contains(Path) ? $"{description} (Changes nothing in this version yet.)" : description;

    /// <summary>The key with its sections, <c>[]</c> for the entries of a list: <c>cameras[].url</c>. Known once the whole table is.</summary>
    public string Path { get; private set; } = "";

    /// <summary>Whether it changes anything in this version.</summary>
    public bool IsInForce => !NotInForceYet.Keys.Contains(Path);

    /// <summary>What holds where the key is not there, as YAML; null: nothing, or what the description says.</summary>
    public string? Default { get; init; }

    /// <summary>A value to show where there is no default, as YAML.</summary>
    public string? Example { get; init; }

    /// <summary>Whether its section cannot do without.</summary>
    public bool Required { get; init; }

    /// <summary>This key and all within it, in the order of the table.</summary>
    public IEnumerable<ConfigurationKey> WithInner() => [this, .. kind.Keys.SelectMany(static key => key.WithInner())];

    /// <summary>Tells a key, and those within it, which section it stands in.</summary>
    internal void PlaceIn(string section)
    {
        Path = section.Length == 0 ? name : $"{section}.{name}";
        foreach (ConfigurationKey inner in kind.Keys)
            inner.PlaceIn(kind.IsListOfSections ? $"{Path}[]" : Path);
    }
}

/// <summary>A key of a section that becomes a <typeparamref name="TSection"/>.</summary>
internal abstract class ConfigurationKey<TSection>(string name, ValueKind kind, string description) : ConfigurationKey(name, kind, description)
{
    /// <summary>Puts the value into the section; a wrong one leaves it as it is and says so.</summary>
    public abstract TSection Apply(TSection section, YamlValue value, KeyPlace at);
}

/// <summary>A key whose value becomes a <typeparamref name="TValue"/>.</summary>
internal sealed class ConfigurationKey<TSection, TValue>(string name, ValueKind<TValue> kind, Func<TSection, TValue, TSection> set, string description)
    : ConfigurationKey<TSection>(name, kind, description)
{
    /// <inheritdoc/>
    public override TSection Apply(TSection section, YamlValue value, KeyPlace at) => kind.TryRead(value, at, out TValue read) ? set(section, read) : section;
}
