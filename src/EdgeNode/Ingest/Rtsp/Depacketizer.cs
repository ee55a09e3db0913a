namespace EdgeNode.Ingest.Rtsp;

/// <summary>Finds the depacketizer for what a session description offers.</summary>
internal static class Depacketizer
{
    /// <summary>The one for a payload type, with the parameters of its description; null for what the node does not read.</summary>
    /// <exception cref="InvalidDataException">The node reads the codec, but not in the way the camera sends it; the message says so.</exception>
    public static IDepacketizer? For(MediaFormat format, TimeProvider clock)
    {
        if (format.IsH264)
            return ForH264(format, clock);
        if (format.IsH265)
            return ForH265(format, clock);
        return format.IsAac ? new AacDepacketizer(AacPayload.Of(format), clock) : null;
    }

    private static H264Depacketizer ForH264(MediaFormat format, TimeProvider clock)
    {
        const int Interleaved = 2;
        if (format.PacketizationMode == Interleaved)
            throw new InvalidDataException("The camera sends H.264 in interleaved mode (packetization-mode 2): set it to mode 1.");
        var depacketizer = new H264Depacketizer(clock);
        depacketizer.AddParameterSets(format.ReadParameterSets());
        return depacketizer;
    }

    private static H265Depacketizer ForH265(MediaFormat format, TimeProvider clock)
    {
        if (format.MostDecodingDistance > 0)
            throw new InvalidDataException("The camera sends H.265 out of decoding order (sprop-max-don-diff): set its stream to be sent in order.");
        var depacketizer = new H265Depacketizer(clock);
        depacketizer.AddParameterSets(format.ReadParameterSets());
        return depacketizer;
    }
}
