using System.Numerics.Tensors;
using EdgeNode.Decoding;

namespace EdgeNode.Faces;

/// <summary>
/// One camera's faces: detection in each picture it is given, tracks, and for each track a few embedded shots. Works on media time, so that the same
/// film gives the same tracks however fast it is read. Not for two threads at a time; cameras share their <see cref="FaceModels"/>.
/// </summary>
public sealed class FacePipeline
{
    /// <summary>Embeddings a picture at most: a crowd that walks in takes several pictures instead of holding up other cameras.</summary>
    private const int MostShotsAPicture = 2;

    /// <summary>A face that came back with a lower cosine to the track's best shot is another person; the same person's poor shots stay above.</summary>
    private const float SamePerson = 0.15f;

    private readonly FaceModels _models;
    private readonly FaceTracker _tracker;
    private readonly int _leastPixels;
    private readonly bool _withPictures;
    private long _pictures;
    private long _faces;

    /// <summary>
    /// A pipeline on shared models; faces under <paramref name="minFacePx"/> pixels are followed but not recognised. <paramref name="withPictures"/>: best
    /// shots are cut from their pictures too (<see cref="FaceTrack.Picture"/>).
    /// </summary>
    public FacePipeline(FaceModels models, int minFacePx = 32, bool withPictures = false)
    {
        _models = models;
        _leastPixels = minFacePx;
        _withPictures = withPictures;
        _tracker = new FaceTracker(models.ScoreThreshold);
    }

    /// <summary>Pictures analysed.</summary>
    public long Pictures => Interlocked.Read(ref _pictures);

    /// <summary>Faces found in them, a face counted once a picture.</summary>
    public long Faces => Interlocked.Read(ref _faces);

    /// <summary>Why the last best shot could not be cut from its picture, one sentence; null where it could. Whoever told it sets it to null.</summary>
    public string? PictureTrouble { get; set; }

    /// <summary>
    /// Analyses one picture. <paramref name="pts"/>: 90 kHz, rising; going back ends all tracks.
    /// </summary>
    public void Analyze(in Yuv420View picture, long pts, DateTime capturedAt, IFaceTrackObserver observer)
    {
        lock (_models.Gate)
        {
            ReadOnlySpan<DetectedFace> faces = _models.Detect(picture);
            foreach (DetectedFace face in faces)
            {
                if (face.Score >= _models.ScoreThreshold)
                    Interlocked.Increment(ref _faces);
            }
            _tracker.Update(faces, pts, capturedAt);
            TakeShots(picture, pts);
        }
        Interlocked.Increment(ref _pictures);
        // Outside of the gate: encoding a picture takes a millisecond or two, in which another camera may use the models.
        CutBestShots(picture);

        foreach (FaceTrack track in _tracker.Ended)
            observer.TrackEnded(track);
        foreach (TrackedFace tracked in _tracker.Tracks)
        {
            if (!tracked.IsConfirmed || !tracked.IsSeen)
                continue;
            if (_tracker.Started.Contains(tracked))
                observer.TrackStarted(tracked.Track);
            else
                observer.TrackUpdated(tracked.Track);
        }
    }

    /// <summary>A damaged picture came in the place of one to analyse: what it shows is no evidence, and whom it does not show has not left.</summary>
    public void Overlook(long pts) => _tracker.Overlook(pts);

    /// <summary>Ends all tracks: no more pictures come, or the camera was interrupted.</summary>
    public void End(IFaceTrackObserver observer)
    {
        _tracker.EndAll();
        foreach (FaceTrack track in _tracker.Ended)
            observer.TrackEnded(track);
    }

    private void TakeShots(in Yuv420View picture, long pts)
    {
        int taken = 0;
        // Faces without any shot come first, then oldest first.
        for (int round = 0; round < 2; round++)
        {
            foreach (TrackedFace tracked in _tracker.Tracks)
            {
                if (taken == MostShotsAPicture)
                    return;
                bool first = tracked.Track.Shots.Count == 0;
                if (tracked.IsConfirmed && tracked.IsClear && first == (round == 0) && TryShot(picture, pts, tracked))
                    taken++;
            }
        }
    }

    /// <summary>Tries for a shot, cheapest checks first; true when it came to an embedding.</summary>
    private bool TryShot(in Yuv420View picture, long pts, TrackedFace tracked)
    {
        FaceTrack track = tracked.Track;
        float width = track.Box.Width * picture.Width, height = track.Box.Height * picture.Height;
        float size = FaceQuality.Size(width, height, _leastPixels);
        if (!tracked.Shots.IsWanted(pts, FaceQuality.Combine(size, track.DetectionScore), tracked.IsUnverified))
            return false;

        tracked.Shots.Tried(pts);
        float needed = tracked.Shots.Needed(pts, tracked.IsUnverified);
        if (!_models.TryLocate(picture, track.Box, out FivePoints points))
            return false;
        float pose = FaceQuality.Pose(points, width, height);
        if (FaceQuality.Combine(size, track.DetectionScore, pose) < needed || !_models.TryAlign(picture, points, out float sharpness))
            return false;
        float quality = FaceQuality.Combine(size, track.DetectionScore, pose, sharpness);
        if (quality < needed)
            return false;
        if (_models.Embed() is not float[] embedding)
            return true;

        if (tracked.IsUnverified && track.Shots.Count > 0 && TensorPrimitives.Dot<float>(embedding, track.Shots[0]) < SamePerson)
            _tracker.Split(tracked);
        tracked.IsUnverified = false;
        tracked.Shots.Add(tracked.Track, embedding, quality);
        tracked.IsBestShotNew |= ReferenceEquals(tracked.Track.Shots[0], embedding);
        return true;
    }

    private void CutBestShots(in Yuv420View picture)
    {
        foreach (TrackedFace tracked in _tracker.Tracks)
        {
            if (!tracked.IsBestShotNew)
                continue;
            tracked.IsBestShotNew = false;
            if (!_withPictures)
                continue;
            try
            {
                tracked.Track.Picture = FaceCrop.Encode(picture, tracked.Track.Box);
                PictureTrouble = null;
            }
            catch (DecodeException refused)
            {
                // The face is reported without it.
                tracked.Track.Picture = null;
                PictureTrouble = refused.Message;
            }
        }
    }
}
