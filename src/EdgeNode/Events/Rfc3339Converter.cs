using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace EdgeNode.Events;

/// <summary>Times in JSON: RFC 3339, UTC, always with three digits of milliseconds (<c>2026-01-02T03:04:05.678Z</c>).</summary>
public sealed class Rfc3339Converter : JsonConverter<DateTime>
{
    private const string Format = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
    private const int Length = 24;

    /// <inheritdoc/>
    public override DateTime Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.GetDateTimeOffset().UtcDateTime;

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, DateTime value, JsonSerializerOptions options)
    {
        Span<byte> text = stackalloc byte[Length];
        if (value.Kind == DateTimeKind.Local)
            value = value.ToUniversalTime();
        value.TryFormat(text, out int written, Format, CultureInfo.InvariantCulture);
        writer.WriteStringValue(text[..written]);
    }
}
