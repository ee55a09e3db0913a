namespace EdgeNode.Faces;

/// <summary>
/// One face followed through pictures: the unit in which faces are reported. The pipeline changes it while it analyses a
/// picture; observers read it during the call that hands it over.
/// </summary>
public sealed class FaceTrack
{
    /// <summary>Number of the track, unique for its camera while the node runs.</summary>
    public required int Id { get; init; }

    /// <summary>Capture time of the first picture that showed the face, UTC.</summary>
    public required DateTime StartedAt { get; init; }

    /// <summary>Presentation time of that picture, 90 kHz ticks.</summary>
    public required long StartedPts { get; init; }

    /// <summary>Capture time of the newest picture that showed it, UTC.</summary>
    public DateTime SeenAt { get; set; }

    /// <summary>Presentation time of that picture, 90 kHz ticks.</summary>
    public long SeenPts { get; set; }

    /// <summary>Where the face was in that picture.</summary>
    public BoundingBox Box { get; set; }

    /// <summary>The detector's score of it there, 0 to 1.</summary>
    public float DetectionScore { get; set; }

    /// <summary>Pictures in which the face was detected.</summary>
    public int Frames { get; set; }

    /// <summary>Quality of the best shot so far, 0 to 1; 0 while there is none good enough to be embedded.</summary>
    public float Quality { get; set; }

    /// <summary>Capture time of the best shot, UTC.</summary>
    public DateTime BestShotAt { get; set; }

    /// <summary>The best shot cut from its picture, JPEG; null while there is none, and where pictures are not kept.</summary>
    public byte[]? Picture { get; set; }

    /// <summary>Unit-length embeddings of the best shots, best first; empty while no shot was good enough.</summary>
    public List<float[]> Shots { get; } = [];

    /// <summary>Rises whenever <see cref="Shots"/> changed, so that recognition runs only then.</summary>
    public int ShotsVersion { get; set; }
}
