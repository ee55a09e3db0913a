using System.Reflection;
using Microsoft.AspNetCore.Http;

namespace EdgeNode.Http;

/// <summary>The pages, embedded in the program. They show nothing of a camera by themselves: what they show they ask for with a token.</summary>
internal static class PageRoutes
{
    private static readonly (string Path, string Resource, string ContentType)[] Files =
    [
        ("/", "web/index.html", "text/html; charset=utf-8"),
        ("/web/app.css", "web/app.css", "text/css; charset=utf-8"),
        ("/web/app.js", "web/app.js", "text/javascript; charset=utf-8"),
        ("/web/hls.min.js", "web/hls.min.js", "text/javascript; charset=utf-8"),
    ];

    public static void Map(Guard guard)
    {
        foreach ((string path, string resource, string contentType) in Files)
        {
            guard.Map(new ApiRoute(HttpMethods.Get, path, "A file of the page.", null, async (context, _) =>
            {
                using Stream? content = Assembly.GetExecutingAssembly().GetManifestResourceStream(resource);
                if (content is null)
                    throw new RefusedException(Problem.NotFound($"This build holds no {resource}."));

                context.Response.ContentType = contentType;
                context.Response.ContentLength = content.Length;
                context.Response.Headers.CacheControl = "no-cache";
                context.Response.Headers.ContentSecurityPolicy =
                    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; media-src 'self' blob:; img-src data:; worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
                if (!HttpMethods.IsHead(context.Request.Method))
                    await content.CopyToAsync(context.Response.Body, context.RequestAborted);
            })
            { IsHidden = path != "/", AnswerType = contentType });
        }
    }
}
