using System.Text.Json.Serialization.Metadata;
using EdgeNode.Access;
using Microsoft.AspNetCore.Http;

namespace EdgeNode.Http;

/// <summary>
/// A route as it is declared, once: what it needs, takes and answers. The <see cref="Guard"/> enforces it, and the OpenAPI description
/// is made from it. A part of the path named <see cref="Guard.CameraInPath"/>, and a query parameter of that name, must be a camera that
/// the token shows.
/// </summary>
/// <param name="Method">GET (HEAD comes with it), POST, PUT or DELETE.</param>
/// <param name="Pattern">Path with <c>{parameters}</c>.</param>
/// <param name="Summary">What it does, one sentence.</param>
/// <param name="Needs">The least role; null: anybody may call it.</param>
/// <param name="Handler">Answers it. The grant is null only on routes that anybody may call.</param>
public sealed record ApiRoute(string Method, string Pattern, string Summary, Role? Needs, Func<HttpContext, AccessGrant, Task> Handler)
{
    /// <summary>The token must be for all cameras: what it does concerns the whole node.</summary>
    public bool IsOfWholeNode { get; init; }

    /// <summary>Parameters behind the question mark.</summary>
    public IReadOnlyList<ApiParameter> Query { get; init; } = [];

    /// <summary>Shape of a JSON body; null: it takes none.</summary>
    public JsonTypeInfo? Request { get; init; }

    /// <summary>Another media type that the body may have; null: JSON alone.</summary>
    public string? OtherRequestType { get; init; }

    /// <summary>Bytes of a body at most.</summary>
    public long BodyAtMost { get; init; } = 256 << 10;

    /// <summary>Shape of a JSON answer; null: it is no JSON.</summary>
    public JsonTypeInfo? Answer { get; init; }

    /// <summary>Media type of the answer.</summary>
    public string AnswerType { get; init; } = "application/json";

    /// <summary>Whether the description leaves it out: files of the page.</summary>
    public bool IsHidden { get; init; }
}

/// <summary>A query parameter of a route.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Description">What it says, one sentence.</param>
/// <param name="IsRequired">It may not be left out.</param>
/// <param name="Type">JSON Schema type: <c>string</c> or <c>integer</c>.</param>
public sealed record ApiParameter(string Name, string Description, bool IsRequired = false, string Type = "string");
