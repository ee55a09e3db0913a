using System.Text;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;

namespace EdgeNode.Http;

/// <summary>The description of all routes (OpenAPI 3.1), made from their declarations; schemas from the same metadata that reads and writes the JSON.</summary>
internal static class OpenApi
{
    private const string ProblemReference = "#/components/responses/problem";

    /// <summary>The document, UTF-8.</summary>
    public static byte[] Describe(IEnumerable<ApiRoute> routes, string version)
    {
        var schemas = new JsonObject();
        var paths = new JsonObject();
        foreach (ApiRoute route in routes.Where(r => !r.IsHidden))
        {
            if (paths[route.Pattern] is not JsonObject path)
                paths[route.Pattern] = path = [];
            path[route.Method.ToLowerInvariant()] = Operation(route, schemas);
        }

        JsonNode problem = Reference(HttpJson.Default.Problem, schemas);
        var document = new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject { ["title"] = "EdgeNode", ["version"] = version },
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["schemas"] = schemas,
                ["responses"] = new JsonObject
                {
                    ["problem"] = new JsonObject
                    {
                        ["description"] = "What is wrong, and what to do (RFC 9457).",
                        ["content"] = new JsonObject { ["application/problem+json"] = new JsonObject { ["schema"] = problem } },
                    },
                },
                ["securitySchemes"] = new JsonObject
                {
                    ["token"] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer", ["bearerFormat"] = "JWT" },
                },
            },
        };
        return Encoding.UTF8.GetBytes(document.ToJsonString());
    }

    private static JsonObject Operation(ApiRoute route, JsonObject schemas)
    {
        bool isTokenInPath = route.Pattern.Contains($"{{{Guard.TokenInPath}}}", StringComparison.Ordinal);
        var security = new JsonArray();
        if (route.Needs is not null && !isTokenInPath)
            security.Add((JsonNode)new JsonObject { ["token"] = new JsonArray() });
        var success = new JsonObject { ["description"] = "Done." };
        JsonObject schema = route.Answer is null ? new JsonObject { ["type"] = "string" } : Reference(route.Answer, schemas);
        success["content"] = new JsonObject { [route.AnswerType.Split(';')[0]] = new JsonObject { ["schema"] = schema } };
        var operation = new JsonObject
        {
            ["summary"] = route.Summary,
            ["operationId"] = OperationId(route),
            ["security"] = security,
            ["parameters"] = Parameters(route),
            ["responses"] = new JsonObject { ["200"] = success, ["default"] = new JsonObject { ["$ref"] = ProblemReference } },
        };
        if (route.Needs is { } role)
            operation["x-role"] = Access.AccessTokens.NameOf(role);
        if (route.Request is not null)
        {
            var content = new JsonObject { ["application/json"] = new JsonObject { ["schema"] = Reference(route.Request, schemas) } };
            if (route.OtherRequestType is string other)
                content[other] = new JsonObject { ["schema"] = new JsonObject { ["type"] = "object" } };
            operation["requestBody"] = new JsonObject { ["required"] = true, ["content"] = content };
        }

        return operation;
    }

    private static JsonArray Parameters(ApiRoute route)
    {
        var parameters = new JsonArray();
        int at = 0;
        while ((at = route.Pattern.IndexOf('{', at)) >= 0)
        {
            int end = route.Pattern.IndexOf('}', at);
            parameters.Add((JsonNode)Parameter(route.Pattern[(at + 1)..end], "path", isRequired: true, "string", null));
            at = end;
        }

        foreach (ApiParameter query in route.Query)
            parameters.Add((JsonNode)Parameter(query.Name, "query", query.IsRequired, query.Type, query.Description));
        return parameters;
    }

    private static JsonObject Parameter(string name, string place, bool isRequired, string type, string? description)
    {
        var parameter = new JsonObject { ["name"] = name, ["in"] = place, ["required"] = isRequired, ["schema"] = new JsonObject { ["type"] = type } };
        if (description is not null)
            parameter["description"] = description;
        return parameter;
    }

    private static JsonObject Reference(JsonTypeInfo type, JsonObject schemas)
    {
        string name = type.Type.Name;
        if (!schemas.ContainsKey(name))
        {
            var options = new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true };
            JsonNode schema = type.GetJsonSchemaAsNode(options);
            Rebase(schema, $"#/components/schemas/{name}");
            schemas[name] = schema;
        }

        return new JsonObject { ["$ref"] = $"#/components/schemas/{name}" };
    }

    // The exporter refers to what it described before from the root of its own document.
    private static void Rebase(JsonNode? node, string root)
    {
        if (node is JsonArray array)
        {
            foreach (JsonNode? item in array)
                Rebase(item, root);
        }
        else if (node is JsonObject map)
        {
            if (map["$ref"] is JsonValue value && value.TryGetValue(out string? reference) && reference.StartsWith('#') && !reference.StartsWith(root, StringComparison.Ordinal))
                map["$ref"] = root + reference[1..];
            foreach ((_, JsonNode? item) in map)
                Rebase(item, root);
        }
    }

    private static string OperationId(ApiRoute route)
    {
        var id = new StringBuilder(route.Method.ToLowerInvariant());
        foreach (string segment in route.Pattern.Split('/', StringSplitOptions.RemoveEmptyEntries))
            id.Append('_').Append(segment.Trim('{', '}').Replace('.', '_').Replace('-', '_'));
        return id.ToString();
    }
}
