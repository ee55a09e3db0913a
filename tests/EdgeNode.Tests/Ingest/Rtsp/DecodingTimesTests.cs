using EdgeNode.Ingest;
using EdgeNode.Tests.Media;
using EdgeNode.Tests.Streaming;

namespace EdgeNode.Tests.Ingest.Rtsp;

/// <summary>Decoding times of real encodes whose presentation times alone went over RTP, against those of FFmpeg's own.</summary>
public class DecodingTimesTests
{
    [Theory]
    [InlineData("bframes=0")]
    [InlineData("bframes=1")]
    [InlineData("bframes=2:b-adapt=0")]
    [InlineData("bframes=3:b-adapt=0:b-pyramid=none")]
    [InlineData("bframes=4:b-adapt=0:b-pyramid=normal:ref=4")]
    [InlineData("bframes=4:b-adapt=2:b-pyramid=strict:ref=4:keyint=20")]
    [InlineData("bframes=3:b-adapt=0:open-gop=1:keyint=12:ref=4")]
    [InlineData("bframes=3:weightp=2:weightb=1:b-pyramid=normal:ref=5:slices=3")]
    [InlineData("bframes=3:interlaced=1:ref=4")]
    [InlineData("intra-refresh=1:keyint=25:bframes=2")]
    public void H264_declared(string parameters)
    {
        EncodedClip clip = EncodedClip.Make("libx264", parameters);
        using EncodedStream stream = EncodedStream.Send(clip, hevc: false);
        AssertTimes(clip, stream.Units);

        // The clip's first picture is decoded as long before it is shown as the stream's depth says; so are ours.
        int start = stream.Units.Count / 4;
        Assert.All(stream.Units.Zip(clip.Samples).Skip(start), pair => Assert.Equal(pair.Second.Pts - pair.Second.Dts, pair.First.Pts - pair.First.Dts));
    }

    [Theory]
    [InlineData("bframes=0")]
    [InlineData("bframes=1:b-adapt=0")]
    [InlineData("bframes=3:b-adapt=0:b-pyramid=none")]
    [InlineData("bframes=4:b-adapt=0:b-pyramid=normal:ref=4")]
    [InlineData("bframes=4:b-adapt=2:b-pyramid=normal:ref=4:keyint=20")]
    public void H264_without_VUI(string parameters)
    {
        EncodedClip clip = EncodedClip.Make("libx264", parameters);
        clip.RemoveVui();
        using EncodedStream stream = EncodedStream.Send(clip, hevc: false);
        Assert.Equal(0, stream.Units[0].Format.DeclaredFrameRate);
        AssertTimes(clip, stream.Units);
    }

    [Fact]
    public void H264_without_VUI_and_without_B_frames_is_not_delayed()
    {
        EncodedClip clip = EncodedClip.Make("libx264", "bframes=0:ref=3", more: ["-profile:v", "main"]);
        clip.RemoveVui();
        using EncodedStream stream = EncodedStream.Send(clip, hevc: false);
        Assert.All(stream.Units.Where((_, i) => i != 1), unit => Assert.Equal(unit.Pts, unit.Dts));
    }

    [Theory]
    [InlineData("bframes=0")]
    [InlineData("bframes=3:b-adapt=0")]
    [InlineData("bframes=4:b-adapt=0:b-pyramid=0")]
    [InlineData("bframes=4:b-adapt=2:keyint=15:open-gop=1")]
    [InlineData("bframes=4:b-adapt=2:keyint=15:open-gop=0:temporal-layers=2")]
    [InlineData("bframes=2:keyint=15:open-gop=0")]
    public void H265_declared(string parameters)
    {
        EncodedClip clip = EncodedClip.Make("libx265", parameters, height: 256);
        using EncodedStream stream = EncodedStream.Send(clip, hevc: true);
        AssertTimes(clip, stream.Units);
        int start = stream.Units.Count / 4;
        Assert.All(stream.Units.Zip(clip.Samples).Skip(start), pair => Assert.Equal(pair.Second.Pts - pair.Second.Dts, pair.First.Pts - pair.First.Dts));
    }

    private static void AssertTimes(EncodedClip clip, List<AccessUnit> units)
    {
        // The last picture waits for its marker bit alone.
        Assert.Equal(clip.Samples.Count, units.Count);
        long shift = units[0].Pts - clip.Samples[0].Pts;
        long last = long.MinValue;
        foreach ((AccessUnit unit, TestClip.Sample sample) in units.Zip(clip.Samples))
        {
            Assert.Equal(sample.Pts + shift, unit.Pts);
            Assert.True(unit.Dts <= unit.Pts && unit.Dts > last);
            Assert.False(unit.IsDamaged);
            last = unit.Dts;
        }

        Assert.Equal(clip.Samples.Select(sample => sample.IsKey), units.Select(unit => unit.IsKey));
    }
}
