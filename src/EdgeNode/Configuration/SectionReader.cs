using System.Globalization;
using System.Text.RegularExpressions;

namespace EdgeNode.Configuration;

/// <summary>Takes the known keys out of one section, collects what is wrong, and refuses what is left over.</summary>
internal sealed partial class SectionReader
{
    private readonly YamlMap _map;
    private readonly string _path;
    private readonly List<ConfigurationError> _errors;
    private readonly List<string> _known = [];

    public SectionReader(YamlMap map, string path, List<ConfigurationError> errors)
    {
        _map = map;
        _path = path;
        _errors = errors;
    }

    public string Place => _map.Place;

    public bool Has(string key) => Take(key) is not null and not YamlScalar { Text: null };

    public SectionReader Section(string key) =>
        new(Take(key) switch
        {
            null or YamlScalar { Text: null } => new YamlMap(Place),
            YamlMap map => map,
            YamlValue other => Wrong(other.Place, key, "must be a section with keys of its own", new YamlMap(other.Place)),
        }, PathOf(key), _errors);

    public IEnumerable<SectionReader> Sections(string key)
    {
        switch (Take(key))
        {
            case null or YamlScalar { Text: null }:
                yield break;
            case YamlList list:
                for (int i = 0; i < list.Items.Count; i++)
                {
                    if (list.Items[i] is YamlMap map)
                        yield return new SectionReader(map, $"{PathOf(key)}[{i}]", _errors);
                    else
                        Wrong(list.Items[i].Place, $"{key}[{i}]", "must be a section with keys of its own", 0);
                }

                break;
            case YamlValue other:
                Wrong(other.Place, key, "must be a list, each entry behind a '-'", 0);
                break;
        }
    }

    public string? Text(string key)
    {
        switch (Take(key))
        {
            case null:
                return null;
            case YamlScalar scalar:
                return scalar.Text;
            case YamlValue other:
                return Wrong(other.Place, key, "must be one value", (string?)null);
        }
    }

    public string? Text(string key, Regex form, string allowed)
    {
        string? text = Text(key);
        return text is null || form.IsMatch(text) ? text : Wrong(PlaceOf(key), key, $"must be {allowed}, not '{text}'", (string?)null);
    }

    public bool? Flag(string key) => Text(key) switch
    {
        null => null,
        "true" or "yes" or "on" => true,
        "false" or "no" or "off" => false,
        string text => Wrong(PlaceOf(key), key, $"must be true or false, not '{text}'", (bool?)null),
    };

    public double? Number(string key, double least, double most)
    {
        string? text = Text(key);
        if (text is null)
            return null;
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && number >= least && number <= most)
            return number;
        return Wrong(PlaceOf(key), key, string.Create(CultureInfo.InvariantCulture, $"must be a number from {least} to {most}, not '{text}'"), (double?)null);
    }

    public int? Integer(string key, int least, int most)
    {
        string? text = Text(key);
        if (text is null)
            return null;
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number) && number >= least && number <= most)
            return number;
        return Wrong(PlaceOf(key), key, $"must be a whole number from {least} to {most}, not '{text}'", (int?)null);
    }

    public TimeSpan? Duration(string key, TimeSpan least, TimeSpan most)
    {
        string? text = Text(key);
        if (text is null)
            return null;
        if (TryParseDuration(text, out TimeSpan duration) && duration >= least && duration <= most)
            return duration;
        return Wrong(PlaceOf(key), key, $"must be a duration with its unit, such as 500ms, 2s, 30m, 12h or 7d, from {least.TotalSeconds} s to {most.TotalSeconds} s, not '{text}'", (TimeSpan?)null);
    }

    public Secret? Secret(string key)
    {
        switch (Take(key))
        {
            case null or YamlScalar { Text: null }:
                return null;
            case YamlScalar scalar:
                return new Secret(scalar.Text!);
            case YamlMap map:
                var reader = new SectionReader(map, PathOf(key), _errors);
                string? file = reader.Text("file");
                reader.RefuseRest();
                if (file is null)
                    return Wrong(map.Place, key, "must be a value or { file: /path }", (Secret?)null);
                try
                {
                    return new Secret(File.ReadAllText(file).TrimEnd('\r', '\n'));
                }
                catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
                {
                    return Wrong(map.Place, key, $"names the file '{file}', which cannot be read ({(fault is FileNotFoundException or DirectoryNotFoundException ? "it is not there" : fault.Message.TrimEnd('.'))})", (Secret?)null);
                }

            case YamlValue other:
                return Wrong(other.Place, key, "must be a value or { file: /path }", (Secret?)null);
        }
    }

    public T Require<T>(string key, T? value)
        where T : class
    {
        if (value is null && !_errors.Exists(e => e.Message.StartsWith($"'{PathOf(key)}'", StringComparison.Ordinal) && e.Place == PlaceOf(key)))
            Wrong(PlaceOf(key), key, "is missing", 0);
        return value!;
    }

    public void Error(string key, string message) => Wrong(PlaceOf(key), key, message, 0);

    /// <summary>Every key that nobody took is an error that suggests the nearest known one.</summary>
    public void RefuseRest()
    {
        foreach ((string key, (_, string place)) in _map.Entries)
        {
            if (_known.Contains(key))
                continue;
            string? nearest = _known.MinBy(k => Distance(k, key));
            string hint = nearest is not null && Distance(nearest, key) <= Math.Max(2, key.Length / 3) ? $" Did you mean '{nearest}'?" : "";
            _errors.Add(new ConfigurationError(place, $"'{PathOf(key)}' is not known.{hint} Known here: {string.Join(", ", _known)}."));
        }
    }

    public static bool TryParseDuration(string text, out TimeSpan duration)
    {
        duration = default;
        Match match = DurationForm().Match(text);
        if (!match.Success || !double.TryParse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture, out double amount))
            return false;
        double seconds = amount * match.Groups[2].Value switch { "ms" => 0.001, "s" => 1, "m" => 60, "h" => 3600, _ => 86400 };
        if (seconds > 100 * 366 * 86400d)
            return false;
        duration = TimeSpan.FromSeconds(seconds);
        return true;
    }

    private YamlValue? Take(string key)
    {
        if (!_known.Contains(key))
            _known.Add(key);
        return _map.Entries.TryGetValue(key, out (YamlValue Value, string Place) entry) ? entry.Value : null;
    }

    private string PathOf(string key) => _path.Length == 0 ? key : $"{_path}.{key}";

    private string PlaceOf(string key) => _map.Entries.TryGetValue(key, out (YamlValue Value, string Place) entry) ? entry.Place : _map.Place;

    private T Wrong<T>(string place, string key, string message, T instead)
    {
        _errors.Add(new ConfigurationError(place, $"'{PathOf(key)}' {message}."));
        return instead;
    }

    private static int Distance(string a, string b)
    {
        var row = new int[b.Length + 1];
        for (int j = 0; j <= b.Length; j++)
            row[j] = j;
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int above = row[j];
                row[j] = Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }

        return row[b.Length];
    }

    [GeneratedRegex(@"^(\d+(?:\.\d+)?)(ms|s|m|h|d)$")]
    private static partial Regex DurationForm();
}
