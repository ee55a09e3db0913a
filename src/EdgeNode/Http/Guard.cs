using EdgeNode.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace EdgeNode.Http;

/// <summary>
/// The only way to map a route: each says what it needs, and its handler runs with the grant in hand. Judged after
/// routing, on the values that the handler will use.
/// </summary>
public sealed class Guard(IEndpointRouteBuilder routes, AccessTokens tokens)
{
    /// <summary>The route value that holds a token, where the token is part of the path.</summary>
    public const string TokenInPath = "jwt";

    /// <summary>A route that anybody may call: <c>/healthz</c>, <c>/readyz</c>, the login page and its files.</summary>
    public void Open(string pattern, RequestDelegate handler) => routes.MapMethods(pattern, [HttpMethods.Get, HttpMethods.Head], handler);

    /// <summary>A GET route for holders of <paramref name="role"/> or more.</summary>
    public void Get(string pattern, Role role, Func<HttpContext, AccessGrant, Task> handler) =>
        Map(pattern, [HttpMethods.Get, HttpMethods.Head], role, handler);

    /// <summary>A POST route for holders of <paramref name="role"/> or more.</summary>
    public void Post(string pattern, Role role, Func<HttpContext, AccessGrant, Task> handler) => Map(pattern, [HttpMethods.Post], role, handler);

    /// <summary>A DELETE route for holders of <paramref name="role"/> or more.</summary>
    public void Delete(string pattern, Role role, Func<HttpContext, AccessGrant, Task> handler) => Map(pattern, [HttpMethods.Delete], role, handler);

    /// <summary>The answer to a token that shows other cameras, not this one.</summary>
    public static Problem OtherCamera { get; } = new(StatusCodes.Status403Forbidden, "Forbidden", "This token is for other cameras: ask for one that names this camera.");

    private void Map(string pattern, string[] methods, Role role, Func<HttpContext, AccessGrant, Task> handler)
    {
        routes.MapMethods(pattern, methods, async context =>
        {
            bool inPath = context.Request.RouteValues.TryGetValue(TokenInPath, out object? value);
            string? token = inPath ? value as string : Bearer(context.Request);
            (TokenVerdict verdict, AccessGrant? grant) = token is null ? (TokenVerdict.Invalid, null) : await tokens.ValidateAsync(token, watching: inPath);
            Problem? refusal = verdict switch
            {
                TokenVerdict.Valid when grant!.Role >= role => null,
                TokenVerdict.Valid => new Problem(StatusCodes.Status403Forbidden, "Forbidden", $"This needs the role {AccessTokens.NameOf(role)}."),
                // Players stop at 410 and try for ever at 401.
                TokenVerdict.Expired or TokenVerdict.Revoked when inPath => new Problem(StatusCodes.Status410Gone, "Gone", "This view URL has ended: ask for a new one."),
                TokenVerdict.Expired or TokenVerdict.Revoked => new Problem(StatusCodes.Status401Unauthorized, "Unauthorized", "This token has ended: get a new one."),
                _ => new Problem(StatusCodes.Status401Unauthorized, "Unauthorized", "This needs a valid token of this node, as 'Authorization: Bearer' or in a view URL."),
            };
            await (refusal is null ? handler(context, grant!) : refusal.WriteAsync(context));
        });
    }

    private static string? Bearer(HttpRequest request)
    {
        const string Scheme = "Bearer ";
        string? header = request.Headers.Authorization;
        return header is not null && header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? header[Scheme.Length..].Trim() : null;
    }
}
