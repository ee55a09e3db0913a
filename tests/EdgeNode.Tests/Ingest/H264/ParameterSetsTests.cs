using EdgeNode.Ingest;
using EdgeNode.Ingest.H264;

namespace EdgeNode.Tests.Ingest.H264;

public class ParameterSetsTests
{
    private static readonly byte[] s_slice = [0x65, 0x88, 0x80]; // first macroblock 0, slice type 7, picture parameter set 0

    [Fact]
    public void Repeated_sets_keep_the_format_and_changed_ones_make_another()
    {
        var sets = new ParameterSets();
        Assert.Null(sets.FormatOf(s_slice));
        Put(sets, ParameterSetVectors.Main720p12);
        VideoFormat first = sets.FormatOf(s_slice)!;
        Put(sets, ParameterSetVectors.Main720p12);
        Assert.Same(first, sets.FormatOf(s_slice));

        Put(sets, ParameterSetVectors.Baseline640x360);

        Assert.Equal(640, sets.FormatOf(s_slice)!.Width);
    }

    [Fact]
    public void A_set_that_is_padded_with_zeros_is_the_same_set()
    {
        var sets = new ParameterSets();
        (byte[] sps, _) = ParameterSetVectors.Sets(ParameterSetVectors.Main720p12);

        Assert.True(sets.Put(sps));
        Assert.False(sets.Put([.. sps, 0, 0]));
    }

    [Fact]
    public void A_broken_set_leaves_the_known_one()
    {
        var sets = new ParameterSets();
        Put(sets, ParameterSetVectors.Main720p12);
        VideoFormat known = sets.FormatOf(s_slice)!;

        Assert.Throws<InvalidDataException>(() => sets.Put([0x67, 0x4d, 0x40, 0x1f, 0x80]));

        Assert.Same(known, sets.FormatOf(s_slice));
    }

    [Fact]
    public void The_format_is_that_of_the_picture_that_refers_to_it()
    {
        var sets = new ParameterSets();
        Put(sets, ParameterSetVectors.Main720p12);
        sets.Put(SequenceParameterSetTests.Sps(77, 0, 1, 20, 15, id: 1));
        sets.Put(new BitWriter().Unsigned(1).Unsigned(1).Bits(0, 2).Unsigned(0).Unsigned(0).Unsigned(0).Bits(0, 3).Unsigned(0).Unsigned(0).Unsigned(0).Bits(0, 3).ToUnit(0x68));

        Assert.Equal(1280, sets.FormatOf(s_slice)!.Width);
        byte[] other = new BitWriter().Unsigned(0).Unsigned(7).Unsigned(1).ToUnit(0x65);
        Assert.Equal(320, sets.FormatOf(other)!.Width);
    }

    private static void Put(ParameterSets sets, string avcc)
    {
        (byte[] sps, byte[] pps) = ParameterSetVectors.Sets(avcc);
        sets.Put(sps);
        sets.Put(pps);
    }
}
