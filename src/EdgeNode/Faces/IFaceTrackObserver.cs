namespace EdgeNode.Faces;

/// <summary>
/// Hears of the faces that a camera sees, during <see cref="FacePipeline.Analyze"/> and on its thread. A track is reported once the
/// face was seen for 0.15 s of media time, in two pictures at least, so that a flash of the detector is no event.
/// </summary>
public interface IFaceTrackObserver
{
    /// <summary>A face appeared; <see cref="FaceTrack.StartedAt"/> is when it was seen first.</summary>
    void TrackStarted(FaceTrack track);

    /// <summary>The face was seen in this picture too; a new best shot has <see cref="FaceTrack.BestShotAt"/> at <see cref="FaceTrack.SeenAt"/>.</summary>
    void TrackUpdated(FaceTrack track);

    /// <summary>The face has not been seen for two seconds, or the analysis ends.</summary>
    void TrackEnded(FaceTrack track);
}
