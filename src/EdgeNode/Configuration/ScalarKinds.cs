using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace EdgeNode.Configuration;

/// <summary>A text of a form.</summary>
/// <param name="pattern">A regular expression (ECMA 262, as JSON Schema has them) that it matches; null: any that is not empty.</param>
/// <param name="form">The same, compiled.</param>
/// <param name="allowed">The form in words, to follow "must be".</param>
/// <param name="repeat">Whether a wrong value may be repeated: not where people may have written a password into it.</param>
internal sealed class TextKind(string? pattern = null, Regex? form = null, string allowed = "a text", bool repeat = true) : ValueKind<string>
{
    /// <inheritdoc/>
    public override bool TryRead(YamlValue value, KeyPlace at, out string read)
    {
        if (!TryText(value, at, out read))
            return false;
        // '$' lets one line break through.
        if (read.Length > 0 && read[^1] != '\n' && form?.IsMatch(read) != false)
            return true;
        at.Error($"must be {allowed}{(repeat ? $", {Quoted(read)}" : "")}");
        return false;
    }

    /// <inheritdoc/>
    public override void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteString("type", "string");
        if (pattern is null)
            json.WriteNumber("minLength", 1);
        else
            json.WriteString("pattern", pattern);
    }
}

/// <summary>True or false.</summary>
internal sealed class FlagKind : ValueKind<bool>
{
    /// <inheritdoc/>
    public override bool TryRead(YamlValue value, KeyPlace at, out bool read)
    {
        read = false;
        if (!TryText(value, at, out string text))
            return false;
        switch (text)
        {
            case "true" or "yes" or "on":
                read = true;
                return true;
            case "false" or "no" or "off":
                return true;
            default:
                at.Error($"must be true or false, {Quoted(text)}");
                return false;
        }
    }

    /// <inheritdoc/>
    public override void WriteSchema(Utf8JsonWriter json) => json.WriteString("type", "boolean");

    /// <inheritdoc/>
    public override void WriteJson(Utf8JsonWriter json, YamlValue value) => json.WriteBooleanValue(((YamlScalar)value).Text == "true");
}

/// <summary>A number within bounds, as <c>0.5</c> or <c>4e9</c>.</summary>
internal sealed class NumberKind(double least, double most, bool whole = false) : ValueKind<double>
{
    /// <inheritdoc/>
    public override bool TryRead(YamlValue value, KeyPlace at, out double read)
    {
        read = 0;
        if (!TryText(value, at, out string text))
            return false;
        if (double.TryParse(text, NumberStyles.Float & ~(NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite), CultureInfo.InvariantCulture, out read)
            && read >= least && read <= most && (!whole || double.IsInteger(read)))
            return true;
        at.Error(string.Create(CultureInfo.InvariantCulture, $"must be a {(whole ? "whole number" : "number")} from {least} to {most}, {Quoted(text)}"));
        return false;
    }

    /// <inheritdoc/>
    public override void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteString("type", whole ? "integer" : "number");
        json.WriteNumber("minimum", least);
        json.WriteNumber("maximum", most);
    }

    /// <inheritdoc/>
    public override void WriteJson(Utf8JsonWriter json, YamlValue value) => json.WriteNumberValue(double.Parse(((YamlScalar)value).Text!, CultureInfo.InvariantCulture));
}

/// <summary>A duration with its unit, within bounds.</summary>
internal sealed class DurationKind(TimeSpan least, TimeSpan most) : ValueKind<TimeSpan>
{
    /// <inheritdoc/>
    public override bool TryRead(YamlValue value, KeyPlace at, out TimeSpan read)
    {
        read = default;
        if (!TryText(value, at, out string text))
            return false;
        if (DurationText.TryParse(text, out read) && read >= least && read <= most)
            return true;
        at.Error($"must be a duration with its unit (ms, s, m, h or d) from {DurationText.Format(least)} to {DurationText.Format(most)}, {Quoted(text)}");
        return false;
    }

    /// <inheritdoc/>
    public override void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteString("type", "string");
        json.WriteString("pattern", DurationText.Pattern);
    }
}

/// <summary>One word of an enumeration, in lower case.</summary>
internal sealed class WordKind<T> : ValueKind<T>
    where T : struct, Enum
{
    private static readonly string[] Words = [.. Enum.GetNames<T>().Select(name => name.ToLowerInvariant())];
    private static readonly T[] Values = Enum.GetValues<T>();

    /// <inheritdoc/>
    public override bool TryRead(YamlValue value, KeyPlace at, out T read)
    {
        read = default;
        if (!TryText(value, at, out string text))
            return false;
        int word = Array.IndexOf(Words, text);
        if (word < 0)
            at.Error($"must be {(Words.Length == 1 ? "" : string.Join(", ", Words[..^1]) + " or ")}{Words[^1]}, {Quoted(text)}");
        else
            read = Values[word];
        return word >= 0;
    }

    /// <inheritdoc/>
    public override void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteStartArray("enum");
        foreach (string word in Words)
            json.WriteStringValue(word);
        json.WriteEndArray();
    }
}

/// <summary>A value, or one word (<c>off</c>, <c>auto</c>) that stands for none.</summary>
internal sealed class OrWordKind<T>(string word, ValueKind<T> kind) : ValueKind<T?>
    where T : struct
{
    /// <inheritdoc/>
    public override bool TryRead(YamlValue value, KeyPlace at, out T? read)
    {
        read = null;
        if (OrWord.Is(value, word))
            return true;
        if (!kind.TryRead(value, at, out T one))
            return false;
        read = one;
        return true;
    }

    /// <inheritdoc/>
    public override void WriteSchema(Utf8JsonWriter json) => OrWord.WriteSchema(json, word, kind);

    /// <inheritdoc/>
    public override void WriteJson(Utf8JsonWriter json, YamlValue value) => OrWord.WriteJson(json, value, word, kind);
}

/// <summary>As <see cref="OrWordKind{T}"/>, for what is no structure.</summary>
internal sealed class OrWordReferenceKind<T>(string word, ValueKind<T> kind) : ValueKind<T?>
    where T : class
{
    /// <inheritdoc/>
    public override bool TryRead(YamlValue value, KeyPlace at, out T? read)
    {
        read = null;
        if (OrWord.Is(value, word))
            return true;
        if (!kind.TryRead(value, at, out T one))
            return false;
        read = one;
        return true;
    }

    /// <inheritdoc/>
    public override void WriteSchema(Utf8JsonWriter json) => OrWord.WriteSchema(json, word, kind);

    /// <inheritdoc/>
    public override void WriteJson(Utf8JsonWriter json, YamlValue value) => OrWord.WriteJson(json, value, word, kind);
}

/// <summary>The word that stands for none. Editors that know YAML 1.1 read <c>off</c> as false.</summary>
file static class OrWord
{
    public static bool Is(YamlValue value, string word) => value is YamlScalar { Text: string text } && (text == word || word == "off" && text == "false");

    public static void WriteSchema(Utf8JsonWriter json, string word, ValueKind kind)
    {
        json.WriteStartArray("anyOf");
        json.WriteStartObject();
        json.WriteStartArray("enum");
        json.WriteStringValue(word);
        if (word == "off")
            json.WriteBooleanValue(false);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteStartObject();
        kind.WriteSchema(json);
        json.WriteEndObject();
        json.WriteEndArray();
    }

    public static void WriteJson(Utf8JsonWriter json, YamlValue value, string word, ValueKind kind)
    {
        if (Is(value, word))
            json.WriteStringValue(word);
        else
            kind.WriteJson(json, value);
    }
}

/// <summary>A URL of one of two schemes, without a password in it.</summary>
/// <param name="form">What it looks like, compiled.</param>
/// <param name="pattern">The same as a regular expression (ECMA 262).</param>
/// <param name="allowed">The same in words, to follow "must be".</param>
internal sealed class UrlKind(string pattern, Regex form, string allowed) : ValueKind<Uri>
{
    /// <inheritdoc/>
    public override bool TryRead(YamlValue value, KeyPlace at, out Uri read)
    {
        read = null!;
        if (!TryText(value, at, out string text))
            return false;
        if (form.IsMatch(text) && Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && url.Host.Length > 0)
        {
            read = url;
            return true;
        }

        at.Error($"must be {allowed}");
        return false;
    }

    /// <inheritdoc/>
    public override void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteString("type", "string");
        json.WriteString("pattern", pattern);
    }
}

/// <summary>An address of this machine and a port.</summary>
internal sealed class ListenKind : ValueKind<ListenAddress>
{
    /// <inheritdoc/>
    public override bool TryRead(YamlValue value, KeyPlace at, out ListenAddress read)
    {
        read = null!;
        if (!TryText(value, at, out string text))
            return false;
        int colon = text.LastIndexOf(':');
        if (colon <= 0 || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port) || port > 65535)
        {
            at.Error($"must be ADDRESS:PORT such as 0.0.0.0:8080, {Quoted(text)}");
            return false;
        }

        bool isBracketed = text[0] == '[' && text[colon - 1] == ']';
        string host = isBracketed ? text[1..(colon - 1)] : text[..colon];
        if (host != "localhost" && !(IPAddress.TryParse(host, out IPAddress? address) && isBracketed == (address.AddressFamily == AddressFamily.InterNetworkV6)))
        {
            at.Error($"must begin with an IP address of this machine ([::] in brackets), 0.0.0.0 for all, or localhost, {Quoted(host)}");
            return false;
        }

        read = new ListenAddress(host, port);
        return true;
    }

    /// <inheritdoc/>
    public override void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteString("type", "string");
        json.WriteString("pattern", @"^(localhost|[0-9.]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}$");
    }
}

/// <summary>A point of the picture, <c>[x, y]</c> in fractions of its width and height.</summary>
internal sealed class PointKind : ValueKind<PicturePoint>
{
    private static readonly NumberKind Fraction = new(0, 1);

    /// <inheritdoc/>
    public override bool TryRead(YamlValue value, KeyPlace at, out PicturePoint read)
    {
        read = default;
        if (value is not YamlList { Items: [YamlValue first, YamlValue second] })
        {
            at.Error("must be a point [x, y], from 0 to 1 of the picture's width and height");
            return false;
        }

        // Both are read, so that both are named where they are wrong.
        if (!(Fraction.TryRead(first, at, out double x) & Fraction.TryRead(second, at, out double y)))
            return false;
        read = new PicturePoint(x, y);
        return true;
    }

    /// <inheritdoc/>
    public override void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteString("type", "array");
        json.WriteNumber("minItems", 2);
        json.WriteNumber("maxItems", 2);
        json.WriteStartObject("items");
        Fraction.WriteSchema(json);
        json.WriteEndObject();
    }
}
