using System.Text;
using EdgeNode.Access;
using EdgeNode.Cameras;
using EdgeNode.Configuration;
using Microsoft.AspNetCore.Http;

namespace EdgeNode.Http;

/// <summary>The node itself: alive, ready, measured, described, reloaded.</summary>
internal sealed class NodeRoutes(HttpSubjects subjects)
{
    private byte[]? _description;

    public void Map(Guard guard)
    {
        guard.Map(new ApiRoute(HttpMethods.Get, "/healthz", "The process answers.", null, static (context, _) => PlainAsync(context, "ok\n")) { AnswerType = "text/plain" });
        guard.Map(new ApiRoute(HttpMethods.Get, "/readyz", "The node serves; 503 says why it does not. A camera that is away is no reason.", null, (context, _) =>
        {
            IReadOnlyList<string> hindrances = subjects.Hindrances();
            return hindrances.Count == 0 ? PlainAsync(context, "ready\n") : throw new RefusedException(Problem.Unavailable("Not ready", string.Join(' ', hindrances)));
        })
        { AnswerType = "text/plain" });
        guard.Map(new ApiRoute(HttpMethods.Get, "/metrics", "How node and cameras fare, for Prometheus.", Role.Viewer, MetricsAsync) { AnswerType = "text/plain" });
        guard.Map(new ApiRoute(HttpMethods.Get, "/openapi.json", "This description.", Role.Viewer, (context, _) =>
            WriteJson.SendAsync(context, _description ??= OpenApi.Describe(guard.Routes, subjects.Version), "application/json")));
        guard.Map(new ApiRoute(HttpMethods.Post, "/api/config/reload", "Reads the configuration file anew and carries out what changed.", Role.Admin, ReloadAsync) { IsOfWholeNode = true, Answer = HttpJson.Default.ReloadResult });
        guard.Map(new ApiRoute(HttpMethods.Get, "/api/log", "The newest lines of the node's log.", Role.Admin, (context, grant) =>
        {
            subjects.Audit.Record(grant, AuditAction.Backup, "log");
            return WriteJson.SendAsync(context, new LogLines(subjects.RecentLog()), HttpJson.Default.LogLines);
        })
        { IsOfWholeNode = true, Answer = HttpJson.Default.LogLines });
    }

    private Task MetricsAsync(HttpContext context, AccessGrant grant)
    {
        Camera[] cameras = [.. subjects.Registry.Cameras.All.Where(c => grant.Allows(c.Id))];
        return WriteJson.SendAsync(context, Encoding.UTF8.GetBytes(MetricsText.Write(subjects.Health(), cameras, subjects.Sessions.Count, subjects.Version)), MetricsText.ContentType);
    }

    private async Task ReloadAsync(HttpContext context, AccessGrant grant)
    {
        if (subjects.Reload is null)
            throw new RefusedException(Problem.Conflict("This node was started without a configuration file: there is nothing to read anew."));
        ReloadResult result = await Task.Run(subjects.Reload);
        subjects.Audit.Record(grant, AuditAction.ConfigurationReload, "configuration", result.Success ? AuditOutcome.Done : AuditOutcome.Failed);
        if (!result.Success)
            throw new RefusedException(Problem.Unprocessable(string.Join(' ', result.Errors)));
        await WriteJson.SendAsync(context, result, HttpJson.Default.ReloadResult);
    }

    private static Task PlainAsync(HttpContext context, string text) => WriteJson.SendAsync(context, Encoding.ASCII.GetBytes(text), "text/plain");
}
