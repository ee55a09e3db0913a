using EdgeNode.Ingest;
using EdgeNode.Native.Memory;

namespace EdgeNode.Tests.Ingest;

/// <summary>Access units for tests that care for their order, size and flags but not for their pixels.</summary>
internal static class Units
{
    public static readonly VideoFormat Format = new()
    {
        Codec = VideoCodec.H264,
        Width = 64,
        Height = 48,
        DecoderConfiguration = [1],
        CodecString = "avc1.42c00a",
    };

    public static AccessUnit Make(long dts, bool key = false, int bytes = 100, bool startsTimeline = false, long reorder = 0)
    {
        AccessUnitFlags flags = (key ? AccessUnitFlags.Key | AccessUnitFlags.Reference : 0) | (startsTimeline ? AccessUnitFlags.StartsTimeline : 0);
        return AccessUnit.Create(PacketMemory.Rent(bytes), bytes, Format, new AccessUnitTiming(dts, dts + reorder, DateTime.UnixEpoch.AddSeconds(dts / 90000d)), flags);
    }
}
