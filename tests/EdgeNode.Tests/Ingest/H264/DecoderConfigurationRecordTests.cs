using EdgeNode.Ingest;
using EdgeNode.Ingest.H264;

namespace EdgeNode.Tests.Ingest.H264;

public class DecoderConfigurationRecordTests
{
    [Theory]
    [InlineData(ParameterSetVectors.Baseline640x360)]
    [InlineData(ParameterSetVectors.High1080p)]
    [InlineData(ParameterSetVectors.High422TenBit)]
    public void Parameter_sets_give_the_record_that_libavformat_writes(string avcc)
    {
        (byte[] sps, byte[] pps) = ParameterSetVectors.Sets(avcc);

        Assert.Equal(avcc, Convert.ToHexStringLower(H264Format.FromParameterSets(sps, pps).DecoderConfiguration));
        Assert.Equal(avcc, Convert.ToHexStringLower(H264Format.FromDecoderConfiguration(Convert.FromHexString(avcc)).DecoderConfiguration));
    }

    [Fact]
    public void Shorter_lengths_of_a_file_are_told_apart_and_become_four_bytes_in_the_format()
    {
        byte[] avcc = Convert.FromHexString(ParameterSetVectors.Main720p12);
        avcc[4] = 0xFD;

        Assert.Equal(2, DecoderConfigurationRecord.Read(avcc).LengthSize);
        VideoFormat format = H264Format.FromDecoderConfiguration(avcc);
        Assert.Equal(4, DecoderConfigurationRecord.Read(format.DecoderConfiguration).LengthSize);
    }

    [Fact]
    public void A_byte_stream_is_no_record()
    {
        Assert.Throws<InvalidDataException>(() => H264Format.FromDecoderConfiguration([0, 0, 0, 1, 0x67, 0x42, 0, 30, 1]));
        Assert.Throws<InvalidDataException>(() => H264Format.FromDecoderConfiguration([]));
    }

    [Fact]
    public void A_pps_in_place_of_an_sps_is_refused()
    {
        (byte[] sps, byte[] pps) = ParameterSetVectors.Sets(ParameterSetVectors.Main720p12);

        Assert.Throws<InvalidDataException>(() => H264Format.FromParameterSets(pps, sps));
        Assert.Throws<InvalidDataException>(() => H264Format.FromParameterSets(sps, []));
    }
}
