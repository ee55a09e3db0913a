using EdgeNode.Configuration;
using EdgeNode.Ingest;
using EdgeNode.Streaming;
using Microsoft.Extensions.Logging;

namespace EdgeNode.Cameras;

/// <summary>One camera: taken in once, shared with the live view and with the analytics.</summary>
public sealed class Camera : IDisposable
{
    private readonly Action<CameraStatus> _onStatus;
    private readonly Lock _telling = new();
    private bool _hasEnded;

    /// <summary>
    /// Wires a camera; nothing runs before <see cref="Start"/>. <paramref name="analytics"/> makes its analytics from the feed, or null.
    /// <paramref name="predecessor"/> is the ended camera whose place it takes: its viewers go on in the same stream.
    /// </summary>
    public Camera(CameraConfiguration configuration, Action<CameraStatus> onStatus, Func<IAccessUnitFeed, CameraAnalytics?> analytics, TimeProvider time, ILogger log, Camera? predecessor = null)
    {
        Configuration = configuration;
        _onStatus = onStatus;
        Ingest = new CameraIngest(configuration.Id, () => CameraSources.Open(configuration, time, reason => Ingest!.Remark(reason)), Tell, time, log);
        Live = new LiveStream(configuration.Id, Ingest.Gop, time, origin: predecessor?.Live.NextOrigin, audio: () => Ingest.Audio);
        Viewers = predecessor?.Viewers ?? new Viewers(time);
        Snapshot = new KeyframeSnapshot(Ingest.Gop);
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

    /// <summary>Its newest keyframe as a picture.</summary>
    public KeyframeSnapshot Snapshot { get; }

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

    /// <summary>Ends everything of this camera; open events end as stopped, and no word of its state comes any more.</summary>
    public void Dispose()
    {
        lock (_telling)
            _hasEnded = true;
        Live.Dispose();
        Analytics?.Dispose();
        Ingest.Dispose();
    }

    // A thread that hangs in a dead camera may yet come back, long after the camera was removed or another took its place.
    private void Tell(CameraStatus status)
    {
        lock (_telling)
        {
            if (!_hasEnded)
                _onStatus(status);
        }
    }
}
