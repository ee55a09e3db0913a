namespace EdgeNode.Faces;

/// <summary>Hears what becomes of the faces of one camera, on the thread that analyses its pictures.</summary>
public interface IFaceTrackObserver
{
    /// <summary>A face was seen often enough to be believed.</summary>
    void TrackStarted(FaceTrack track);

    /// <summary>The face was seen again.</summary>
    void TrackUpdated(FaceTrack track);

    /// <summary>The face is gone; the track changes no more.</summary>
    void TrackEnded(FaceTrack track);
}
