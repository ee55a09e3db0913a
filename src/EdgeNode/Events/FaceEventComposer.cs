using EdgeNode.Faces;
using EdgeNode.Gallery;
using EdgeNode.Ingest;

namespace EdgeNode.Events;

/// <summary>Which camera of which node reports.</summary>
public readonly record struct EventOrigin(string Site, string Node, string Camera);

/// <summary>
/// Makes one camera's face events from its tracks. An event starts at once, undetermined unless there are shots already, and is
/// updated when its identity's status changes, so that nobody waits for a name to learn that somebody is there. Tracks come from
/// one thread; <see cref="Stop"/> may come from another. Does not allocate while there is nothing to report.
/// </summary>
public sealed class FaceEventComposer : IFaceTrackObserver
{
    private readonly EventOrigin _origin;
    private readonly Recognizer _recognizer;
    private readonly FaceEventOptions _options;
    private readonly TimeProvider _clock;
    private readonly Func<bool> _clockSynced;
    private readonly Action<FaceEvent, EventShot?> _emit;
    private readonly Lock _gate = new();
    private readonly Dictionary<int, OpenEvent> _open = [];
    private bool _stopped;

    /// <summary>
    /// Events are handed to <paramref name="emit"/>, in order, one at a time, inside the call that caused them; it must not block. With an event
    /// comes its best shot when that is another, or another person's, than the one handed over before; whoever keeps it says so in the event.
    /// </summary>
    public FaceEventComposer(EventOrigin origin, Recognizer recognizer, FaceEventOptions options, TimeProvider clock, Func<bool> clockSynced, Action<FaceEvent, EventShot?> emit)
    {
        _origin = origin;
        _recognizer = recognizer;
        _options = options;
        _clock = clock;
        _clockSynced = clockSynced;
        _emit = emit;
    }

    /// <inheritdoc/>
    public void TrackStarted(FaceTrack t)
    {
        lock (_gate)
        {
            if (!_stopped && !_open.ContainsKey(t.Id))
                Start(t, t.StartedAt, t.StartedPts, framesBefore: 0);
        }
    }

    /// <inheritdoc/>
    public void TrackUpdated(FaceTrack t)
    {
        lock (_gate)
        {
            if (_stopped || !_open.TryGetValue(t.Id, out OpenEvent? open))
                return;
            bool isNews = Look(t, open);
            if (t.SeenPts - open.StartedPts >= Ticks(_options.MaxEvent))
            {
                End(open, FaceEventEndReason.MaxEvent);
                // The picture of its end is the first of the next.
                Start(t, t.SeenAt, t.SeenPts, t.Frames - 1);
                return;
            }

            if (isNews || t.Quality >= open.ReportedQuality + _options.ClearlyBetter || t.SeenPts - open.ReportedPts >= Ticks(_options.UpdateEvery))
                Report(open, FaceEventPhase.Updated, null);
        }
    }

    /// <inheritdoc/>
    public void TrackEnded(FaceTrack t)
    {
        lock (_gate)
        {
            if (!_stopped && _open.Remove(t.Id, out OpenEvent? open))
            {
                Look(t, open);
                End(open, FaceEventEndReason.Left);
            }

            _recognizer.Forget(t.Id);
        }
    }

    /// <summary>Ends all open events as stopped; tracks that still come are ignored.</summary>
    public void Stop()
    {
        lock (_gate)
        {
            _stopped = true;
            foreach ((int track, OpenEvent open) in _open)
            {
                End(open, FaceEventEndReason.Stopped);
                _recognizer.Forget(track);
            }

            _open.Clear();
        }
    }

    private void Start(FaceTrack t, DateTime startedAt, long startedPts, int framesBefore)
    {
        var open = new OpenEvent
        {
            Id = Guid.CreateVersion7(new DateTimeOffset(DateTime.SpecifyKind(startedAt, DateTimeKind.Utc))),
            StartedAt = startedAt,
            StartedPts = startedPts,
            FramesBefore = framesBefore,
            DecidedAt = Now(),
        };
        _open[t.Id] = open;
        Look(t, open);
        Report(open, FaceEventPhase.Started, null);
    }

    /// <summary>Takes over what the track shows now; true when it says something else of the identity.</summary>
    private bool Look(FaceTrack t, OpenEvent open)
    {
        Recognition recognition = _recognizer.Decide(t);
        bool isNews = !recognition.SaysTheSameAs(open.Recognition);
        if (isNews)
            open.DecidedAt = Now();
        open.Recognition = recognition;
        open.SeenAt = t.SeenAt;
        open.SeenPts = t.SeenPts;
        // A shot of an earlier event of the track is not in the pictures of this one.
        open.FrameAt = t.Shots.Count > 0 && t.BestShotAt >= open.StartedAt ? t.BestShotAt : t.SeenAt;
        if (t.Picture is not null && !ReferenceEquals(t.Picture, open.Shot?.Picture))
            open.Shot = new EventShot(open.Id, _origin.Camera, null, t.BestShotAt, t.Quality, _options.ModelPack, t.Shots[0], t.Picture);
        open.Box = t.Box;
        open.DetectionScore = t.DetectionScore;
        open.Quality = t.Quality;
        open.Frames = t.Frames - open.FramesBefore;
        return isNews;
    }

    private void End(OpenEvent open, FaceEventEndReason reason) => Report(open, FaceEventPhase.Ended, reason);

    private void Report(OpenEvent open, FaceEventPhase phase, FaceEventEndReason? endReason)
    {
        open.ReportedPts = open.SeenPts;
        open.ReportedQuality = open.Quality;
        EventShot? shot = open.Shot is null ? null : open.Shot with { IdentityId = open.Recognition.IdentityId };
        if (shot == open.ReportedShot)
            shot = null;
        else
            open.ReportedShot = shot;
        var report = new FaceEvent
        {
            EventId = open.Id,
            Seq = ++open.Seq,
            Phase = phase,
            Site = _origin.Site,
            Node = _origin.Node,
            Camera = _origin.Camera,
            StartedAt = open.StartedAt,
            UpdatedAt = open.SeenAt,
            EndedAt = endReason is null ? null : open.SeenAt,
            EndReason = endReason,
            FrameAt = open.FrameAt,
            DecidedAt = open.DecidedAt,
            ClockSynced = _clockSynced(),
            Identity = FaceEventIdentity.From(open.Recognition),
            Box = FaceEventBox.From(open.Box),
            DetectionScore = Fraction.Round(open.DetectionScore),
            Quality = Fraction.Round(open.Quality),
            Liveness = null,
            TrackFrames = open.Frames,
            Snapshot = false,
            Folded = 0,
        };
        _emit(report, shot);
    }

    private DateTime Now() => _clock.GetUtcNow().UtcDateTime;

    private static long Ticks(TimeSpan time) => (long)(time.TotalSeconds * AccessUnit.TicksPerSecond);

    private sealed class OpenEvent
    {
        public required Guid Id;
        public required DateTime StartedAt;
        public required long StartedPts;
        public required int FramesBefore;
        public DateTime DecidedAt;
        public Recognition Recognition = Recognition.None;
        public int Seq;
        public DateTime SeenAt;
        public long SeenPts;
        public DateTime FrameAt;
        public BoundingBox Box;
        public float DetectionScore;
        public float Quality;
        public EventShot? Shot;
        public EventShot? ReportedShot;
        public int Frames;
        public long ReportedPts;
        public float ReportedQuality;
    }
}
