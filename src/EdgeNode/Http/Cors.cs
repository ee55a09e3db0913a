using Microsoft.AspNetCore.Http;

namespace EdgeNode.Http;

/// <summary>Lets pages of configured origins call the API (Fetch Standard, section 3.2). No cookies are used, so credentials are never allowed.</summary>
internal sealed class Cors(IReadOnlyList<string> origins)
{
    private const string DayInSeconds = "86400";

    /// <summary>Adds the headers; true when it was a preflight, which is answered with them alone.</summary>
    public bool Answer(HttpContext context)
    {
        string? origin = context.Request.Headers.Origin;
        if (origins.Count == 0 || string.IsNullOrEmpty(origin))
            return false;
        IHeaderDictionary headers = context.Response.Headers;
        headers.Vary = "Origin";
        if (!origins.Contains(origin, StringComparer.OrdinalIgnoreCase))
            return false;
        headers.AccessControlAllowOrigin = origin;
        headers.AccessControlExposeHeaders = "Retry-After, ETag, Content-Disposition";
        if (!HttpMethods.IsOptions(context.Request.Method) || context.Request.Headers.AccessControlRequestMethod.Count == 0)
            return false;
        headers.AccessControlAllowMethods = "GET, HEAD, POST, PUT, DELETE";
        headers.AccessControlAllowHeaders = "Authorization, Content-Type, If-None-Match, Last-Event-ID";
        headers.AccessControlMaxAge = DayInSeconds;
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return true;
    }
}
