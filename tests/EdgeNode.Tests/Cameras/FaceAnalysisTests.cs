using EdgeNode.Cameras;
using EdgeNode.Decoding;
using EdgeNode.Faces;
using EdgeNode.Ingest;
using EdgeNode.Tests.Faces;
using EdgeNode.Tests.Media;

namespace EdgeNode.Tests.Cameras;

[Collection(ModelsCollection.Name)]
public class FaceAnalysisTests(ModelsFixture models)
{
    [SkippableTheory]
    [InlineData(24, 10, 20)]
    [InlineData(25, 10, 20)]
    [InlineData(25, 25, 50)]
    [InlineData(10, 25, 20)]
    [InlineData(30, 1, 2)]
    public void So_many_pictures_a_second_are_looked_at(int framesPerSecond, double wanted, int expected)
    {
        using FaceAnalysis analysis = Analyse($"testsrc2=size=320x240:rate={framesPerSecond}:duration=2", wanted);
        Assert.Equal(2 * framesPerSecond, analysis.FramesDecoded);
        Assert.InRange(analysis.FramesAnalyzed, expected - 1, expected + 1);
        Assert.Equal("software", analysis.DecoderName);
    }

    private FaceAnalysis Analyse(string pattern, double wanted)
    {
        string clip = Path.Combine(Directory.CreateTempSubdirectory("edgenode-analysis").FullName, "clip.mp4");
        FFmpegTool.Run("-f", "lavfi", "-i", pattern, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", clip);
        var analysis = new FaceAnalysis(new FacePipeline(models.Require()), new Nobody(), wanted, format => new SoftwareDecoder(format));
        using (var film = new FileSource(clip))
        {
            film.Open();
            while (film.Read() is { } unit)
            {
                analysis.Feed(unit);
                unit.Release();
            }
        }

        analysis.Finish();
        Directory.Delete(Path.GetDirectoryName(clip)!, recursive: true);
        return analysis;
    }

    private sealed class Nobody : IFaceTrackObserver
    {
        public void TrackStarted(FaceTrack track) => Assert.Fail("A test pattern has no face.");

        public void TrackUpdated(FaceTrack track)
        {
        }

        public void TrackEnded(FaceTrack track)
        {
        }
    }
}
