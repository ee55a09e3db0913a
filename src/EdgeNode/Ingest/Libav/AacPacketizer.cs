using System.Buffers.Binary;
using EdgeNode.Ingest.Aac;
using EdgeNode.Native.Memory;

namespace EdgeNode.Ingest.Libav;

/// <summary>Turns a demuxer's AAC packets into raw frames: ADTS headers are taken off, and tell the format where the container does not.</summary>
internal sealed class AacPacketizer
{
    private const int LongestFrame = 8 << 10; // 6144 bits a channel (ISO/IEC 14496-3 §4.5.3.1), with room

    private byte[] _refused = [];

    /// <summary>The parameters of the last frame; null before they are known.</summary>
    public AudioFormat? Format { get; private set; }

    /// <summary>Takes a demuxer's extradata: an AudioSpecificConfig, or nothing. One that cannot be read is left for the frames' own headers.</summary>
    public void SetParameters(ReadOnlySpan<byte> extradata)
    {
        if (extradata.IsEmpty || (Format is { } known && extradata.SequenceEqual(known.DecoderConfiguration)) || extradata.SequenceEqual(_refused))
            return;
        try
        {
            Format = AudioSpecificConfig.ToFormat(extradata);
        }
        catch (InvalidDataException)
        {
            _refused = extradata.ToArray();
        }
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
}
