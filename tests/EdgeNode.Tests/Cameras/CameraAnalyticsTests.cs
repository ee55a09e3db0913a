using EdgeNode.Cameras;
using EdgeNode.Configuration;
using EdgeNode.Events;
using EdgeNode.Gallery;
using EdgeNode.Ingest;
using EdgeNode.Tests.Faces;
using EdgeNode.Tests.Media;
using EdgeNode.Tests.Streaming;
using EdgeNode.Tests.Telemetry;
using Microsoft.Extensions.Time.Testing;

namespace EdgeNode.Tests.Cameras;

[Collection(ModelsCollection.Name)]
public sealed class CameraAnalyticsTests(ModelsFixture models)
{
    [SkippableFact]
    public async Task Video_that_cannot_be_decoded_is_told_once_a_minute_until_pictures_are_analysed_again()
    {
        const string Refused = "The stream's pixels are yuv444p: set the camera to 4:2:0 with 8 or 10 bits.";
        var recognition = new FaceRecognition(models.Require(), IdentityStore.InMemory([]), new FacesSection());
        using var clips = new SharedClips();
        using var feed = new TestFeed();
        var time = new FakeTimeProvider();
        var log = new ListLogger();
        var camera = new CameraConfiguration { Id = "door", Name = "Door", Url = new Secret("file:x") };
        using var analytics = new CameraAnalytics(camera, new FacesSection(), feed, recognition, new EventOrigin("hq", "edge", "door"), time, (_, _) => { }, log);
        analytics.Start();

        // Three keyframes, each refused.
        Play(clips.Make("444.mp4", "-pix_fmt", "yuv444p"), feed);
        await Eventually.TrueAsync(() => analytics.Trouble is not null, "trouble is told");
        Assert.Equal(Refused, analytics.Trouble);
        Play(clips.WithoutBFrames, feed);
        await Eventually.TrueAsync(() => analytics.Trouble is null, "trouble is over");
        Assert.True(analytics.FramesProcessed > 0);
        Assert.Equal($"Camera door: {Refused}", Assert.Single(log.Lines));

        time.Advance(TimeSpan.FromMinutes(1.1));
        Play(clips.Make("444.mp4"), feed);
        await Eventually.TrueAsync(() => log.Lines.Length == 2, "the log says it again");
        Assert.StartsWith($"Camera door: {Refused} (", log.Lines[1], StringComparison.Ordinal);
    }

    private static void Play(string clip, TestFeed feed)
    {
        using var film = new FileSource(clip);
        film.Open();
        while (film.Read() is { } unit)
            feed.Push(unit);
    }
}
