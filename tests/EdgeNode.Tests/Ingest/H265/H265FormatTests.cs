using EdgeNode.Ingest;
using EdgeNode.Ingest.H265;
using EdgeNode.Tests.Media;

namespace EdgeNode.Tests.Ingest.H265;

public class H265FormatTests
{
    [Theory]
    [InlineData("yuv420p", 322, 178, "hvc1.1.6.L60.90", 8, 1)]
    [InlineData("yuv420p10le", 192, 108, "hvc1.2.4.L30.90", 10, 1)]
    [InlineData("yuv444p", 64, 48, null, 8, 3)]
    public void What_x265_wrote_is_read_and_written_again(string pixels, int width, int height, string? codecs, int depth, int chroma)
    {
        EncodedClip clip = EncodedClip.Make("libx265", "bframes=3", pictures: 5, width: width, height: height, pixelFormat: pixels);
        DecoderConfigurationRecord record = DecoderConfigurationRecord.Read(clip.DecoderConfiguration);
        var sps = SequenceParameterSet.Parse(record.SequenceParameterSets[0]);
        VideoFormat format = H265Format.FromDecoderConfiguration(clip.DecoderConfiguration);

        Assert.Equal((VideoCodec.H265, width, height, 25.0), (format.Codec, format.Width, format.Height, format.DeclaredFrameRate));
        Assert.Equal((depth, depth, chroma), (sps.LumaDepth, sps.ChromaDepth, sps.ChromaFormat));
        Assert.Equal(2, format.ReorderDepth); // b-pyramid
        if (codecs is not null)
            Assert.Equal(codecs, format.CodecString);

        // FFmpeg's record may hold an SEI behind the sets; the general part is the same but for what we do not say.
        byte[] ours = format.DecoderConfiguration;
        Assert.Equal(clip.DecoderConfiguration[..13], ours[..13]);
        Assert.Equal(clip.DecoderConfiguration[16..19], ours[16..19]);
        Assert.Equal(ours, H265Format.FromDecoderConfiguration(ours).DecoderConfiguration);
        Assert.Equal(ours, H265Format.FromParameterSets(record.VideoParameterSets[0], record.SequenceParameterSets[0], record.PictureParameterSets[0]).DecoderConfiguration);
    }

    [Fact]
    public void A_level_too_low_for_the_size_is_raised_in_the_codec_string_alone()
    {
        EncodedClip clip = EncodedClip.Make("libx265", pictures: 1, width: 1920, height: 1080);
        DecoderConfigurationRecord record = DecoderConfigurationRecord.Read(clip.DecoderConfiguration);
        byte[] sps = record.SequenceParameterSets[0];
        int level = sps.AsSpan().IndexOf((byte)120);
        sps[level] = 30;
        VideoFormat format = H265Format.FromParameterSets(record.VideoParameterSets[0], sps, record.PictureParameterSets[0]);

        Assert.Equal("hvc1.1.6.L120.90", format.CodecString);
        Assert.Equal(30, format.DecoderConfiguration[12]);
    }

    [Fact]
    public void Scaling_lists_and_long_reference_sets_do_not_hide_the_frame_rate()
    {
        EncodedClip clip = EncodedClip.Make("libx265", "bframes=8:ref=6:scaling-list=default:temporal-layers=2:hrd=1:vbv-maxrate=500:vbv-bufsize=500", pictures: 5, more: ["-preset", "slow"]);
        Assert.Equal(25, H265Format.FromDecoderConfiguration(clip.DecoderConfiguration).DeclaredFrameRate);
    }

    [Fact]
    public void A_record_cut_anywhere_is_refused_with_a_sentence()
    {
        byte[] record = H265Format.FromDecoderConfiguration(EncodedClip.Make("libx265", pictures: 1).DecoderConfiguration).DecoderConfiguration;
        for (int length = 0; length < record.Length; length++)
            Assert.Throws<InvalidDataException>(() => H265Format.FromDecoderConfiguration(record.AsSpan(0, length)));
    }
}
