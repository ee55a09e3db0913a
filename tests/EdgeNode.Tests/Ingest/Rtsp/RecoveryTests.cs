using EdgeNode.Ingest;
using EdgeNode.Ingest.H264;
using EdgeNode.Tests.Media;
using EdgeNode.Tests.Streaming;

namespace EdgeNode.Tests.Ingest.Rtsp;

/// <summary>Streams that are joined in the middle, or lose packets, at pictures other than IDR.</summary>
public class RecoveryTests
{
    [Fact]
    public void An_intra_refresh_is_joined_at_its_recovery_point_and_clean_when_the_refresh_is_complete()
    {
        EncodedClip clip = EncodedClip.Make("libx264", "intra-refresh=1:keyint=25:bframes=0", pictures: 100);
        using EncodedStream stream = EncodedStream.Send(clip, hevc: false, skip: 3);

        int frames = Points(clip).First(point => point.Picture > 3).Frames;
        Assert.True(frames > 0);
        Assert.True(stream.Units[0].IsKey);
        Assert.All(stream.Units.Take(frames), unit => Assert.True(unit.IsDamaged));
        Assert.All(stream.Units.Skip(frames), unit => Assert.False(unit.IsDamaged));
        Assert.InRange(stream.Units.Count(unit => unit.IsKey), 2, 4);
    }

    [Fact]
    public void What_follows_a_recovery_point_is_decoded_by_FFmpeg_to_the_right_pictures()
    {
        EncodedClip clip = EncodedClip.Make("libx264", "intra-refresh=1:keyint=25:bframes=0", pictures: 100);
        using EncodedStream whole = EncodedStream.Send(clip, hevc: false);
        using EncodedStream joined = EncodedStream.Send(clip, hevc: false, skip: 3);
        byte[] expected = Decode(whole.Units);
        byte[] actual = Decode(joined.Units);

        int picture = 192 * 108 * 3 / 2;
        int clean = joined.Units.Count(unit => !unit.IsDamaged);
        Assert.True(actual.Length >= clean * picture);
        Assert.Equal(expected[^((clean - 1) * picture)..], actual[^((clean - 1) * picture)..]);
    }

    [Fact]
    public void A_loss_in_an_intra_refresh_is_over_after_the_next_complete_refresh()
    {
        EncodedClip clip = EncodedClip.Make("libx264", "intra-refresh=1:keyint=25:bframes=0", pictures: 100);
        using EncodedStream stream = EncodedStream.Send(Part(clip, 0, 30), hevc: false);
        stream.Lose(2);
        foreach (TestClip.Sample sample in clip.Samples.Skip(31))
            stream.Send(sample);

        (int picture, int frames) = Points(clip).First(point => point.Picture > 31);
        AccessUnit[] damaged = [.. stream.Units.Where(unit => unit.IsDamaged)];
        Assert.Equal(picture + frames - 31, damaged.Length);
        Assert.False(stream.Units[^1].IsDamaged);
    }

    [Fact]
    public void An_open_GOP_is_joined_at_its_I_picture_without_the_B_pictures_that_need_the_GOP_before()
    {
        EncodedClip clip = EncodedClip.Make("libx264", "open-gop=1:keyint=12:bframes=3:b-adapt=0:scenecut=0");
        using EncodedStream stream = EncodedStream.Send(clip, hevc: false, skip: 2);

        Assert.True(stream.Units[0] is { IsKey: true, IsDamaged: false });
        Assert.All(stream.Units, unit => Assert.True(unit.Pts >= stream.Units[0].Pts));
        Assert.Equal(stream.Units.Count, Decode(stream.Units).Length / (192 * 108 * 3 / 2));
        Assert.True(stream.Depacketizer.SkippedUnits > 5);
    }

    [Fact]
    public void H265_is_joined_at_a_CRA_picture_without_its_RASL_pictures()
    {
        EncodedClip clip = EncodedClip.Make("libx265", "open-gop=1:keyint=12:bframes=3:b-adapt=0:scenecut=0");
        using EncodedStream stream = EncodedStream.Send(clip, hevc: true, skip: 2);

        Assert.True(stream.Units[0] is { IsKey: true, IsDamaged: false });
        Assert.All(stream.Units, unit => Assert.True(unit.Pts >= stream.Units[0].Pts));
        Assert.True(stream.Units.Skip(1).Count(unit => unit.IsKey) >= 2);
        int start = clip.Samples.Count - 2 - (int)stream.Depacketizer.SkippedUnits;
        Assert.Equal(start, stream.Units.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Parameter_sets_in_band_alone_are_enough(bool hevc)
    {
        EncodedClip clip = EncodedClip.Make(hevc ? "libx265" : "libx264", "keyint=20");
        using EncodedStream stream = EncodedStream.Send(clip, hevc, setsFirst: false);
        Assert.Empty(stream.Units);
        foreach (byte[] set in clip.ParameterSets(hevc))
            stream.Send(new TestClip.Sample([0, 0, (byte)(set.Length >> 8), (byte)set.Length, .. set], 0, clip.Samples[0].Pts, false));
        foreach (TestClip.Sample sample in clip.Samples)
            stream.Send(sample);

        Assert.Equal(clip.Samples.Count, stream.Units.Count);
        Assert.All(stream.Units, unit => Assert.False(unit.IsDamaged));
    }

    [Fact]
    public void Another_size_at_an_IDR_picture_is_another_format()
    {
        EncodedClip first = EncodedClip.Make("libx265", pictures: 5);
        EncodedClip second = EncodedClip.Make("libx265", pictures: 5, width: 320, height: 240);
        using EncodedStream stream = EncodedStream.Send(first, hevc: true);
        foreach (byte[] set in second.ParameterSets(true))
            stream.Send(new TestClip.Sample([0, 0, (byte)(set.Length >> 8), (byte)set.Length, .. set], 0, first.Samples[^1].Pts + 36_000, false));
        foreach (TestClip.Sample sample in second.Samples)
            stream.Send(sample with { Pts = sample.Pts + first.Samples[^1].Pts + 36_000 });

        Assert.Equal([192, 320], stream.Units.Select(unit => unit.Format.Width).Distinct());
        Assert.Equal(2, stream.Units.Select(unit => unit.Format).Distinct().Count());
        Assert.All(stream.Units, unit => Assert.False(unit.IsDamaged));
    }

    private static EncodedClip Part(EncodedClip clip, int from, int to) =>
        new() { DecoderConfiguration = clip.DecoderConfiguration, Samples = [.. clip.Samples.Skip(from).Take(to - from)] };

    private static IEnumerable<(int Picture, int Frames)> Points(EncodedClip clip)
    {
        foreach ((int picture, TestClip.Sample sample) in clip.Samples.Index())
        {
            foreach (byte[] unit in EncodedClip.UnitsOf(sample.Bytes))
            {
                if (RecoveryPoint.TryRead(unit, out RecoveryPoint point))
                    yield return (picture, point.Frames);
            }
        }
    }

    // Annex B, parameter sets first, as a decoder that is handed the units gets them.
    private static byte[] Decode(List<AccessUnit> units)
    {
        using var folder = new TemporaryFolder();
        string file = folder.File("stream.h264");
        var bytes = new List<byte>();
        DecoderConfigurationRecord record = DecoderConfigurationRecord.Read(units[0].Format.DecoderConfiguration);
        foreach (byte[] unit in record.SequenceParameterSets.Concat(record.PictureParameterSets).Concat(units.SelectMany(unit => EncodedClip.UnitsOf(unit.Data.ToArray()))))
            bytes.AddRange([0, 0, 0, 1, .. unit]);
        File.WriteAllBytes(file, [.. bytes]);
        return FFmpegTool.RawPictures(file);
    }
}
