using EdgeNode.Access;
using EdgeNode.Cameras;
using EdgeNode.Configuration;
using EdgeNode.Ingest;
using EdgeNode.Telemetry;
using Microsoft.AspNetCore.Http;

namespace EdgeNode.Http;

/// <summary>The cameras and how they fare.</summary>
internal sealed class CameraRoutes(CameraSet cameras, NodeSection node, Func<HealthReport> health, TimeProvider time)
{
    public void Map(Guard guard)
    {
        guard.Get("/api/stream/cameras", Role.Viewer, ListAsync);
        guard.Get("/api/stream/cameras/status", Role.Viewer, ListAsync);
        guard.Get("/api/stream/analytics/stats", Role.Viewer, StatsAsync);
        guard.Get("/api/stream/health", Role.Viewer, (context, grant) =>
        {
            HealthReport report = health();
            return WriteJson.SendAsync(context, report with { Cameras = [.. report.Cameras.Where(c => grant.Allows(c.Id))] }, HttpJson.Default.HealthReport);
        });
    }

    private Task ListAsync(HttpContext context, AccessGrant grant) => WriteJson.SendAsync(
        context, new CameraList(node.Site, node.Id, [.. cameras.All.Where(c => grant.Allows(c.Id)).Select(Describe)]), HttpJson.Default.CameraList);

    private Task StatsAsync(HttpContext context, AccessGrant grant)
    {
        string id = context.Request.Query["camera_id"].ToString();
        if (id.Length == 0)
            return Problem.BadRequest("Name the camera: ?camera_id=ID.").WriteAsync(context);
        if (!grant.Allows(id))
            return Guard.OtherCamera.WriteAsync(context);
        if (cameras.Find(id) is not Camera camera)
            return Problem.NotFound($"There is no camera '{id}' here.").WriteAsync(context);
        CameraAnalytics? analytics = camera.Analytics;
        var stats = new AnalyticsStats(
            analytics?.FramesProcessed ?? 0, analytics?.FacesDetected ?? 0, analytics?.FacesRecognized ?? 0,
            Math.Round(time.GetElapsedTime(camera.StartedAt).TotalSeconds, 3), Math.Round((analytics?.MeanAnalysisMs ?? 0) / 1000, 6), analytics?.Dropped ?? 0, analytics?.DecoderName);
        return WriteJson.SendAsync(context, new StatsAnswer(true, id, stats), HttpJson.Default.StatsAnswer);
    }

    private static CameraEntry Describe(Camera camera)
    {
        CameraStatus status = camera.Ingest.Status;
        return new CameraEntry(camera.Id, camera.Configuration.Name, CameraStateNames.Of(status.State), status.Since, status.Reason, camera.Analytics is not null);
    }
}
