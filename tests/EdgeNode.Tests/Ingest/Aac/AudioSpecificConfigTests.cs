using EdgeNode.Ingest;
using EdgeNode.Ingest.Aac;

namespace EdgeNode.Tests.Ingest.Aac;

public class AudioSpecificConfigTests
{
    [Theory]
    [InlineData("1408", 16000, 16000, 1, 1024, "mp4a.40.2")]
    [InlineData("1190", 48000, 48000, 2, 1024, "mp4a.40.2")]
    [InlineData("1194", 48000, 48000, 2, 960, "mp4a.40.2")]
    [InlineData("2B920800", 22050, 44100, 2, 1024, "mp4a.40.5")] // HE-AAC, signalled before the core
    [InlineData("131056E598", 24000, 48000, 2, 1024, "mp4a.40.5")] // behind it
    [InlineData("EB8A0800", 22050, 44100, 2, 1024, "mp4a.40.29")] // mono made stereo
    [InlineData("17800FA020", 8000, 8000, 4, 1024, "mp4a.40.2")] // frequency written out
    public void Configurations_are_read(string hex, int coreRate, int rate, int channels, int frame, string codecs)
    {
        byte[] config = Convert.FromHexString(hex);
        AudioSpecificConfig parsed = AudioSpecificConfig.Parse(config);
        AudioFormat format = AudioSpecificConfig.ToFormat(config);

        Assert.Equal((coreRate, frame), (parsed.CoreRate, parsed.FrameLength));
        Assert.Equal((AudioCodec.Aac, rate, channels, codecs), (format.Codec, format.SampleRate, format.Channels, format.CodecString));
        Assert.Equal(config, format.DecoderConfiguration);
    }

    [Theory]
    [InlineData("")]
    [InlineData("12")]
    [InlineData("16F0")] // a reserved frequency
    [InlineData("2B9208")] // cut
    [InlineData("4A10")] // TwinVQ
    public void What_is_no_AAC_is_refused_with_a_sentence(string hex) =>
        Assert.EndsWith(".", Assert.Throws<InvalidDataException>(() => AudioSpecificConfig.Parse(Convert.FromHexString(hex))).Message);
}
