using EdgeNode.Faces;
using EdgeNode.Gallery;
using static EdgeNode.Tests.Gallery.Faces;

namespace EdgeNode.Tests.Gallery;

public class RecognizerTests
{
    private static readonly Identity Ada = Person("Ada", Face((0, 1)));
    private static readonly Identity Bob = Person("Bob", Face((1, 1)));

    private readonly IdentityStore _store = IdentityStore.InMemory([Ada, Bob]);
    private readonly Recognizer _recognizer;

    public RecognizerTests() => _recognizer = new Recognizer(new GallerySearch(_store, Pack), new FaceRecognitionOptions());

    [Fact]
    public void Without_a_shot_nothing_is_said() =>
        Assert.Equal(Recognition.None, _recognizer.Decide(Track(1)));

    [Fact]
    public void Two_agreeing_shots_name()
    {
        Recognition recognition = _recognizer.Decide(Track(1).WithShots(Face((0, 0.42f)), Face((0, 0.40f))));
        Assert.Equal(RecognitionStatus.Recognized, recognition.Status);
        Assert.Equal(Ada.Id, recognition.IdentityId);
        Assert.Equal("Ada", recognition.Name);
        Assert.True(recognition.Similarity >= 0.40f);
    }

    [Fact]
    public void One_shot_just_above_the_threshold_does_not_name()
    {
        Recognition recognition = _recognizer.Decide(Track(1).WithShots(Face((0, 0.40f))));
        Assert.Equal(RecognitionStatus.Undetermined, recognition.Status);
        Assert.Null(recognition.IdentityId);
        Assert.Null(recognition.Name);
        Assert.Equal(0.40f, recognition.Similarity!.Value, 1e-5f);
    }

    [Fact]
    public void One_shot_far_above_names() =>
        Assert.Equal("Ada", _recognizer.Decide(Track(1).WithShots(Face((0, 0.6f)))).Name);

    [Fact]
    public void Between_two_alike_nobody_is_named()
    {
        Recognition recognition = _recognizer.Decide(Track(1).WithShots(Face((0, 0.62f), (1, 0.60f)), Face((0, 0.61f), (1, 0.60f))));
        Assert.Equal(RecognitionStatus.Undetermined, recognition.Status);
        Assert.Null(recognition.Name);
    }

    [Fact]
    public void Shots_that_name_different_people_name_nobody() =>
        Assert.Equal(RecognitionStatus.Undetermined, _recognizer.Decide(Track(1).WithShots(Face((0, 0.7f)), Face((1, 0.6f)))).Status);

    [Fact]
    public void Two_shots_of_a_stranger_are_unknown()
    {
        Recognition recognition = _recognizer.Decide(Track(1).WithShots(Face((0, 0.30f)), Face((1, 0.28f))));
        Assert.Equal(RecognitionStatus.Unknown, recognition.Status);
        Assert.Null(recognition.IdentityId);
        Assert.Null(recognition.Name);
    }

    [Theory]
    [InlineData(0.30f, RecognitionStatus.Undetermined)]
    [InlineData(0.20f, RecognitionStatus.Unknown)]
    public void One_shot_is_a_strangers_only_when_it_is_clearly_low(float similarity, RecognitionStatus expected) =>
        Assert.Equal(expected, _recognizer.Decide(Track(1).WithShots(Face((0, similarity)))).Status);

    [Fact]
    public void In_an_empty_gallery_everybody_is_unknown()
    {
        var recognizer = new Recognizer(new GallerySearch(IdentityStore.InMemory([]), Pack), new FaceRecognitionOptions());
        Assert.Equal(new Recognition(RecognitionStatus.Unknown, null, null, null, null), recognizer.Decide(Track(1).WithShots(Face((0, 1)))));
    }

    [Fact]
    public void A_name_stays_while_a_person_turns_away()
    {
        FaceTrack track = Track(1).WithShots(Face((0, 0.5f)), Face((0, 0.5f)));
        _recognizer.Decide(track);
        Assert.Equal("Ada", _recognizer.Decide(track.WithShots(Face((0, 0.2f)), Face((0, 0.1f)))).Name);
    }

    [Fact]
    public void A_name_yields_to_stronger_evidence_only()
    {
        FaceTrack track = Track(1).WithShots(Face((0, 0.5f)), Face((0, 0.5f)));
        _recognizer.Decide(track);
        Assert.Equal("Ada", _recognizer.Decide(track.WithShots(Face((1, 0.45f)), Face((1, 0.45f)))).Name);
        Assert.Equal("Bob", _recognizer.Decide(track.WithShots(Face((1, 0.7f)), Face((1, 0.7f)))).Name);
    }

    [Fact]
    public void A_name_that_stood_on_one_shot_falls_when_three_speak_against_it()
    {
        FaceTrack track = Track(1).WithShots(Face((0, 0.5f)));
        Assert.Equal("Ada", _recognizer.Decide(track).Name);
        Recognition recognition = _recognizer.Decide(track.WithShots(Face((0, 0.1f)), Face((0, 0.1f)), Face((0, 0.1f))));
        Assert.Equal(RecognitionStatus.Unknown, recognition.Status);
    }

    [Fact]
    public void Of_two_in_one_picture_the_more_similar_bears_the_name()
    {
        FaceTrack sibling = Track(1).WithShots(Face((0, 0.45f)), Face((0, 0.45f)));
        FaceTrack self = Track(2).WithShots(Face((0, 0.8f)), Face((0, 0.8f)));
        Assert.Equal("Ada", _recognizer.Decide(sibling).Name);
        Assert.Equal("Ada", _recognizer.Decide(self).Name);

        Recognition lost = _recognizer.Decide(sibling);
        Assert.Equal(RecognitionStatus.Undetermined, lost.Status);
        Assert.Null(lost.Name);

        // And whoever comes later does not take it either.
        Assert.Null(_recognizer.Decide(Track(3).WithShots(Face((0, 0.6f)), Face((0, 0.6f)))).Name);
        Assert.Equal("Ada", _recognizer.Decide(self).Name);
    }

    [Fact]
    public void A_name_is_free_again_when_its_track_ended()
    {
        _recognizer.Decide(Track(1).WithShots(Face((0, 0.8f)), Face((0, 0.8f))));
        FaceTrack other = Track(2).WithShots(Face((0, 0.6f)), Face((0, 0.6f)));
        Assert.Null(_recognizer.Decide(other).Name);
        _recognizer.Forget(1);
        Assert.Equal("Ada", _recognizer.Decide(other).Name);
    }

    [Fact]
    public void A_person_who_comes_back_as_another_track_is_named_though_the_old_one_lingers()
    {
        _recognizer.Decide(Track(1, seconds: 0).WithShots(Face((0, 0.8f)), Face((0, 0.8f))));
        Assert.Equal("Ada", _recognizer.Decide(Track(2, seconds: 2).WithShots(Face((0, 0.6f)), Face((0, 0.6f)))).Name);
    }

    [Fact]
    public void Who_is_erased_is_no_longer_named()
    {
        FaceTrack track = Track(1).WithShots(Face((0, 0.8f)), Face((0, 0.8f)));
        Assert.Equal("Ada", _recognizer.Decide(track).Name);
        _store.Remove(Ada.Id);
        Assert.Equal(RecognitionStatus.Unknown, _recognizer.Decide(track).Status);
    }

    [Fact]
    public void Who_is_rejected_is_named_so_no_longer_nor_when_they_come_again()
    {
        float[] sibling = Face((0, 0.5f));
        FaceTrack track = Track(1).WithShots(sibling, sibling);
        Assert.Equal("Ada", _recognizer.Decide(track).Name);
        _store.Add(Ada.With(negatives: [new FaceReference(Pack, sibling)]));
        Assert.Equal(RecognitionStatus.Unknown, _recognizer.Decide(track).Status);
        // Another shot of the same face, and Ada herself.
        Assert.Null(_recognizer.Decide(Track(2, seconds: 9).WithShots(Face((0, 0.55f)), Face((0, 0.55f)))).Name);
        Assert.Equal("Ada", _recognizer.Decide(Track(3, seconds: 9).WithShots(Face((0, 0.9f)), Face((0, 0.9f)))).Name);
    }

    [Fact]
    public void Who_is_enrolled_is_named_without_another_shot()
    {
        FaceTrack track = Track(1).WithShots(Face((2, 0.8f)), Face((2, 0.8f)));
        Assert.Equal(RecognitionStatus.Unknown, _recognizer.Decide(track).Status);
        _store.Add(Person("Eve", Face((2, 1))));
        Assert.Equal("Eve", _recognizer.Decide(track).Name);
    }

    [Fact]
    public void Nothing_is_computed_or_allocated_while_nothing_changed()
    {
        FaceTrack track = Track(1).WithShots(Face((0, 0.8f)), Face((0, 0.8f)));
        Recognition first = _recognizer.Decide(track);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10; i++)
            Assert.Same(first, _recognizer.Decide(track));
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }
}
