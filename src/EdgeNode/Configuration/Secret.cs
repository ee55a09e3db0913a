using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace EdgeNode.Configuration;

/// <summary>
/// A password or key that cannot be printed or serialised by accident: as text, in a record that holds it, in JSON and in a debugger it
/// is <c>***</c>. Two are equal when their values are; comparing takes as long for any two of one length.
/// </summary>
[DebuggerDisplay("***")]
[JsonConverter(typeof(SecretConverter))]
public sealed class Secret(string value) : IEquatable<Secret>
{
    private const string Shown = "***";

    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    private readonly string _value = value;

    /// <summary>The value itself, for the one who must send it.</summary>
    public string Reveal() => _value;

    /// <inheritdoc/>
    public bool Equals(Secret? other) =>
        other is not null && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(_value), Encoding.UTF8.GetBytes(other._value));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Secret);

    /// <summary>The same for all: nothing of the value shows.</summary>
    public override int GetHashCode() => Shown.Length;

    /// <summary>Always <c>***</c>.</summary>
    public override string ToString() => Shown;
}

/// <summary>Writes any secret as <c>***</c>, and reads none.</summary>
public sealed class SecretConverter : JsonConverter<Secret>
{
    /// <summary>Always fails.</summary>
    /// <exception cref="JsonException">Always.</exception>
    public override Secret Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        throw new JsonException("A secret is not read from JSON: read the text, and make a secret of it.");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, Secret value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());

    /// <inheritdoc/>
    public override void WriteAsPropertyName(Utf8JsonWriter writer, Secret value, JsonSerializerOptions options) => writer.WritePropertyName(value.ToString());
}
