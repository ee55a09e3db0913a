using System.Buffers.Binary;
using System.Globalization;
using EdgeNode.Ingest.Aac;
using EdgeNode.Native.Memory;

namespace EdgeNode.Ingest.Libav;

/// <summary>Turns a demuxer's AAC packets into raw frames: ADTS headers are taken off, and tell the format where the container does not.</summary>
internal sealed class AacPacketizer
{
    private const int LongestFrame = 8 << 10; // 6144 bits a channel (ISO/IEC 14496-3 §4.5.3.1), with room

    // samplingFrequencyIndex, ISO/IEC 14496-3 table 1.18.
    private static readonly int[] Frequencies = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];

    /// <summary>The parameters of the last frame; null before they are known.</summary>
    public AudioFormat? Format { get; private set; }

    /// <summary>Takes a demuxer's extradata: an AudioSpecificConfig, or nothing. One that cannot be read is left for the frames' own headers.</summary>
    public void SetParameters(ReadOnlySpan<byte> extradata)
    {
        if (!extradata.IsEmpty && !(Format is { } known && extradata.SequenceEqual(known.DecoderConfiguration)))
            Format = Read(extradata) ?? Format;
    }

    /// <summary>Copies one frame into a block that the caller releases; null while the format is not known, or where it is no frame.</summary>
    public PacketMemory? Packetize(ReadOnlySpan<byte> data, out int length)
    {
        length = 0;
        if (AdtsHeader.TryRead(data, out AdtsHeader header))
        {
            Span<byte> configuration = stackalloc byte[2];
            BinaryPrimitives.WriteUInt16BigEndian(configuration, header.Configuration);
            SetParameters(configuration);
            data = data.Slice(header.Length, header.PayloadLength);
        }

        if (Format is null || data.IsEmpty || data.Length > LongestFrame)
            return null;
        PacketMemory memory = PacketMemory.Rent(length = data.Length);
        data.CopyTo(memory.Span);
        return memory;
    }

    // AudioSpecificConfig, ISO/IEC 14496-3 §1.6.2.1: object type 5 bits, frequency index 4, channel configuration 4.
    private static AudioFormat? Read(ReadOnlySpan<byte> config)
    {
        if (config.Length < 2)
            return null;
        int objectType = config[0] >> 3;
        int frequency = ((config[0] & 7) << 1) | (config[1] >> 7);
        int channels = (config[1] >> 3) & 0xF;
        if (objectType is 0 or 31 || frequency >= Frequencies.Length || channels is 0 or > 7)
            return null;
        return new AudioFormat
        {
            Codec = AudioCodec.Aac,
            SampleRate = Frequencies[frequency],
            Channels = channels == 7 ? 8 : channels,
            DecoderConfiguration = config.ToArray(),
            CodecString = string.Create(CultureInfo.InvariantCulture, $"mp4a.40.{objectType}"),
        };
    }
}
