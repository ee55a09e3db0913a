using EdgeNode.Ingest.H264;

namespace EdgeNode.Tests.Ingest.H264;

public class SequenceParameterSetTests
{
    [Theory]
    [InlineData(ParameterSetVectors.Baseline640x360, 640, 360, 0, 25, "avc1.42c01e")]
    [InlineData(ParameterSetVectors.High1080p, 1920, 1080, 2, 30, "avc1.640028")]
    [InlineData(ParameterSetVectors.Main720p12, 1280, 720, 0, 12, "avc1.4d401f")]
    [InlineData(ParameterSetVectors.Interlaced576, 720, 576, 2, 25, "avc1.64001e")]
    [InlineData(ParameterSetVectors.High422TenBit, 320, 180, 2, 29.97, "avc1.7a000d")]
    public void Reads_what_the_encoder_was_told(string avcc, int width, int height, int reorder, double rate, string codec)
    {
        var sps = SequenceParameterSet.Parse(ParameterSetVectors.Sets(avcc).Sps);

        Assert.Equal((width, height), (sps.Width, sps.Height));
        Assert.Equal(reorder, sps.ReorderDepth);
        Assert.Equal(rate, sps.FrameRate, 2);
        Assert.Equal(codec, sps.CodecString);
    }

    [Fact]
    public void A_level_too_low_for_the_size_is_raised_in_the_codec_string_only()
    {
        var sps = SequenceParameterSet.Parse(ParameterSetVectors.Sets(ParameterSetVectors.Level11For720p).Sps);

        Assert.Equal(11, sps.Level);
        Assert.Equal("avc1.4d401f", sps.CodecString);
    }

    [Theory]
    [InlineData(66, 0, 4, 0)] // Baseline has no B pictures
    [InlineData(77, 2, 4, 0)] // order count type 2 is decoding order
    [InlineData(77, 0, 1, 0)] // one reference frame leaves no room
    [InlineData(77, 0, 2, 1)]
    [InlineData(100, 0, 4, 2)]
    public void Without_a_vui_the_reorder_depth_is_derived(byte profile, int orderCountType, int references, int expected)
    {
        Assert.Equal(expected, SequenceParameterSet.Parse(Sps(profile, orderCountType, references, 40, 30)).ReorderDepth);
    }

    [Fact]
    public void A_reorder_depth_never_exceeds_what_the_level_can_hold()
    {
        // 1080p at level 3: 8100 macroblocks of buffer hold less than one frame.
        var sps = SequenceParameterSet.Parse(Sps(77, 0, 8, 120, 68, level: 30));

        Assert.Equal(1, sps.ReorderDepth);
    }

    [Theory]
    [InlineData(1, 1, true)]
    [InlineData(512, 512, true)]
    [InlineData(513, 4, false)]
    [InlineData(4, 513, false)]
    public void Sizes_from_16_to_8192_are_taken(int widthInMacroblocks, int heightInMacroblocks, bool taken)
    {
        byte[] unit = Sps(77, 0, 1, widthInMacroblocks, heightInMacroblocks);

        if (taken)
            Assert.Equal(16 * widthInMacroblocks, SequenceParameterSet.Parse(unit).Width);
        else
            Assert.Throws<InvalidDataException>(() => SequenceParameterSet.Parse(unit));
    }

    [Fact]
    public void Cropping_beyond_the_picture_is_refused()
    {
        Assert.Throws<InvalidDataException>(() => SequenceParameterSet.Parse(Sps(77, 0, 1, 4, 4, cropRight: 40)));
    }

    [Fact]
    public void A_vui_cut_short_leaves_the_size()
    {
        byte[] whole = ParameterSetVectors.Sets(ParameterSetVectors.High1080p).Sps;

        var sps = SequenceParameterSet.Parse(whole.AsSpan(0, 16));

        Assert.Equal((1920, 1080, 0), (sps.Width, sps.Height, (int)sps.FrameRate));
    }

    [Fact]
    public void Mutated_bytes_are_read_or_refused_but_never_break_out()
    {
        string[] seeds = [ParameterSetVectors.High1080p, ParameterSetVectors.Interlaced576, ParameterSetVectors.High422TenBit, ParameterSetVectors.Level11For720p];
        var random = new Random(20261);
        int read = 0;
        for (int round = 0; round < 20_000; round++)
        {
            byte[] avcc = Convert.FromHexString(seeds[round % seeds.Length]);
            for (int change = random.Next(1, 6); change > 0; change--)
                avcc[random.Next(avcc.Length)] = (byte)random.Next(256);
            byte[] cut = avcc[..random.Next(avcc.Length + 1)];
            try
            {
                EdgeNode.Ingest.VideoFormat format = H264Format.FromDecoderConfiguration(round % 3 == 0 ? cut : avcc);
                Assert.InRange(format.Width, 16, 8192);
                Assert.InRange(format.Height, 16, 8192);
                Assert.InRange(format.ReorderDepth, 0, 16);
                read++;
            }
            catch (InvalidDataException)
            {
            }
        }

        Assert.InRange(read, 1, 19_999);
    }

    internal static byte[] Sps(byte profile, int orderCountType, int references, int widthInMacroblocks, int heightInMacroblocks, byte level = 51, uint id = 0, uint cropRight = 0)
    {
        BitWriter bits = new BitWriter().Unsigned(id);
        if (profile == 100)
            bits.Unsigned(1).Unsigned(0).Unsigned(0).Bits(0, 2); // 4:2:0, 8 bits, no bypass, no matrix
        bits.Unsigned(0).Unsigned((uint)orderCountType);
        if (orderCountType == 0)
            bits.Unsigned(4);
        bits.Unsigned((uint)references).Bits(0, 1).Unsigned((uint)widthInMacroblocks - 1).Unsigned((uint)heightInMacroblocks - 1);
        bits.Bits(1, 1).Bits(1, 1); // frames only, direct 8x8
        if (cropRight == 0)
            bits.Bits(0, 1);
        else
            bits.Bits(1, 1).Unsigned(0).Unsigned(cropRight).Unsigned(0).Unsigned(0);
        return bits.Bits(0, 1).ToUnit(0x67, profile, 0, level);
    }
}
