using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace EdgeNode.Http;

/// <summary>An error answer after RFC 9457: what happened, and what to do, in one sentence.</summary>
public sealed record Problem(int Status, string Title, string Detail)
{
    /// <summary>Sends it as <c>application/problem+json</c>.</summary>
    public Task WriteAsync(HttpContext context)
    {
        context.Response.StatusCode = Status;
        if (Status == StatusCodes.Status401Unauthorized)
            context.Response.Headers.WWWAuthenticate = "Bearer";
        if (Status == StatusCodes.Status503ServiceUnavailable)
            context.Response.Headers.RetryAfter = "1";
        if (Status == StatusCodes.Status429TooManyRequests)
            context.Response.Headers.RetryAfter = "60";
        return WriteJson.SendAsync(context, this, HttpJson.Default.Problem, "application/problem+json");
    }

    internal static Problem BadRequest(string detail) => new(StatusCodes.Status400BadRequest, "Bad request", detail);

    internal static Problem NotFound(string detail) => new(StatusCodes.Status404NotFound, "Not found", detail);

    internal static Problem NoCamera(string id) => NotFound($"There is no camera '{(id.Length <= 80 ? id : "…")}' here.");

    internal static Problem Conflict(string detail) => new(StatusCodes.Status409Conflict, "Conflict", detail);

    internal static Problem Unprocessable(string detail) => new(StatusCodes.Status422UnprocessableEntity, "Unprocessable", detail);

    internal static Problem TooMany(string detail) => new(StatusCodes.Status429TooManyRequests, "Too many requests", detail);

    internal static Problem Unavailable(string title, string detail) => new(StatusCodes.Status503ServiceUnavailable, title, detail);

    /// <summary>For a status that the server or the routing gave without a word.</summary>
    internal static Problem OfStatus(int status) => status switch
    {
        StatusCodes.Status404NotFound => NotFound("There is no such route: see /openapi.json."),
        StatusCodes.Status405MethodNotAllowed => new(status, "Method not allowed", "This route is not for that method: see the header Allow."),
        StatusCodes.Status413PayloadTooLarge => new(status, "Too large", "The body is larger than this route takes."),
        _ => new(status, ReasonPhrases.GetReasonPhrase(status), "The request cannot be answered as it is."),
    };
}

/// <summary>Ends a request with a problem.</summary>
public sealed class RefusedException(Problem problem) : Exception(problem.Detail)
{
    /// <summary>The answer.</summary>
    public Problem Problem { get; } = problem;
}

internal static class WriteJson
{
    public static async Task SendAsync<T>(HttpContext context, T value, JsonTypeInfo<T> type, string contentType = "application/json")
    {
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(value, type);
        await SendAsync(context, body, contentType);
    }

    public static async Task SendAsync(HttpContext context, ReadOnlyMemory<byte> body, string contentType, string cacheControl = "no-store")
    {
        context.Response.ContentType = contentType;
        context.Response.ContentLength = body.Length;
        context.Response.Headers.CacheControl = cacheControl;
        if (!HttpMethods.IsHead(context.Request.Method))
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }
}
