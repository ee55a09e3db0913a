using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace EdgeNode.Http;

/// <summary>Reads JSON bodies strictly: one object, every member known and of its kind, and each refusal names the member.</summary>
internal static class RequestBody
{
    private const int DepthAtMost = 16;
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = DepthAtMost, AllowDuplicateProperties = false };

    /// <summary>The body as a <typeparamref name="T"/>.</summary>
    /// <exception cref="RefusedException">It is none; the problem says what is wrong with it.</exception>
    public static async Task<T> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type)
        where T : class
    {
        RefuseOtherTypes(context.Request.ContentType);
        JsonDocument document;
        try
        {
            document = await JsonDocument.ParseAsync(context.Request.Body, Strict, context.RequestAborted);
        }
        catch (JsonException)
        {
            throw Refused($"The body must be one JSON object: {Members(type)}.");
        }

        using (document)
        {
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
                throw Refused($"The body must be one JSON object: {Members(type)}.");
            foreach (JsonProperty member in root.EnumerateObject())
            {
                if (!type.Properties.Any(known => known.Name == member.Name))
                    throw Refused($"There is no member '{Shown(member.Name)}': there are {Members(type)}.");
            }

            foreach (JsonPropertyInfo known in type.Properties)
            {
                if (known.IsRequired && (!root.TryGetProperty(known.Name, out JsonElement value) || value.ValueKind == JsonValueKind.Null))
                    throw Refused($"The member '{known.Name}' is missing.");
            }

            try
            {
                return root.Deserialize(type) ?? throw Refused($"The body must be one JSON object: {Members(type)}.");
            }
            catch (JsonException fault)
            {
                throw Refused($"The member '{Shown(fault.Path?.TrimStart('$', '.') ?? "")}' is not of its kind.");
            }
        }
    }

    // Programs that name no type, or plain text, mean JSON; a form is a mistake that is better told.
    private static void RefuseOtherTypes(string? contentType)
    {
        string media = (contentType ?? "").Split(';')[0].Trim();
        if (media is "" or "text/plain" || media.EndsWith("/json", StringComparison.OrdinalIgnoreCase) || media.EndsWith("+json", StringComparison.OrdinalIgnoreCase))
            return;
        throw new RefusedException(new Problem(StatusCodes.Status415UnsupportedMediaType, "Unsupported media type", "The body must be JSON: send it with 'Content-Type: application/json'."));
    }

    private static RefusedException Refused(string detail) => new(Problem.BadRequest(detail));

    private static string Members(JsonTypeInfo type) => string.Join(", ", type.Properties.Select(p => p.Name));

    private static string Shown(string name) => name.Length <= 64 ? name : name[..64] + "…";
}
