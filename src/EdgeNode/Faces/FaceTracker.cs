using EdgeNode.Ingest;

namespace EdgeNode.Faces;

/// <summary>
/// Joins the faces of successive pictures to tracks, on media time alone, so that the same film gives the same tracks. Kalman filter
/// and overlap as in SORT (Bewley et al. 2016); faint detections only keep tracks alive, as in ByteTrack (Zhang et al. 2022); what moved too
/// far to overlap is found in a widened neighbourhood, as in C-BIoU (Yang et al. 2023). Pairs are chosen greedily, best first: with
/// as few faces as a camera sees that equals the optimal assignment but for contrived cases.
/// </summary>
internal sealed class FaceTracker
{
    /// <summary>A track ends when its face was not seen for this long.</summary>
    public const long LostAfter = 2 * AccessUnit.TicksPerSecond;

    /// <summary>A face seen twice, so far apart in time at least, is no flash of the detector.</summary>
    private const long ConfirmAfter = AccessUnit.TicksPerSecond * 15 / 100;

    private const int MissesWhileTentative = 1;
    private const int MostTracks = 128;
    private const int MissesForFaint = 3;
    private const float Overlap = 0.25f;
    private const float FaintOverlap = 0.35f;
    private const float WidenedOverlap = 0.12f;
    private const float MostGrowth = 2.2f;
    private const float SameFaceOverlap = 0.3f;

    /// <summary>After so long out of sight another person may have taken the place.</summary>
    private const long UnverifiedAfter = AccessUnit.TicksPerSecond / 2;

    private readonly List<TrackedFace> _tracks = new(16);
    private readonly List<TrackedFace> _started = new(16);
    private readonly List<FaceTrack> _ended = new(16);
    private readonly bool[] _taken = new bool[UltraFaceDetector.MostFaces];
    private readonly float _scoreThreshold;
    private long _lastPts = long.MinValue;
    private int _lastId;

    public FaceTracker(float scoreThreshold) => _scoreThreshold = scoreThreshold;

    /// <summary>All tracks, tentative ones too, oldest first.</summary>
    public List<TrackedFace> Tracks => _tracks;

    /// <summary>Tracks confirmed by the last picture.</summary>
    public List<TrackedFace> Started => _started;

    /// <summary>Confirmed tracks that the last call ended.</summary>
    public List<FaceTrack> Ended => _ended;

    /// <summary>
    /// Takes the faces of one picture, best first, at presentation time <paramref name="pts"/> (90 kHz). Time that goes back ends
    /// all tracks.
    /// </summary>
    public void Update(ReadOnlySpan<DetectedFace> faces, long pts, DateTime capturedAt)
    {
        _started.Clear();
        _ended.Clear();
        if (pts < _lastPts)
            EndTracks();
        float seconds = _lastPts == long.MinValue ? 0 : (float)(pts - _lastPts) / AccessUnit.TicksPerSecond;
        _lastPts = pts;
        DropLost(pts);

        foreach (TrackedFace track in _tracks)
        {
            track.IsSeen = false;
            track.IsClear = false;
            track.Predict(seconds);
        }
        if (faces.Length > _taken.Length)
            faces = faces[.._taken.Length];
        int clear = 0;
        while (clear < faces.Length && faces[clear].Score >= _scoreThreshold)
            clear++;
        _taken.AsSpan(0, faces.Length).Clear();

        Match(faces, 0, clear, Pass.Clear, pts, capturedAt);
        Match(faces, clear, faces.Length, Pass.Faint, pts, capturedAt);
        Match(faces, 0, clear, Pass.Widened, pts, capturedAt);

        for (int i = _tracks.Count - 1; i >= 0; i--)
        {
            TrackedFace track = _tracks[i];
            if (track.IsSeen)
                continue;
            track.Misses++;
            if (!track.IsConfirmed && track.Misses > MissesWhileTentative)
                _tracks.RemoveAt(i);
        }
        for (int i = 0; i < clear && _tracks.Count < MostTracks; i++)
        {
            if (!_taken[i] && !IsTracked(faces[i].Box))
                Begin(faces[i], pts, capturedAt);
        }
    }

    /// <summary>
    /// Time went on to <paramref name="pts"/> with a picture in which nothing could be seen: it counts neither as time out of sight nor as
    /// time in which a face moved on.
    /// </summary>
    public void Overlook(long pts)
    {
        if (_lastPts == long.MinValue || pts <= _lastPts)
            return;
        foreach (TrackedFace track in _tracks)
            track.OverlookedTicks += pts - _lastPts;
        _lastPts = pts;
    }

    /// <summary>Ends all tracks; the confirmed ones are in <see cref="Ended"/>.</summary>
    public void EndAll()
    {
        _started.Clear();
        _ended.Clear();
        EndTracks();
        _lastPts = long.MinValue;
    }

    /// <summary>The face that came back as <paramref name="tracked"/> is another: ends the old track (into <see cref="Ended"/>) and starts one for it.</summary>
    public void Split(TrackedFace tracked)
    {
        FaceTrack seen = tracked.Track;
        FaceTrack fresh = new()
        {
            Id = ++_lastId,
            StartedAt = seen.SeenAt,
            StartedPts = seen.SeenPts,
            SeenAt = seen.SeenAt,
            SeenPts = seen.SeenPts,
            Box = seen.Box,
            DetectionScore = seen.DetectionScore,
            Frames = 1,
        };
        _ended.Add(tracked.Become(fresh));
        _started.Add(tracked);
    }

    private enum Pass
    {
        Clear,
        Faint,
        Widened,
    }

    /// <summary>Pairs the untaken faces of a range with the unseen tracks, best pair first.</summary>
    private void Match(ReadOnlySpan<DetectedFace> faces, int from, int to, Pass pass, long pts, DateTime capturedAt)
    {
        while (true)
        {
            float best = 0;
            int bestFace = -1;
            TrackedFace? bestTrack = null;
            for (int i = from; i < to; i++)
            {
                if (_taken[i])
                    continue;
                foreach (TrackedFace track in _tracks)
                {
                    if (track.IsSeen)
                        continue;
                    float likeness = Likeness(track, faces[i].Box, pass, pts);
                    if (likeness > best)
                    {
                        best = likeness;
                        bestFace = i;
                        bestTrack = track;
                    }
                }
            }
            if (bestTrack is null)
                return;
            _taken[bestFace] = true;
            See(bestTrack, faces[bestFace], pts, capturedAt);
        }
    }

    /// <summary>How well a face continues a track in this pass; 0 when it cannot.</summary>
    private static float Likeness(TrackedFace track, in BoundingBox box, Pass pass, long pts)
    {
        BoundingBox predicted = track.Predicted;
        switch (pass)
        {
            case Pass.Clear:
                float overlap = predicted.IntersectionOverUnion(box);
                return overlap >= Overlap ? overlap : 0;
            case Pass.Faint:
                if (track.Misses > MissesForFaint || !track.IsConfirmed)
                    return 0;
                overlap = predicted.IntersectionOverUnion(box);
                return overlap >= FaintOverlap ? overlap : 0;
            default:
                float growth = box.Area / predicted.Area;
                if (growth is > MostGrowth or < 1 / MostGrowth)
                    return 0;
                float unseen = (float)(pts - track.Track.SeenPts) / AccessUnit.TicksPerSecond;
                float margin = 0.3f + 0.4f * MathF.Min(unseen, 1);
                overlap = Widen(predicted, margin).IntersectionOverUnion(Widen(box, margin));
                return overlap >= WidenedOverlap ? overlap : 0;
        }
    }

    private static BoundingBox Widen(in BoundingBox box, float margin) =>
        new(box.X - margin * box.Width, box.Y - margin * box.Height, box.Width * (1 + 2 * margin), box.Height * (1 + 2 * margin));

    private void See(TrackedFace tracked, in DetectedFace face, long pts, DateTime capturedAt)
    {
        FaceTrack track = tracked.Track;
        if (pts - track.SeenPts > UnverifiedAfter)
            tracked.IsUnverified = true;
        tracked.Correct(face.Box);
        tracked.Misses = 0;
        tracked.OverlookedTicks = 0;
        tracked.IsSeen = true;
        tracked.IsClear = face.Score >= _scoreThreshold;
        track.Box = face.Box;
        track.DetectionScore = face.Score;
        track.SeenPts = pts;
        track.SeenAt = capturedAt;
        track.Frames++;
        if (!tracked.IsConfirmed && pts - track.StartedPts >= ConfirmAfter)
        {
            tracked.IsConfirmed = true;
            _started.Add(tracked);
        }
    }

    private void Begin(in DetectedFace face, long pts, DateTime capturedAt)
    {
        FaceTrack track = new()
        {
            Id = ++_lastId,
            StartedAt = capturedAt,
            StartedPts = pts,
            SeenAt = capturedAt,
            SeenPts = pts,
            Box = face.Box,
            DetectionScore = face.Score,
            Frames = 1,
        };
        _tracks.Add(new TrackedFace(track, face.Box) { IsSeen = true, IsClear = true });
    }

    /// <summary>A second box on a face that already has its own.</summary>
    private bool IsTracked(in BoundingBox box)
    {
        foreach (TrackedFace track in _tracks)
        {
            if (track.IsSeen && track.Track.Box.IntersectionOverUnion(box) > SameFaceOverlap)
                return true;
        }
        return false;
    }

    private void DropLost(long pts)
    {
        for (int i = _tracks.Count - 1; i >= 0; i--)
        {
            TrackedFace track = _tracks[i];
            if (pts - track.Track.SeenPts - track.OverlookedTicks <= LostAfter)
                continue;
            if (track.IsConfirmed)
                _ended.Add(track.Track);
            _tracks.RemoveAt(i);
        }
    }

    private void EndTracks()
    {
        foreach (TrackedFace track in _tracks)
        {
            if (track.IsConfirmed)
                _ended.Add(track.Track);
        }
        _tracks.Clear();
    }
}
