using EdgeNode.Native.Memory;

namespace EdgeNode.Ingest.Libav;

/// <summary>Turns a demuxer's packets of one codec into the coded bytes of access units. Not thread-safe.</summary>
internal interface IPacketizer
{
    /// <summary>The parameters of the last picture; null before they are known.</summary>
    VideoFormat? Format { get; }

    /// <summary>Takes a demuxer's extradata: an avcC or hvcC record, Annex B parameter sets, or nothing.</summary>
    /// <exception cref="InvalidDataException">It cannot be read.</exception>
    void SetParameters(ReadOnlySpan<byte> extradata);

    /// <summary>Says that something before the next packet was lost.</summary>
    void MarkDamaged();

    /// <summary>Copies one packet, which holds one picture, into a block that the caller releases; null when it holds no slice, or cannot be decoded for want of what came before.</summary>
    /// <exception cref="InvalidDataException">The packet's lengths or parameter sets make no sense.</exception>
    PacketMemory? Packetize(ReadOnlySpan<byte> data, out int length, out AccessUnitFlags flags);
}
