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

    public static readonly AudioFormat Audio = new()
    {
        Codec = AudioCodec.Aac,
        SampleRate = 48_000,
        Channels = 1,
        DecoderConfiguration = [0x11, 0x88],
        CodecString = "mp4a.40.2",
    };

    public static AccessUnit Make(long dts, bool key = false, int bytes = 100, bool startsTimeline = false, long reorder = 0, bool damaged = false, DateTime? capturedAt = null)
    {
        AccessUnitFlags flags = (key ? AccessUnitFlags.Key | AccessUnitFlags.Reference : 0) | (startsTimeline ? AccessUnitFlags.StartsTimeline : 0) | (damaged ? AccessUnitFlags.Damaged : 0);
        return AccessUnit.Create(PacketMemory.Rent(bytes), bytes, Format, new AccessUnitTiming(dts, dts + reorder, capturedAt ?? DateTime.UnixEpoch.AddSeconds(dts / 90000d)), flags);
    }

    public static AccessUnit MakeAudio(long dts, int bytes = 100) =>
        AccessUnit.CreateAudio(PacketMemory.Rent(bytes), bytes, Audio, new AccessUnitTiming(dts, dts, DateTime.UnixEpoch.AddSeconds(dts / 90000d)));
}
