namespace EdgeNode.Streaming.Fmp4;

/// <summary>One sample as a track run lists it (ISO/IEC 14496-12 §8.8.8). Durations and offsets in 90 kHz ticks.</summary>
public readonly record struct PartSample(uint Duration, uint Size, uint Flags, int CompositionOffset)
{
    /// <summary>Flags of an IDR picture: depends on no other (§8.8.3.1).</summary>
    public const uint KeyFlags = 0x0200_0000;

    /// <summary>Flags of a picture that depends on others: no sync sample.</summary>
    public const uint DependentFlags = 0x0101_0000;

    /// <summary>Flags of a dependent picture that no other depends on.</summary>
    public const uint DisposableFlags = 0x0181_0000;
}

/// <summary>What stands before a part's pictures: moof and the header of mdat. The pictures follow in the order of the samples.</summary>
public static class PartHeader
{
    private const uint DefaultBaseIsMoof = 0x020000;
    private const uint DataOffset = 0x000001;
    private const uint SampleDurations = 0x000100;
    private const uint SampleSizes = 0x000200;
    private const uint SampleFlags = 0x000400;
    private const uint SampleCompositionOffsets = 0x000800;

    /// <summary>Appends the header of a part that begins at <paramref name="decodeTime"/> (90 kHz ticks).</summary>
    public static void Write(Mp4BoxWriter writer, uint sequence, long decodeTime, ReadOnlySpan<PartSample> samples)
    {
        int moof = writer.Begin("moof"u8);
        int mfhd = writer.Begin("mfhd"u8, 0, 0);
        writer.UInt32(sequence);
        writer.End(mfhd);
        int traf = writer.Begin("traf"u8);
        int tfhd = writer.Begin("tfhd"u8, 0, DefaultBaseIsMoof);
        writer.UInt32(InitializationSegment.TrackId);
        writer.End(tfhd);
        int tfdt = writer.Begin("tfdt"u8, 1, 0);
        writer.UInt64((ulong)decodeTime);
        writer.End(tfdt);
        // Version 1: composition offsets are signed.
        int trun = writer.Begin("trun"u8, 1, DataOffset | SampleDurations | SampleSizes | SampleFlags | SampleCompositionOffsets);
        writer.UInt32((uint)samples.Length);
        int dataOffset = writer.Length;
        writer.UInt32(0);
        uint mediaBytes = 0;
        foreach (PartSample sample in samples)
        {
            writer.UInt32(sample.Duration);
            writer.UInt32(sample.Size);
            writer.UInt32(sample.Flags);
            writer.Int32(sample.CompositionOffset);
            mediaBytes += sample.Size;
        }

        writer.End(trun);
        writer.End(traf);
        writer.End(moof);
        const int boxHeader = 8;
        writer.PatchUInt32(dataOffset, (uint)(writer.Length - moof + boxHeader));
        writer.UInt32(mediaBytes + boxHeader);
        writer.Bytes("mdat"u8);
    }
}
