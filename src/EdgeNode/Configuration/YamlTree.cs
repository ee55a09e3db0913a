using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace EdgeNode.Configuration;

/// <summary>A YAML value with the place it came from, for errors.</summary>
internal abstract record YamlValue(string Place);

/// <summary>A scalar; plain <c>null</c>, <c>~</c> and nothing are null.</summary>
internal sealed record YamlScalar(string? Text, string Place) : YamlValue(Place);

/// <summary>A sequence.</summary>
internal sealed record YamlList(IReadOnlyList<YamlValue> Items, string Place) : YamlValue(Place);

/// <summary>A mapping, its keys in the order of the file.</summary>
internal sealed record YamlMap(string Place) : YamlValue(Place)
{
    public Dictionary<string, (YamlValue Value, string Place)> Entries { get; } = new(StringComparer.Ordinal);
}

/// <summary>
/// Builds the tree from the parser's events by hand: no reflection, so that the native binary reads what the tests read,
/// and every value keeps its line.
/// </summary>
internal sealed class YamlTree
{
    private const int DeepestNesting = 32;
    private readonly string _file;
    private readonly IParser _parser;

    private YamlTree(string file, IParser parser)
    {
        _file = file;
        _parser = parser;
    }

    /// <summary>Reads one document; an empty one is an empty map.</summary>
    /// <exception cref="ConfigurationException">It is no YAML, or uses what the configuration does not need (anchors, several documents).</exception>
    public static YamlMap Read(string file, TextReader text)
    {
        var tree = new YamlTree(file, new Parser(text));
        try
        {
            tree._parser.Consume<StreamStart>();
            if (tree._parser.TryConsume<StreamEnd>(out _))
                return new YamlMap($"{file}, line 1");
            tree._parser.Consume<DocumentStart>();
            YamlValue root = tree.ReadValue(0);
            tree._parser.Consume<DocumentEnd>();
            if (!tree._parser.TryConsume<StreamEnd>(out _))
                throw Error(tree.PlaceOf(tree._parser.Current!), "The file must hold one document: take the '---' out.");
            return root switch
            {
                YamlMap map => map,
                YamlScalar { Text: null } => new YamlMap(root.Place),
                _ => throw Error(root.Place, "The file must hold sections such as 'node:' and 'cameras:'."),
            };
        }
        catch (YamlException fault)
        {
            throw Error($"{file}, line {fault.Start.Line}", $"This is no valid YAML: {fault.Message.TrimEnd('.')}.");
        }
    }

    private YamlValue ReadValue(int depth)
    {
        if (depth > DeepestNesting)
            throw Error(PlaceOf(_parser.Current!), "The values are nested too deeply.");
        switch (_parser.Current)
        {
            case Scalar scalar:
                _parser.MoveNext();
                return new YamlScalar(scalar.Style == ScalarStyle.Plain && scalar.Value is "" or "~" or "null" ? null : scalar.Value, PlaceOf(scalar));
            case SequenceStart start:
                _parser.MoveNext();
                var items = new List<YamlValue>();
                while (!_parser.TryConsume<SequenceEnd>(out _))
                    items.Add(ReadValue(depth + 1));
                return new YamlList(items, PlaceOf(start));
            case MappingStart start:
                _parser.MoveNext();
                var map = new YamlMap(PlaceOf(start));
                while (!_parser.TryConsume<MappingEnd>(out _))
                {
                    if (_parser.Current is not Scalar)
                        throw Error(PlaceOf(_parser.Current!), "A key must be a plain word.");
                    Scalar key = _parser.Consume<Scalar>();
                    if (!map.Entries.TryAdd(key.Value, (ReadValue(depth + 1), PlaceOf(key))))
                        throw Error(PlaceOf(key), $"The key '{key.Value}' stands here twice; remove one.");
                }

                return map;
            default:
                throw Error(PlaceOf(_parser.Current!), "Anchors and aliases are not used here; write the value out.");
        }
    }

    private string PlaceOf(ParsingEvent parsed) => $"{_file}, line {parsed.Start.Line}";

    private static ConfigurationException Error(string place, string message) => new([new ConfigurationError(place, message)]);
}
