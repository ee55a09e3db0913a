using System.Runtime.CompilerServices;
using EdgeNode.Cameras;
using EdgeNode.Decoding;
using EdgeNode.Faces;
using EdgeNode.Ingest;
using EdgeNode.Tests.Faces;
using EdgeNode.Tests.Ingest;
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

    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_decoder_that_cannot_be_opened_is_tried_again_at_keyframes_alone(bool isUnderstood)
    {
        int opened = 0;
        using var analysis = new FaceAnalysis(new FacePipeline(models.Require()), new Nobody(), 10, _ =>
        {
            opened++;
            throw isUnderstood ? new DecodeException("There is no decoder.") : new InvalidOperationException();
        });
        for (int i = 0; i < 30; i++)
        {
            AccessUnit unit = Units.Make(3000 * i, key: i % 10 == 0);
            if (!isUnderstood && unit.IsKey)
                Assert.Throws<InvalidOperationException>(() => analysis.Feed(unit));
            else
                analysis.Feed(unit);
            unit.Release();
        }

        Assert.Equal(3, opened);
        Assert.Equal(isUnderstood ? "There is no decoder." : null, analysis.Trouble);
    }

    [SkippableFact]
    public void Tracks_end_when_units_come_but_no_picture_for_five_seconds()
    {
        var witness = new Witness();
        using var film = new FileSource(FaceMedia.Require("franck.mp4"));
        film.Open();
        VideoFormat readable = film.Format!;
        using var analysis = new FaceAnalysis(new FacePipeline(models.Require()), witness, 10, format =>
            ReferenceEquals(format, readable) ? new SoftwareDecoder(format) : throw new DecodeException("There is no decoder."));
        long dts = 0;
        for (int i = 0; i < 48; i++)
        {
            AccessUnit unit = film.Read()!;
            dts = unit.Dts;
            analysis.Feed(unit);
            unit.Release();
        }

        Assert.Equal((1, 0), (witness.Started, witness.Ended));
        FeedUndecodable(dts + 1 * AccessUnit.TicksPerSecond); // the pictures held back come out
        FeedUndecodable(dts + 5 * AccessUnit.TicksPerSecond);
        Assert.Equal(0, witness.Ended);
        FeedUndecodable(dts + 7 * AccessUnit.TicksPerSecond);
        Assert.Equal(1, witness.Ended);

        void FeedUndecodable(long at)
        {
            AccessUnit unit = Units.Make(at, key: true);
            analysis.Feed(unit);
            unit.Release();
        }
    }

    [SkippableFact]
    public void Nobody_is_seen_in_a_GOP_with_lost_packets_before_the_next_clean_keyframe()
    {
        var witness = new Witness();
        using FaceAnalysis analysis = Open(witness);
        Play(analysis, gop =>
        {
            if (gop != 2)
                return gop == 1;
            Assert.True(analysis.FramesDecoded > 100, "the damaged GOP was decoded");
            Assert.Equal((0L, 0), (analysis.FramesAnalyzed, witness.Started));
            return false;
        });
        Assert.Equal(1, witness.Started);
    }

    [SkippableTheory]
    [InlineData(0)]
    [InlineData(100)]
    public void A_GOP_with_lost_packets_neither_updates_a_track_nor_ends_it(int firstDamaged)
    {
        var witness = new Witness();
        using FaceAnalysis analysis = Open(witness);
        (long from, long to) = Play(analysis, gop => gop == 2, firstDamaged);
        Assert.Equal((1, 0), (witness.Started, witness.Ended));
        Assert.True(to - from > 5 * AccessUnit.TicksPerSecond, "longer than presence lasts without pictures");
        Assert.DoesNotContain(witness.Seen, pts => pts >= from && pts < to);
        Assert.Contains(witness.Seen, pts => pts < from);
        Assert.Contains(witness.Seen, pts => pts >= to);
    }

    [SkippableFact]
    public void A_loss_that_goes_on_ends_the_tracks()
    {
        var witness = new Witness();
        using FaceAnalysis analysis = Open(witness);
        Play(analysis, gop => gop is 2 or 3);
        Assert.Equal((2, 1), (witness.Started, witness.Ended));
    }

    private FaceAnalysis Open(Witness witness) => new(new FacePipeline(models.Require()), witness, 10, format => new SoftwareDecoder(format));

    // One man who never leaves, two seconds into the GOP after the last damaged one. Of a damaged GOP the source marks one picture alone. Where the (last) damage
    // began, and where it ended, in presentation time.
    private static (long From, long To) Play(FaceAnalysis analysis, Func<int, bool> isDamaged, int firstDamaged = 0)
    {
        using var film = new FileSource(FaceMedia.Require("franck.mp4"));
        film.Open();
        (long From, long To) damage = default;
        int gop = 0, picture = 0, sinceDamage = 0;
        bool damaged = false, hadDamage = false;
        while (!hadDamage || damaged || sinceDamage < 48)
        {
            AccessUnit unit = film.Read()!;
            if (unit.IsKey)
            {
                picture = sinceDamage = 0;
                bool was = damaged;
                damaged = isDamaged(++gop);
                hadDamage |= damaged;
                if (was && !damaged)
                    damage.To = unit.Pts;
            }

            AccessUnit fed = unit;
            if (damaged && picture == firstDamaged)
            {
                damage.From = unit.Pts;
                fed = Damaged(unit);
            }

            analysis.Feed(fed);
            if (!ReferenceEquals(fed, unit))
                fed.Release();
            unit.Release();
            picture++;
            sinceDamage++;
        }

        return damage;

        static AccessUnit Damaged(AccessUnit unit)
        {
            unit.Memory.AddReference();
            return AccessUnit.Create(
                unit.Memory, unit.Length, unit.Format, new AccessUnitTiming(unit.Dts, unit.Pts, unit.CapturedAt),
                AccessUnitFlags.Damaged | (unit.IsKey ? AccessUnitFlags.Key : 0) | (unit.IsReference ? AccessUnitFlags.Reference : 0));
        }
    }

    [SkippableTheory]
    [InlineData(int.MaxValue)]
    [InlineData(uint.MaxValue)]
    public void A_camera_that_has_run_for_years_is_analysed_on(uint unitsBefore)
    {
        using FaceAnalysis analysis = Analyse("testsrc2=size=320x240:rate=25:duration=1", 25, made => UnitsFed(made) = unitsBefore - 10);

        Assert.Equal(25, analysis.FramesAnalyzed);
        Assert.Equal(unchecked(unitsBefore + 15), UnitsFed(analysis));
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_nextFed")]
    private static extern ref uint UnitsFed(FaceAnalysis analysis);

    private FaceAnalysis Analyse(string pattern, double wanted, Action<FaceAnalysis>? prepare = null)
    {
        string clip = Path.Combine(Directory.CreateTempSubdirectory("edgenode-analysis").FullName, "clip.mp4");
        FFmpegTool.Run("-f", "lavfi", "-i", pattern, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", clip);
        var analysis = new FaceAnalysis(new FacePipeline(models.Require()), new Nobody(), wanted, format => new SoftwareDecoder(format));
        prepare?.Invoke(analysis);
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

    private sealed class Witness : IFaceTrackObserver
    {
        public int Started { get; private set; }

        public int Ended { get; private set; }

        public List<long> Seen { get; } = [];

        public void TrackStarted(FaceTrack track)
        {
            Started++;
            Seen.Add(track.SeenPts);
        }

        public void TrackUpdated(FaceTrack track) => Seen.Add(track.SeenPts);

        public void TrackEnded(FaceTrack track) => Ended++;
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
