namespace EdgeNode.Faces;

/// <summary>
/// Follows one camera's tracks. Calls come one at a time, in the order of media time; the track is the caller's and
/// may be read only during the call.
/// </summary>
public interface IFaceTrackObserver
{
    /// <summary>A face is surely there.</summary>
    void TrackStarted(FaceTrack t);

    /// <summary>It was seen in another picture, or its shots changed.</summary>
    void TrackUpdated(FaceTrack t);

    /// <summary>It is gone; the last call about this track.</summary>
    void TrackEnded(FaceTrack t);
}
