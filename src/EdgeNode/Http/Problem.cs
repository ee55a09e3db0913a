using System.Text.Json;
using Microsoft.AspNetCore.Http;

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
        return WriteJson.SendAsync(context, this, HttpJson.Default.Problem, "application/problem+json");
    }

    internal static Problem BadRequest(string detail) => new(StatusCodes.Status400BadRequest, "Bad request", detail);

    internal static Problem NotFound(string detail) => new(StatusCodes.Status404NotFound, "Not found", detail);
}

internal static class WriteJson
{
    public static async Task SendAsync<T>(HttpContext context, T value, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type, string contentType = "application/json")
    {
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(value, type);
        context.Response.ContentType = contentType;
        context.Response.ContentLength = body.Length;
        context.Response.Headers.CacheControl = "no-store";
        if (!HttpMethods.IsHead(context.Request.Method))
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }
}
