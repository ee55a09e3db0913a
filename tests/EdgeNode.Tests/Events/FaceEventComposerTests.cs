using EdgeNode.Events;
using EdgeNode.Faces;
using EdgeNode.Gallery;
using EdgeNode.Tests.Gallery;
using Microsoft.Extensions.Time.Testing;
using static EdgeNode.Tests.Gallery.Faces;

namespace EdgeNode.Tests.Events;

public class FaceEventComposerTests
{
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(At(100)));
    private readonly List<FaceEvent> _events = [];
    private readonly List<EventShot?> _shots = [];
    private readonly Identity _ada = Person("Ada", Face((0, 1)));
    private readonly FaceEventComposer _composer;

    public FaceEventComposerTests()
    {
        var recognizer = new Recognizer(new GallerySearch(IdentityStore.InMemory([_ada]), Pack), new FaceRecognitionOptions());
        _composer = new FaceEventComposer(new EventOrigin("hq", "edge-01", "entrance"), recognizer, new FaceEventOptions { ModelPack = Pack }, _clock, () => true, (e, shot) =>
        {
            _events.Add(e);
            _shots.Add(shot);
        });
    }

    [Fact]
    public void A_visit_is_started_updated_with_the_name_and_ended()
    {
        FaceTrack track = Track(1);
        _composer.TrackStarted(track);
        _clock.Advance(TimeSpan.FromSeconds(1));
        track.SeenAtSecond(0.5).WithShots(Face((0, 0.8f)));
        track.Quality = 0.8f;
        _composer.TrackUpdated(track);
        _composer.TrackUpdated(track.SeenAtSecond(0.6));
        _clock.Advance(TimeSpan.FromSeconds(1));
        _composer.TrackEnded(track.SeenAtSecond(3));

        Assert.Equal([FaceEventPhase.Started, FaceEventPhase.Updated, FaceEventPhase.Ended], _events.Select(e => e.Phase));
        Assert.Equal([1, 2, 3], _events.Select(e => e.Seq));
        Assert.Single(_events.Select(e => e.EventId).Distinct());
        Assert.Equal([RecognitionStatus.Undetermined, RecognitionStatus.Recognized, RecognitionStatus.Recognized], _events.Select(e => e.Identity.Status));

        FaceEvent started = _events[0], updated = _events[1], ended = _events[2];
        Assert.Equal(new FaceEventIdentity(null, null, null, null, RecognitionStatus.Undetermined), started.Identity);
        Assert.Equal(At(0), started.FrameAt);
        Assert.Null(started.EndedAt);
        Assert.Null(started.EndReason);
        Assert.Equal(new FaceEventIdentity(_ada.Id, "Ada", 0.8, 0.8, RecognitionStatus.Recognized), updated.Identity);
        Assert.Equal(At(0.5), updated.FrameAt);
        Assert.Equal(At(101), updated.DecidedAt);
        Assert.Equal(At(101), ended.DecidedAt);
        Assert.Equal(At(3), ended.EndedAt);
        Assert.Equal(FaceEventEndReason.Left, ended.EndReason);
        Assert.Equal(4, ended.TrackFrames);
        Assert.Equal(new FaceEventBox(0.41, 0.22, 0.08, 0.15), ended.Box);
        Assert.Equal(("hq", "edge-01", "entrance"), (ended.Site, ended.Node, ended.Camera));
        Assert.False(ended.Snapshot);
        Assert.Null(ended.Liveness);
        Assert.True(ended.ClockSynced);
    }

    [Fact]
    public void The_best_shot_comes_once_and_again_when_it_is_another_or_another_persons()
    {
        FaceTrack track = Track(1);
        _composer.TrackStarted(track);
        track.WithShots(Face((0, 0.2f)), Face((0, 0.2f))).Picture = [1];
        track.Quality = 0.5f;
        _composer.TrackUpdated(track.SeenAtSecond(1));
        _composer.TrackUpdated(track.SeenAtSecond(11));
        track.WithShots(Face((0, 0.8f)), Face((0, 0.2f)));
        _composer.TrackUpdated(track.SeenAtSecond(12));
        track.Picture = [2];
        track.Quality = 0.9f;
        track.BestShotAt = At(13);
        _composer.TrackUpdated(track.SeenAtSecond(13));
        _composer.TrackEnded(track.SeenAtSecond(14));

        Assert.Equal([1, 2, 3, 4, 5, 6], _events.Select(e => e.Seq));
        Assert.Equal([null, 1, null, 1, 2, null], _shots.Select(s => (int?)s?.Picture[0]));
        Assert.Equal([null, _ada.Id, _ada.Id], _shots.Where(s => s is not null).Select(s => s!.IdentityId));
        EventShot last = _shots[4]!;
        Assert.Equal((_events[0].EventId, "entrance", At(13), 0.9f, Pack), (last.EventId, last.Camera, last.TakenAt, last.Quality, last.ModelPack));
        Assert.Same(track.Shots[0], last.Template);
    }

    [Fact]
    public void The_event_that_goes_on_with_a_face_has_its_shot_too()
    {
        FaceTrack track = Track(1).WithShots(Face((0, 0.8f)));
        track.Picture = [1];
        _composer.TrackStarted(track);
        _composer.TrackUpdated(track.SeenAtSecond(600));
        Assert.Equal([_events[0].EventId, null, _events[2].EventId], _shots.Select(s => s?.EventId));
    }

    [Fact]
    public void The_id_carries_the_capture_time_of_the_first_picture()
    {
        _composer.TrackStarted(Track(1));
        Guid id = _events[0].EventId;
        Assert.Equal(7, id.Version);
        long milliseconds = Convert.ToInt64(id.ToString("N")[..12], 16);
        Assert.Equal(At(0), DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).UtcDateTime);
    }

    [Fact]
    public void A_name_at_the_first_picture_is_in_the_first_report()
    {
        _composer.TrackStarted(Track(1).WithShots(Face((0, 0.8f))));
        Assert.Equal("Ada", Assert.Single(_events).Identity.Name);
    }

    [Fact]
    public void Where_nothing_changes_a_report_comes_every_ten_seconds_of_media_time()
    {
        FaceTrack track = Track(1);
        _composer.TrackStarted(track);
        for (double second = 0.1; second < 30.5; second += 0.1)
            _composer.TrackUpdated(track.SeenAtSecond(second));
        Assert.Equal(4, _events.Count);
        Assert.Equal([1, 2, 3, 4], _events.Select(e => e.Seq));
    }

    [Fact]
    public void A_clearly_better_shot_is_reported_and_a_slightly_better_one_is_not()
    {
        FaceTrack track = Track(1);
        track.WithShots(Face((5, 1)), Face((5, 1)));
        track.Quality = 0.5f;
        _composer.TrackStarted(track);
        track.Quality = 0.6f;
        _composer.TrackUpdated(track.SeenAtSecond(1));
        Assert.Single(_events);
        track.Quality = 0.7f;
        track.BestShotAt = At(2);
        _composer.TrackUpdated(track.SeenAtSecond(2));
        Assert.Equal(0.7, _events[1].Quality);
        Assert.Equal(At(2), _events[1].FrameAt);
    }

    [Fact]
    public void An_event_of_the_greatest_age_is_ended_and_another_goes_on()
    {
        FaceTrack track = Track(1).WithShots(Face((0, 0.8f)));
        _composer.TrackStarted(track);
        _composer.TrackUpdated(track.SeenAtSecond(599.9));
        _composer.TrackUpdated(track.SeenAtSecond(600));
        _composer.TrackEnded(track.SeenAtSecond(601));

        Assert.Equal([FaceEventPhase.Started, FaceEventPhase.Updated, FaceEventPhase.Ended, FaceEventPhase.Started, FaceEventPhase.Ended], _events.Select(e => e.Phase));
        Assert.Equal([1, 2, 3, 1, 2], _events.Select(e => e.Seq));
        Assert.Equal(FaceEventEndReason.MaxEvent, _events[2].EndReason);
        Assert.NotEqual(_events[2].EventId, _events[3].EventId);
        Assert.Equal(At(600), _events[3].StartedAt);
        Assert.Equal("Ada", _events[3].Identity.Name);
        Assert.Equal(FaceEventEndReason.Left, _events[4].EndReason);
    }

    [Fact]
    public void What_an_event_tells_of_the_track_is_not_from_before_its_start()
    {
        FaceTrack track = Track(1).WithShots(Face((0, 0.8f)));
        track.Frames = 3;
        _composer.TrackStarted(track);
        _composer.TrackUpdated(track.SeenAtSecond(600));
        FaceEvent ended = _events[1], goesOn = _events[2];
        Assert.Equal((At(0), 4), (ended.FrameAt, ended.TrackFrames));
        Assert.Equal((At(600), At(600), 1), (goesOn.StartedAt, goesOn.FrameAt, goesOn.TrackFrames));

        _composer.TrackUpdated(track.SeenAtSecond(610));
        Assert.Equal((At(610), 2), (_events[3].FrameAt, _events[3].TrackFrames));

        track.BestShotAt = At(615);
        _composer.TrackEnded(track.SeenAtSecond(620));
        Assert.Equal((At(615), 3), (_events[4].FrameAt, _events[4].TrackFrames));
    }

    [Fact]
    public void A_stop_ends_every_open_event_once()
    {
        FaceTrack first = Track(1), second = Track(2);
        _composer.TrackStarted(first);
        _composer.TrackStarted(second);
        _composer.TrackEnded(first);
        _composer.Stop();
        _composer.TrackUpdated(second);
        _composer.TrackEnded(second);
        _composer.TrackStarted(Track(3));
        _composer.Stop();
        Assert.Equal([FaceEventEndReason.Left, FaceEventEndReason.Stopped], _events.Where(e => e.Phase == FaceEventPhase.Ended).Select(e => e.EndReason!.Value));
        Assert.Equal(4, _events.Count);
    }

    [Fact]
    public void Who_loses_a_name_to_another_track_is_reported_so()
    {
        FaceTrack sibling = Track(1).WithShots(Face((0, 0.45f)), Face((0, 0.45f)));
        _composer.TrackStarted(sibling);
        _composer.TrackStarted(Track(2).WithShots(Face((0, 0.8f)), Face((0, 0.8f))));
        _composer.TrackUpdated(sibling);
        Assert.Equal(["Ada", "Ada", null], _events.Select(e => e.Identity.Name));
        Assert.Equal(RecognitionStatus.Undetermined, _events[2].Identity.Status);
    }

    [Fact]
    public void A_picture_without_news_allocates_nothing()
    {
        FaceTrack track = Track(1).WithShots(Face((0, 0.8f)));
        _composer.TrackStarted(track);
        _composer.TrackUpdated(track);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10; i++)
            _composer.TrackUpdated(track);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }
}
