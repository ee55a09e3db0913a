using EdgeNode.Faces;

namespace EdgeNode.Tests.Faces;

/// <summary>The tracker on faces made up, ten pictures a second.</summary>
public sealed class FaceTrackerTests
{
    private const long Picture = 9000;

    private readonly FaceTracker _tracker = new(0.65f);
    private readonly List<FaceTrack> _started = [];
    private readonly List<FaceTrack> _ended = [];
    private long _pts;

    [Fact]
    public void One_face_that_walks_by_is_one_track()
    {
        for (int i = 0; i < 50; i++)
            Show(Face(0.05f + 0.016f * i, 0.3f));
        End();

        FaceTrack track = Assert.Single(_started);
        Assert.Same(track, Assert.Single(_ended));
        Assert.Equal(50, track.Frames);
        Assert.Equal(0, track.StartedPts);
        Assert.Equal(49 * Picture, track.SeenPts);
    }

    [Fact]
    public void A_flash_in_one_picture_is_no_track()
    {
        Show();
        Show(Face(0.5f, 0.5f));
        for (int i = 0; i < 30; i++)
            Show();
        End();

        Assert.Empty(_started);
        Assert.Empty(_ended);
    }

    [Fact]
    public void A_slow_camera_confirms_with_the_second_picture()
    {
        ShowAfter(90_000, Face(0.5f, 0.5f));
        ShowAfter(90_000, Face(0.5f, 0.5f));

        Assert.Single(_started);
    }

    [Fact]
    public void Two_faces_that_cross_keep_their_tracks()
    {
        // They pass each other at different heights: boxes overlap for several pictures.
        for (int i = 0; i < 40; i++)
            Show(Face(0.1f + 0.02f * i, 0.40f), Face(0.9f - 0.02f * i, 0.46f));
        End();

        Assert.Equal(2, _started.Count);
        Assert.Equal(2, _ended.Count);
        FaceTrack right = _ended.Single(t => t.Box.X > 0.5f);
        FaceTrack left = _ended.Single(t => t.Box.X < 0.5f);
        Assert.Equal(0.40f, right.Box.Y);
        Assert.Equal(0.46f, left.Box.Y);
    }

    [Fact]
    public void Tracks_survive_a_crossing_in_which_one_face_is_hidden()
    {
        for (int i = 0; i < 40; i++)
        {
            DetectedFace near = Face(0.1f + 0.02f * i, 0.40f);
            DetectedFace far = Face(0.9f - 0.02f * i, 0.42f);
            if (near.Box.IntersectionOverUnion(far.Box) > 0.3f)
                Show(near);
            else
                Show(near, far);
        }
        End();

        Assert.Equal(2, _ended.Count);
        Assert.Equal(0.40f, _ended.Single(t => t.Box.X > 0.5f).Box.Y);
    }

    [Fact]
    public void A_face_hidden_for_a_second_goes_on_as_the_same_track()
    {
        for (int i = 0; i < 10; i++)
            Show(Face(0.4f, 0.3f));
        for (int i = 0; i < 10; i++)
            Show();
        for (int i = 0; i < 10; i++)
            Show(Face(0.43f, 0.32f));
        End();

        Assert.Equal(20, Assert.Single(_started).Frames);
        Assert.Single(_ended);
    }

    [Fact]
    public void A_face_that_comes_back_after_three_seconds_is_a_new_track()
    {
        for (int i = 0; i < 10; i++)
            Show(Face(0.4f, 0.3f));
        for (int i = 0; i < 30; i++)
            Show();
        FaceTrack first = Assert.Single(_ended);
        Assert.Equal(9 * Picture, first.SeenPts);
        for (int i = 0; i < 10; i++)
            Show(Face(0.4f, 0.3f));
        End();

        Assert.Equal(2, _started.Count);
        Assert.NotEqual(_started[0].Id, _started[1].Id);
    }

    [Fact]
    public void A_gap_without_any_picture_ends_a_track_too()
    {
        for (int i = 0; i < 5; i++)
            Show(Face(0.4f, 0.3f));
        ShowAfter(3 * 90_000, Face(0.4f, 0.3f));

        Assert.Single(_ended);
    }

    [Fact]
    public void Faint_detections_keep_a_track_but_begin_none()
    {
        for (int i = 0; i < 5; i++)
            Show(Face(0.4f, 0.3f));
        for (int i = 0; i < 40; i++)
            Show(Face(0.4f, 0.3f, 0.45f), Face(0.8f, 0.3f, 0.45f));
        End();

        Assert.Equal(45, Assert.Single(_started).Frames);
    }

    [Fact]
    public void A_fast_face_that_does_not_overlap_itself_is_followed()
    {
        for (int i = 0; i < 12; i++)
            Show(Face(0.02f + 0.07f * i, 0.3f, side: 0.06f));
        End();

        Assert.Equal(12, Assert.Single(_started).Frames);
    }

    [Fact]
    public void Two_boxes_on_one_face_are_one_track()
    {
        for (int i = 0; i < 10; i++)
            Show(Face(0.40f, 0.3f, 0.9f), Face(0.44f, 0.32f, 0.7f));
        End();

        Assert.Single(_started);
    }

    [Fact]
    public void Time_in_which_nothing_could_be_seen_is_not_time_out_of_sight()
    {
        for (int i = 0; i < 5; i++)
            Show(Face(0.4f, 0.3f));
        for (int i = 0; i < 100; i++, _pts += Picture)
            _tracker.Overlook(_pts);
        Show();
        Assert.Empty(_ended);
        for (int i = 0; i < 22; i++)
            Show();
        Assert.Single(_ended);
    }

    [Fact]
    public void Time_that_goes_back_ends_all_tracks()
    {
        for (int i = 0; i < 5; i++)
            Show(Face(0.4f, 0.3f));
        _pts = 0;
        Show(Face(0.4f, 0.3f));

        Assert.Single(_ended);
    }

    [Fact]
    public void Splitting_ends_the_old_track_and_starts_one_for_the_other_person()
    {
        for (int i = 0; i < 5; i++)
            Show(Face(0.4f, 0.3f));
        FaceTrack old = _started[0];
        TrackedFace tracked = _tracker.Tracks[0];
        _tracker.Split(tracked);

        Assert.Same(old, _tracker.Ended[^1]);
        Assert.NotSame(old, tracked.Track);
        Assert.NotEqual(old.Id, tracked.Track.Id);
        Assert.Empty(tracked.Track.Shots);
        Assert.Same(tracked, _tracker.Started[^1]);
    }

    private static DetectedFace Face(float x, float y, float score = 0.95f, float side = 0.12f) => new(new BoundingBox(x, y, side, side * 1.3f), score);

    private static DateTime Captured(long pts) => DateTime.UnixEpoch.AddTicks(pts * 1000 / 9);

    private void Show(params DetectedFace[] faces) => ShowAfter(Picture, faces);

    private void ShowAfter(long ticks, params DetectedFace[] faces)
    {
        if (_pts > 0 || ticks != Picture)
            _pts += ticks - Picture;
        _tracker.Update(faces, _pts, Captured(_pts));
        Record();
        _pts += Picture;
    }

    private void End()
    {
        _tracker.EndAll();
        Record();
    }

    private void Record()
    {
        _started.AddRange(_tracker.Started.Select(t => t.Track));
        _ended.AddRange(_tracker.Ended);
    }
}
