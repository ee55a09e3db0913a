namespace EdgeNode.Faces;

/// <summary>What the tracker keeps beside a <see cref="FaceTrack"/>: the motion filter and how surely it is a face.</summary>
internal sealed class TrackedFace
{
    private const float SmallestSide = 0.002f;

    private AxisFilter _x, _y, _width, _height;

    public TrackedFace(FaceTrack track, in BoundingBox box)
    {
        Track = track;
        _x = new AxisFilter(box.X + box.Width / 2, box.Width);
        _y = new AxisFilter(box.Y + box.Height / 2, box.Height);
        _width = new AxisFilter(box.Width, box.Width);
        _height = new AxisFilter(box.Height, box.Height);
        Predicted = box;
    }

    /// <summary>What observers see.</summary>
    public FaceTrack Track { get; private set; }

    /// <summary>The shots that recognition works with.</summary>
    public BestShots Shots { get; private set; } = new();

    /// <summary>Observers know of it: it was seen often enough to be no flash of the detector.</summary>
    public bool IsConfirmed { get; set; }

    /// <summary>Pictures in a row without it.</summary>
    public int Misses { get; set; }

    /// <summary>Of the time since it was seen, what passed in damaged pictures, in which nobody looked for it; 90 kHz ticks.</summary>
    public long OverlookedTicks { get; set; }

    /// <summary>Seen in the newest picture.</summary>
    public bool IsSeen { get; set; }

    /// <summary>Seen in the newest picture with a score that counts, not as a faint trace.</summary>
    public bool IsClear { get; set; }

    /// <summary>It was out of sight and a face came back in its place: the next shot must show that it is the same one.</summary>
    public bool IsUnverified { get; set; }

    /// <summary>The newest picture gave its best shot, which has not been cut from it yet.</summary>
    public bool IsBestShotNew { get; set; }

    /// <summary>Where it should be in the newest picture.</summary>
    public BoundingBox Predicted { get; private set; }

    public void Predict(float seconds)
    {
        bool slowing = Misses > 0;
        float width = MathF.Max(_width.Position, SmallestSide), height = MathF.Max(_height.Position, SmallestSide);
        _x.Predict(seconds, width, slowing);
        _y.Predict(seconds, height, slowing);
        _width.Predict(seconds, width, slowing);
        _height.Predict(seconds, height, slowing);
        UpdatePrediction();
    }

    public void Correct(in BoundingBox box)
    {
        _x.Correct(box.X + box.Width / 2, box.Width);
        _y.Correct(box.Y + box.Height / 2, box.Height);
        _width.Correct(box.Width, box.Width);
        _height.Correct(box.Height, box.Height);
        UpdatePrediction();
    }

    /// <summary>Goes on as another face's track; hands back the old one.</summary>
    public FaceTrack Become(FaceTrack other)
    {
        FaceTrack old = Track;
        Track = other;
        Shots = new BestShots();
        IsUnverified = false;
        return old;
    }

    private void UpdatePrediction()
    {
        float width = MathF.Max(_width.Position, SmallestSide), height = MathF.Max(_height.Position, SmallestSide);
        Predicted = new BoundingBox(_x.Position - width / 2, _y.Position - height / 2, width, height);
    }
}
