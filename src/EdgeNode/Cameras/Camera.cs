using EdgeNode.Configuration;
using EdgeNode.Ingest;
using EdgeNode.Streaming;
using Microsoft.Extensions.Logging;

namespace EdgeNode.Cameras;

/// <summary>One camera: taken in once, shared with the live view and with the analytics.</summary>
public sealed class Camera : IDisposable
{
    /// <summary>Wires a camera; nothing runs before <see cref="Start"/>. <paramref name="analytics"/> makes its analytics from the feed, or null.</summary>
    public Camera(CameraConfiguration configuration, Action<CameraStatus> onStatus, Func<IAccessUnitFeed, CameraAnalytics?> analytics, TimeProvider time, ILogger log)
    {
        Configuration = configuration;
        Ingest = new CameraIngest(configuration.Id, () => CameraSources.Open(configuration, time, reason => Ingest!.Remark(reason)), onStatus, time, log);
        Live = new LiveStream(configuration.Id, Ingest.Gop, time);
        Viewers = new Viewers(time);
        Analytics = analytics(Ingest.Gop);
        StartedAt = time.GetTimestamp();
    }

    /// <summary>What the camera was configured with.</summary>
    public CameraConfiguration Configuration { get; }

    /// <summary>The camera's id.</summary>
    public string Id => Configuration.Id;

    /// <summary>Where its pictures come in.</summary>
    public CameraIngest Ingest { get; }

    /// <summary>Where they are shown.</summary>
    public LiveStream Live { get; }

    /// <summary>Who watches.</summary>
    public Viewers Viewers { get; }

    /// <summary>Where faces are looked for; null when switched off or not possible.</summary>
    public CameraAnalytics? Analytics { get; }

    /// <summary>When it was made, a timestamp of the time provider.</summary>
    public long StartedAt { get; }

    /// <summary>Begins to take the camera in.</summary>
    public void Start()
    {
        Analytics?.Start();
        Ingest.Start();
    }

    /// <summary>Ends everything of this camera; open events end as stopped.</summary>
    public void Dispose()
    {
        Live.Dispose();
        Analytics?.Dispose();
        Ingest.Dispose();
    }
}
