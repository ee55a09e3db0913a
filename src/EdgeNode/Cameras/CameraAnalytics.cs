using EdgeNode.Configuration;
using EdgeNode.Decoding;
using EdgeNode.Events;
using EdgeNode.Faces;
using EdgeNode.Gallery;
using EdgeNode.Ingest;
using Microsoft.Extensions.Logging;

namespace EdgeNode.Cameras;

/// <summary>
/// The thread that looks for faces in one camera's pictures. It reads its own queue: when it is slow it loses pictures, and
/// neither the live view nor another camera notices.
/// </summary>
public sealed class CameraAnalytics : IDisposable
{
    private readonly string _camera;
    private readonly IAccessUnitFeed _feed;
    private readonly GopReader _reader = new();
    private readonly FacePipeline _pipeline;
    private readonly FaceAnalysis _analysis;
    private readonly FaceEventComposer _composer;
    private readonly Action<FaceEvent, EventShot?> _emit;
    private readonly SparseLog _troubles;
    private readonly Thread _thread;
    private readonly HashSet<Guid> _recognized = [];
    private IDisposable? _attachment;
    private long _facesRecognized;
    private string? _trouble;

    /// <summary>Analytics of one camera, on shared models; events, and with them new best shots, go to <paramref name="emit"/>.</summary>
    public CameraAnalytics(CameraConfiguration camera, FacesSection faces, IAccessUnitFeed feed, FaceRecognition recognition, EventOrigin origin, TimeProvider time, Action<FaceEvent, EventShot?> emit, ILogger log)
    {
        _camera = camera.Id;
        _feed = feed;
        _emit = emit;
        _troubles = new SparseLog(log, time);
        _pipeline = new FacePipeline(recognition.Models, faces.MinFacePx, withPictures: true);
        _composer = recognition.ComposeEvents(origin, faces, time, Emit);
        _analysis = new FaceAnalysis(_pipeline, _composer, camera.Analytics.Fps, format => new SoftwareDecoder(format));
        _thread = new Thread(Run) { IsBackground = true, Name = $"faces {camera.Id}", Priority = ThreadPriority.BelowNormal };
    }

    /// <summary>Pictures in which faces were looked for.</summary>
    public long FramesProcessed => _analysis.FramesAnalyzed;

    /// <summary>Faces found in them, a face counted once a picture.</summary>
    public long FacesDetected => _pipeline.Faces;

    /// <summary>Tracks that got a name.</summary>
    public long FacesRecognized => Interlocked.Read(ref _facesRecognized);

    /// <summary>Coded pictures that were left out because analysis was behind.</summary>
    public long Dropped => _reader.Dropped;

    /// <summary>Mean time for one picture, milliseconds.</summary>
    public double MeanAnalysisMs => _analysis.MeanAnalysisMs;

    /// <summary>What decodes; null before the first picture.</summary>
    public string? DecoderName => _analysis.DecoderName;

    /// <summary>Why pictures are not analysed, one sentence for the user; null since one was. From any thread.</summary>
    public string? Trouble => Volatile.Read(ref _trouble);

    /// <summary>Begins.</summary>
    public void Start()
    {
        _attachment = _feed.Attach(_reader);
        _thread.Start();
    }

    /// <summary>Ends the thread, and all open events as stopped.</summary>
    public void Dispose()
    {
        _attachment?.Dispose();
        _reader.Dispose();
        if (_attachment is not null)
            _thread.Join();
        _composer.Stop();
        _analysis.Dispose();
    }

    private void Run()
    {
        while (!_reader.IsClosed)
        {
            AccessUnit? unit = _reader.Read(FaceAnalysis.PresenceWithoutPictures);
            if (unit is null)
            {
                if (!_reader.IsClosed)
                    _analysis.EndTracks();
                continue;
            }

            Feed(unit);
            unit.Release();
        }
    }

    private void Feed(AccessUnit unit)
    {
        long refused = _analysis.DecodeErrors;
        long analyzed = _analysis.FramesAnalyzed;
        try
        {
            _analysis.Feed(unit);
            if (_analysis.DecodeErrors != refused && _analysis.Trouble is { } trouble)
                Report(trouble);
            else if (_analysis.FramesAnalyzed != analyzed)
                Volatile.Write(ref _trouble, null);
            if (_pipeline.PictureTrouble is { } noPicture)
            {
                _pipeline.PictureTrouble = null;
                _troubles.Warn($"Camera {_camera}: faces are reported without a picture: {noPicture}");
            }
        }
        catch (Exception fault)
        {
            // One camera's odd picture must not end the analysis of all the later ones. The fault's text may hold anything.
            Report($"An internal fault ({fault.GetType().Name}) while a picture was analysed; it is left out.");
        }
    }

    private void Report(string trouble)
    {
        Volatile.Write(ref _trouble, trouble);
        _troubles.Warn($"Camera {_camera}: {trouble}");
    }

    private void Emit(FaceEvent e, EventShot? shot)
    {
        if (e.Identity.Status == RecognitionStatus.Recognized && _recognized.Add(e.EventId))
            Interlocked.Increment(ref _facesRecognized);
        if (e.Phase == FaceEventPhase.Ended)
            _recognized.Remove(e.EventId);
        _emit(e, shot);
    }
}
