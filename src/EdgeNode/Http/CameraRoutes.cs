using System.Globalization;
using System.Text.RegularExpressions;
using EdgeNode.Access;
using EdgeNode.Cameras;
using EdgeNode.Configuration;
using EdgeNode.Decoding;
using EdgeNode.Ingest;
using EdgeNode.Ingest.Rtsp;
using EdgeNode.Telemetry;
using Microsoft.AspNetCore.Http;

namespace EdgeNode.Http;

/// <summary>The cameras: how they fare, and adding, changing, removing and trying them.</summary>
internal sealed partial class CameraRoutes(CameraRegistry registry, NodeSection node, Func<HealthReport> health, AuditLog audit, TimeProvider time)
{
    private const int LongestText = 100;
    private const int LongestLogin = 256;
    private const string Hidden = "***";

    // Each holds a thread and a connection to wherever somebody says.
    private readonly SemaphoreSlim _tests = new(4);

    private CameraSet Cameras => registry.Cameras;

    public void Map(Guard guard)
    {
        guard.Map(new ApiRoute(HttpMethods.Get, "/api/stream/cameras", "The cameras that the token shows, and how they fare; addresses for operators alone.", Role.Viewer, ListAsync) { Answer = HttpJson.Default.CameraList });
        guard.Map(new ApiRoute(HttpMethods.Get, "/api/stream/cameras/status", "The same as /api/stream/cameras.", Role.Viewer, ListAsync) { Answer = HttpJson.Default.CameraList });
        guard.Map(new ApiRoute(HttpMethods.Post, "/api/stream/cameras/add", "Adds a camera and keeps it.", Role.Admin, AddAsync) { Request = HttpJson.Default.AddCameraRequest, Answer = HttpJson.Default.CameraAnswer });
        guard.Map(new ApiRoute(HttpMethods.Post, "/api/stream/cameras/test", "Tries a camera for ten seconds at most, one that is known or one that is described, and tells what came.", Role.Admin, TestAsync) { Request = HttpJson.Default.ChangeCameraRequest, Answer = HttpJson.Default.CameraTestAnswer });
        guard.Map(new ApiRoute(HttpMethods.Put, "/api/stream/cameras/{camera_id}", "Changes a camera: what is left out stays as it is.", Role.Admin, ChangeAsync) { Request = HttpJson.Default.ChangeCameraRequest, Answer = HttpJson.Default.CameraAnswer });
        guard.Map(new ApiRoute(HttpMethods.Delete, "/api/stream/cameras/{camera_id}", "Removes a camera: its viewers' sessions end, and its open events.", Role.Admin, RemoveAsync) { Answer = HttpJson.Default.Success });
        guard.Map(new ApiRoute(HttpMethods.Get, "/api/stream/cameras/{camera_id}/snapshot.jpg", "The newest keyframe as a picture.", Role.Viewer, SnapshotAsync) { AnswerType = "image/jpeg" });
        guard.Map(new ApiRoute(HttpMethods.Get, "/api/stream/analytics/stats", "What analytics have seen of a camera.", Role.Viewer, StatsAsync)
        {
            Query = [new ApiParameter(Guard.CameraInPath, "The camera.", IsRequired: true)],
            Answer = HttpJson.Default.StatsAnswer,
        });
        guard.Map(new ApiRoute(HttpMethods.Get, "/api/stream/health", "How node and cameras fare.", Role.Viewer, (context, grant) =>
        {
            HealthReport report = health();
            return WriteJson.SendAsync(context, report with { Cameras = [.. report.Cameras.Where(c => grant.Allows(c.Id))] }, HttpJson.Default.HealthReport);
        })
        { Answer = HttpJson.Default.HealthReport });
    }

    private Task ListAsync(HttpContext context, AccessGrant grant) => WriteJson.SendAsync(
        context, new CameraList(node.Site, node.Id, [.. Cameras.All.Where(c => grant.Allows(c.Id)).Select(c => Describe(c, grant))]), HttpJson.Default.CameraList);

    private async Task AddAsync(HttpContext context, AccessGrant grant)
    {
        AddCameraRequest request = await RequestBody.ReadAsync(context, HttpJson.Default.AddCameraRequest);
        Guard.Require(grant, request.CameraId);
        if (!CameraForm().IsMatch(request.CameraId))
            throw new RefusedException(Problem.BadRequest("'camera_id' must be 1 to 63 of a-z, 0-9, '_' and '-', not beginning with '_' or '-'."));
        CameraConfiguration camera = Configure(
            new CameraConfiguration { Id = request.CameraId, Name = request.CameraId, Url = new Secret(request.RtspUrl) }, request, request.RtspUrl, isKnown: false);
        await ChangingAsync(() => registry.Add(camera));
        audit.Record(grant, AuditAction.CameraAdd, $"camera:{camera.Id}");
        await AnswerAsync(context, grant, camera.Id);
    }

    private async Task ChangeAsync(HttpContext context, AccessGrant grant)
    {
        string id = Value(context);
        ChangeCameraRequest request = await RequestBody.ReadAsync(context, HttpJson.Default.ChangeCameraRequest);
        if (request.CameraId is not null && request.CameraId != id)
            throw new RefusedException(Problem.BadRequest("A camera keeps its id: 'camera_id' must be that of the path, or left out."));
        await ChangingAsync(() => registry.Change(id, old => Configure(old, request, request.RtspUrl, isKnown: true)));
        audit.Record(grant, AuditAction.CameraChange, $"camera:{id}");
        await AnswerAsync(context, grant, id);
    }

    private async Task RemoveAsync(HttpContext context, AccessGrant grant)
    {
        string id = Value(context);
        await ChangingAsync(() => registry.Remove(id));
        audit.Record(grant, AuditAction.CameraRemove, $"camera:{id}");
        await WriteJson.SendAsync(context, new Success(true), HttpJson.Default.Success);
    }

    private async Task TestAsync(HttpContext context, AccessGrant grant)
    {
        ChangeCameraRequest request = await RequestBody.ReadAsync(context, HttpJson.Default.ChangeCameraRequest);
        CameraConfiguration camera;
        if (request.CameraId is string id && Cameras.Find(id) is Camera known)
        {
            Guard.Require(grant, id);
            camera = Configure(known.Configuration, request, request.RtspUrl, isKnown: true);
        }
        else if (request.RtspUrl is string url)
        {
            Guard.Require(grant, request.CameraId ?? "");
            camera = Configure(new CameraConfiguration { Id = "test", Name = "test", Url = new Secret(url) }, request, url, isKnown: false);
        }
        else
        {
            throw new RefusedException(request.CameraId is null ? Problem.BadRequest("Name a camera ('camera_id'), or describe one ('rtsp_url').") : Problem.NoCamera(request.CameraId));
        }

        if (!_tests.Wait(0, CancellationToken.None))
            throw new RefusedException(Problem.Unavailable("Busy", "Other cameras are being tried: try again in ten seconds."));
        CameraProbeResult result;
        try
        {
            result = await Task.Factory.StartNew(() => CameraProbe.Run(camera, time, context.RequestAborted), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
        finally
        {
            _tests.Release();
        }

        await WriteJson.SendAsync(context, Describe(result), HttpJson.Default.CameraTestAnswer);
    }

    private async Task SnapshotAsync(HttpContext context, AccessGrant grant)
    {
        string id = Value(context);
        if (Cameras.Find(id) is not Camera camera)
            throw new RefusedException(Problem.NoCamera(id));
        audit.RecordView(grant, id);
        CameraStatus status = camera.Ingest.Status;
        SnapshotPicture? picture;
        try
        {
            // What a camera showed before it went away is not shown as if it were now.
            picture = status.State == CameraState.Streaming ? await camera.Snapshot.TakeAsync(context.RequestAborted) : null;
        }
        catch (DecodeException fault)
        {
            throw new RefusedException(Problem.Unavailable("No picture", fault.Message));
        }

        if (picture is null)
            throw new RefusedException(Problem.Unavailable("No picture", $"The camera is {CameraStateNames.Of(status.State)}: {status.Reason ?? "its first keyframe is awaited."}"));
        string tag = string.Create(CultureInfo.InvariantCulture, $"\"{picture.CapturedAt.Ticks:x}\"");
        context.Response.Headers.ETag = tag;
        context.Response.Headers.LastModified = picture.CapturedAt.ToString("R", CultureInfo.InvariantCulture);
        if (context.Request.Headers.IfNoneMatch == tag)
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        await WriteJson.SendAsync(context, picture.Jpeg, "image/jpeg", "no-cache");
    }

    private Task StatsAsync(HttpContext context, AccessGrant grant)
    {
        string id = context.Request.Query[Guard.CameraInPath].ToString();
        if (id.Length == 0)
            throw new RefusedException(Problem.BadRequest("Name the camera: ?camera_id=ID."));
        if (Cameras.Find(id) is not Camera camera)
            throw new RefusedException(Problem.NoCamera(id));
        CameraAnalytics? analytics = camera.Analytics;
        var stats = new AnalyticsStats(
            analytics?.FramesProcessed ?? 0, analytics?.FacesDetected ?? 0, analytics?.FacesRecognized ?? 0,
            Math.Round(time.GetElapsedTime(camera.StartedAt).TotalSeconds, 3), Math.Round((analytics?.MeanAnalysisMs ?? 0) / 1000, 6), analytics?.Dropped ?? 0, analytics?.DecoderName);
        return WriteJson.SendAsync(context, new StatsAnswer(true, id, stats), HttpJson.Default.StatsAnswer);
    }

    // Ending a camera may take seconds: not on a thread that serves others.
    private static async Task ChangingAsync(Action change)
    {
        try
        {
            await Task.Factory.StartNew(change, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
        catch (CameraRefusedException refused)
        {
            throw new RefusedException(refused.Reason == CameraRefusal.Unknown ? Problem.NotFound(refused.Message) : Problem.Conflict(refused.Message));
        }
    }

    private Task AnswerAsync(HttpContext context, AccessGrant grant, string id) => Cameras.Find(id) is Camera camera
        ? WriteJson.SendAsync(context, new CameraAnswer(true, id, Describe(camera, grant)), HttpJson.Default.CameraAnswer)
        : Problem.NoCamera(id).WriteAsync(context);

    /// <summary>What <paramref name="request"/> makes of <paramref name="old"/>. A login that is kept goes to the address that it was given for, and to no other.</summary>
    private static CameraConfiguration Configure(CameraConfiguration old, CameraSettings request, string? url, bool isKnown)
    {
        bool isSameUrl = url is null || url == old.Url.Reveal() || url == ShownUrl.Of(old.Url.Reveal());
        if (!isSameUrl && (url!.Contains(Hidden, StringComparison.Ordinal) || request.Password == Hidden))
            throw new RefusedException(Problem.BadRequest("Give user and password anew ('***' stands for those that are kept): they are not sent to another address."));
        string address = isSameUrl ? old.Url.Reveal() : url!;
        var camera = old with
        {
            Name = request.Name?.Trim() is { Length: > 0 } name ? name : old.Name,
            Url = new Secret(address),
            Username = request.Username is null or Hidden ? isSameUrl ? old.Username : null : request.Username.Length == 0 ? null : request.Username,
            Password = request.Password is null or Hidden ? isSameUrl ? old.Password : null : request.Password.Length == 0 ? null : new Secret(request.Password),
            // Of one camera, so with the same login: a change of the address takes it away too.
            SubUrl = request.SubUrl is null || request.SubUrl == Shown(old.SubUrl) ? isSameUrl ? old.SubUrl : null : request.SubUrl.Length == 0 ? null : new Secret(request.SubUrl),
            Transport = request.Transport switch
            {
                null => old.Transport,
                "tcp" => RtpTransport.Tcp,
                "udp" => RtpTransport.Udp,
                _ => throw new RefusedException(Problem.BadRequest("'transport' must be tcp or udp.")),
            },
            Client = request.Client switch
            {
                null => old.Client,
                "own" => RtspClient.Own,
                "ffmpeg" => RtspClient.Ffmpeg,
                _ => throw new RefusedException(Problem.BadRequest("'client' must be own or ffmpeg.")),
            },
            Analytics = old.Analytics with { Enabled = request.EnableAnalytics ?? old.Analytics.Enabled },
        };
        Check(camera, mayBeFile: isKnown && isSameUrl);
        return camera;
    }

    private static void Check(CameraConfiguration camera, bool mayBeFile)
    {
        string? wrong = mayBeFile && CameraUrl.IsFile(camera.Url.Reveal()) ? null : CameraUrl.Check(camera.Url.Reveal(), CameraUrlOrigin.Api);
        if (camera.SubUrl is not null && !(mayBeFile && CameraUrl.IsFile(camera.SubUrl.Reveal())))
            wrong ??= CameraUrl.Check(camera.SubUrl.Reveal(), CameraUrlOrigin.Api);
        if (camera.Name.Length > LongestText || camera.Name.Any(char.IsControl))
            wrong ??= $"'name' must have {LongestText} characters at most, none of them a control character.";
        if (camera.Username?.Length > LongestLogin || camera.Password?.Reveal().Length > LongestLogin || camera.Username?.Any(char.IsControl) == true || camera.Password?.Reveal().Any(char.IsControl) == true)
            wrong ??= $"'username' and 'password' must have {LongestLogin} characters at most, none of them a control character.";
        try
        {
            if (wrong is null && HostOf(camera.Url) is var host && camera.SubUrl is not null && !string.Equals(HostOf(camera.SubUrl), host, StringComparison.OrdinalIgnoreCase))
                wrong = "'sub_url' must be of the same host as 'rtsp_url': both get the same login.";
        }
        catch (FormatException fault)
        {
            wrong = fault.Message;
        }

        if (wrong is not null)
            throw new RefusedException(Problem.BadRequest(wrong));
    }

    private CameraEntry Describe(Camera camera, AccessGrant grant)
    {
        CameraStatus status = camera.Ingest.Status;
        CameraConfiguration configuration = camera.Configuration;
        VideoFormat? format = camera.Ingest.Format;
        (double framesPerSecond, double bitsPerSecond, _) = camera.Ingest.Statistics.Rates;
        bool isOperator = grant.Role >= Role.Operator;
        return new CameraEntry(camera.Id, configuration.Name, CameraStateNames.Of(status.State), status.Since, status.Reason, configuration.Analytics.Enabled)
        {
            ReadOnly = registry.IsOfTheFile(camera.Id),
            RtspUrl = isOperator ? ShownUrl.Of(configuration.Url.Reveal()) : null,
            SubUrl = isOperator ? Shown(configuration.SubUrl) : null,
            Username = isOperator && configuration.Username is not null ? Hidden : null,
            Password = isOperator && configuration.Password is not null ? Hidden : null,
            Transport = isOperator ? configuration.Transport == RtpTransport.Udp ? "udp" : "tcp" : null,
            Client = isOperator ? configuration.Client == RtspClient.Ffmpeg ? "ffmpeg" : "own" : null,
            Codec = format?.CodecString,
            Width = format?.Width,
            Height = format?.Height,
            Fps = Math.Round(framesPerSecond, 2),
            BitrateKbps = Math.Round(bitsPerSecond / 1000, 1),
            Viewers = camera.Viewers.Count,
        };
    }

    private static CameraTestAnswer Describe(CameraProbeResult result) => new(result.Works, result.Remarks)
    {
        Codec = result.Video?.CodecString,
        Width = result.Video?.Width,
        Height = result.Video?.Height,
        Fps = result.Fps,
        KeyframeInterval = result.KeyframeInterval,
        Audio = result.Audio?.CodecString,
        AudioSampleRate = result.Audio?.SampleRate,
        AudioChannels = result.Audio?.Channels,
        Picture = result.Picture,
    };

    // Read as it is read when the camera is called, whatever the scheme: another reading might take another host for it. Null: a file.
    private static string? HostOf(Secret url) => CameraUrl.IsFile(url.Reveal())
        ? null
        : RtspUrl.Parse("rtsp" + url.Reveal()[url.Reveal().IndexOf("://", StringComparison.Ordinal)..]).Host;

    private static string? Shown(Secret? url) => url is null ? null : ShownUrl.Of(url.Reveal());

    private static string Value(HttpContext context) => context.Request.RouteValues[Guard.CameraInPath] as string ?? "";

    // Not '$', which lets one line break through.
    [GeneratedRegex(@"^[a-z0-9][a-z0-9_-]{0,62}\z")]
    private static partial Regex CameraForm();
}
