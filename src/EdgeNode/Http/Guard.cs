using System.Net;
using EdgeNode.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace EdgeNode.Http;

/// <summary>
/// The only way to map a route: each declares what it needs, and its handler runs with the grant in hand. Judged after
/// routing, on the values that the handler will use.
/// </summary>
public sealed class Guard(IEndpointRouteBuilder routes, AccessTokens tokens, TimeProvider time)
{
    /// <summary>The route value that holds a token, where the token is part of the path.</summary>
    public const string TokenInPath = "jwt";

    /// <summary>The route value, and the query parameter, that names a camera.</summary>
    public const string CameraInPath = "camera_id";

    private const int WrongTokensAtOnce = 30;

    // Who has a valid token is never held up by a neighbour at the same address.
    private readonly Allowance<IPAddress> _failures = new(WrongTokensAtOnce, TimeSpan.FromSeconds(2), time);
    private readonly List<ApiRoute> _routes = [];

    /// <summary>The answer to a token that shows other cameras, not this one.</summary>
    public static Problem OtherCamera { get; } = new(StatusCodes.Status403Forbidden, "Forbidden", "This token is for other cameras: ask for one that names this camera.");

    /// <summary>Every route, as declared.</summary>
    public IReadOnlyList<ApiRoute> Routes => _routes;

    /// <summary>Maps a route.</summary>
    public void Map(ApiRoute route)
    {
        _routes.Add(route);
        string[] methods = route.Method == HttpMethods.Get ? [HttpMethods.Get, HttpMethods.Head] : [route.Method];
        routes.MapMethods(route.Pattern, methods, context => route.Needs is Role role ? AdmitAsync(context, route, role) : route.Handler(context, null!));
    }

    /// <summary>Goes on only with a grant that shows this camera.</summary>
    /// <exception cref="RefusedException">It does not.</exception>
    public static void Require(AccessGrant grant, string camera)
    {
        if (!grant.Allows(camera))
            throw new RefusedException(OtherCamera);
    }

    private async Task AdmitAsync(HttpContext context, ApiRoute route, Role role)
    {
        bool inPath = context.Request.RouteValues.TryGetValue(TokenInPath, out object? value);
        string? token = inPath ? value as string : Bearer(context.Request);
        (TokenVerdict verdict, AccessGrant? grant) = token is null ? (TokenVerdict.Invalid, null) : await tokens.ValidateAsync(token, watching: inPath);
        if (verdict == TokenVerdict.Invalid && token is not null && !_failures.TryTake(ClientNetwork.Of(context.Connection.RemoteIpAddress ?? IPAddress.None)))
            throw new RefusedException(Problem.TooMany("Too many requests with wrong tokens came from this address: wait a minute."));

        Problem? refusal = verdict switch
        {
            TokenVerdict.Valid when grant!.Role < role => new Problem(StatusCodes.Status403Forbidden, "Forbidden", $"This needs the role {AccessTokens.NameOf(role)}."),
            TokenVerdict.Valid when route.IsOfWholeNode && grant.Cameras is not null => new Problem(StatusCodes.Status403Forbidden, "Forbidden", "This needs a token for all cameras."),
            TokenVerdict.Valid => OfCamera(context, grant),
            // Players stop at 410 and try for ever at 401.
            TokenVerdict.Expired or TokenVerdict.Revoked when inPath => new Problem(StatusCodes.Status410Gone, "Gone", "This view URL has ended: ask for a new one."),
            TokenVerdict.Expired or TokenVerdict.Revoked => new Problem(StatusCodes.Status401Unauthorized, "Unauthorized", "This token has ended: get a new one."),
            _ => new Problem(StatusCodes.Status401Unauthorized, "Unauthorized", "This needs a valid token of this node, as 'Authorization: Bearer' or in a view URL."),
        };
        if (refusal is not null)
            throw new RefusedException(refusal);
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = route.BodyAtMost;
        await route.Handler(context, grant!);
    }

    private static Problem? OfCamera(HttpContext context, AccessGrant grant)
    {
        if (context.Request.RouteValues.TryGetValue(CameraInPath, out object? inPath) && !grant.Allows(inPath as string ?? ""))
            return OtherCamera;
        foreach (string? inQuery in context.Request.Query[CameraInPath])
        {
            if (!grant.Allows(inQuery ?? ""))
                return OtherCamera;
        }

        return null;
    }

    private static string? Bearer(HttpRequest request)
    {
        const string Scheme = "Bearer ";
        string? header = request.Headers.Authorization;
        return header is not null && header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? header[Scheme.Length..].Trim() : null;
    }
}
