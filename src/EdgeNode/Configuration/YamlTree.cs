using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace EdgeNode.Configuration;

/// <summary>Where a value comes from: a line and column of a file, from 1, or a source without lines (0).</summary>
internal readonly record struct YamlPlace(string Source, int Line = 0, int Column = 0) : IComparable<YamlPlace>
{
    public int CompareTo(YamlPlace other) => (Line, Column).CompareTo((other.Line, other.Column));

    public override string ToString() => Line == 0 ? Source : $"{Source}, line {Line}, column {Column}";
}

/// <summary>A YAML value with the place it came from, for errors.</summary>
internal abstract record YamlValue(YamlPlace Place)
{
    /// <summary>A key without a value, which is as if it were not there.</summary>
    public bool IsNull => this is YamlScalar { Text: null };
}

/// <summary>A scalar; plain <c>null</c>, <c>~</c> and nothing are null.</summary>
internal sealed record YamlScalar(string? Text, YamlPlace Place) : YamlValue(Place);

/// <summary>A sequence.</summary>
internal sealed record YamlList(IReadOnlyList<YamlValue> Items, YamlPlace Place) : YamlValue(Place);

/// <summary>A mapping, its keys in the order of the file, each with its own place.</summary>
internal sealed record YamlMap(YamlPlace Place) : YamlValue(Place)
{
    public Dictionary<string, (YamlValue Value, YamlPlace Place)> Entries { get; } = new(StringComparer.Ordinal);
}

/// <summary>
/// Builds the tree from the parser's events by hand: no reflection, so that the native binary reads what the tests read,
/// and every value keeps its line.
/// </summary>
internal sealed class YamlTree
{
    /// <summary>Longest text, in characters.</summary>
    public const int LongestText = 1 << 20;

    private const int DeepestNesting = 32;
    private const string InvalidYaml = "This is no valid YAML: look for a quote or a bracket that is not closed, a wrong indentation, or a value with special characters that has no quotes.";
    private readonly string _source;
    private readonly IParser _parser;

    private YamlTree(string source, IParser parser)
    {
        _source = source;
        _parser = parser;
    }

    /// <summary>Reads one document whose top is a mapping; an empty one is an empty map.</summary>
    /// <exception cref="ConfigurationException">It is no YAML, too long, or uses what the configuration does not need (anchors, tags, several documents).</exception>
    public static YamlMap Read(string source, TextReader text)
    {
        YamlValue root = ReadValue(source, ReadAll(source, text));
        return root switch
        {
            YamlMap map => map,
            { IsNull: true } => new YamlMap(root.Place),
            _ => throw Error(root.Place, "The file must hold sections such as 'node:' and 'cameras:'."),
        };
    }

    /// <summary>Reads one value of any kind.</summary>
    /// <exception cref="ConfigurationException">As for <see cref="Read"/>.</exception>
    public static YamlValue ReadValue(string source, string text)
    {
        // Editors of other systems begin a file with a byte order mark.
        text = text.TrimStart('\uFEFF');
        var tree = new YamlTree(source, new Parser(new StringReader(text)));
        try
        {
            tree._parser.Consume<StreamStart>();
            if (tree._parser.TryConsume<StreamEnd>(out _))
                return new YamlScalar(null, new YamlPlace(source, 1, 1));
            tree._parser.Consume<DocumentStart>();
            YamlValue root = tree.ReadValue(0);
            tree._parser.Consume<DocumentEnd>();
            if (!tree._parser.TryConsume<StreamEnd>(out _))
                throw Error(tree.PlaceOf(tree._parser.Current!), "The file must hold one document: take the '---' out.");
            return root;
        }
        catch (YamlException fault)
        {
            throw Explain(source, fault, text);
        }
        catch (Exception fault) when (fault is InvalidOperationException or ArgumentException or IndexOutOfRangeException or NullReferenceException)
        {
            // The parser fails so at some texts (a '...' before anything else, say) and does not say where.
            throw Error(tree._parser.Current is null ? new YamlPlace(source, 1, 1) : tree.PlaceOf(tree._parser.Current), InvalidYaml);
        }
    }

    private YamlValue ReadValue(int depth)
    {
        if (depth > DeepestNesting)
            throw Error(PlaceOf(_parser.Current!), "The values are nested too deeply.");
        // A secret that begins with one of these and has no quotes would be lost without a word.
        if (_parser.Current is Scalar { Anchor.IsEmpty: false } or NodeEvent { Tag.IsEmpty: false } or AnchorAlias)
            throw Error(PlaceOf(_parser.Current), "Anchors, aliases and tags are not used here: write the value out, in quotes where it begins with '&', '*' or '!'.");
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
                        throw Error(PlaceOf(key), $"The key '{UnknownKey.Shown(key.Value)}' stands here twice; remove one.");
                }

                return map;
            default:
                throw Error(PlaceOf(_parser.Current!), "A value is missing here.");
        }
    }

    private static string ReadAll(string source, TextReader text)
    {
        char[] content = new char[LongestText + 1];
        int length = text.ReadBlock(content);
        if (length > LongestText)
            throw Error(new YamlPlace(source), $"This is longer than {LongestText} characters: it is no configuration of a node.");
        return new string(content, 0, length);
    }

    // The parser's own words may hold a piece of the text: only those that are known not to are repeated.
    private static ConfigurationException Explain(string source, YamlException fault, string text)
    {
        string[] lines = text.Split('\n');
        // The parser may see a tab only from the line above it.
        for (int number = (int)fault.Start.Line; number <= Math.Min(fault.End.Line + 1, lines.Length); number++)
        {
            ReadOnlySpan<char> line = lines[number - 1];
            if (line[..(line.Length - line.TrimStart().Length)].Contains('\t'))
                return Error(new YamlPlace(source, number, 1), "This is no valid YAML: the line begins with a tab; indent with spaces.");
        }

        string words = fault.Message.TrimEnd('.');
        return Error(
            new YamlPlace(source, (int)fault.Start.Line, (int)fault.Start.Column),
            words.Contains('\'') || words.Contains('"') || words.Length > 120
                ? InvalidYaml
                : $"This is no valid YAML: {words}.");
    }

    private YamlPlace PlaceOf(ParsingEvent parsed) => new(_source, (int)parsed.Start.Line, (int)parsed.Start.Column);

    private static ConfigurationException Error(YamlPlace place, string message) => new([new ConfigurationError(place.ToString(), message)]);
}
