using EdgeNode.Ingest.Bitstream;

namespace EdgeNode.Tests.Ingest.H264;

/// <summary>Copies an SPS of x264 (order count type 0 or 2, no scaling lists) up to its VUI, and says that there is none.</summary>
internal static class SpsWithoutVui
{
    public static byte[] Of(byte[] sps)
    {
        var reader = new RbspReader(sps.AsSpan(1));
        var writer = new BitWriter();
        uint profile = reader.ReadBits(8);
        writer.Bits(profile, 8).Bits(reader.ReadBits(16), 16);
        Copy(ref reader, writer); // id
        if (profile is 100 or 110 or 122 or 244)
        {
            for (int i = 0; i < 3; i++)
                Copy(ref reader, writer);
            writer.Bits(reader.ReadBits(2), 2);
        }

        Copy(ref reader, writer);
        uint type = reader.ReadUnsigned();
        writer.Unsigned(type);
        if (type == 0)
            Copy(ref reader, writer);
        Copy(ref reader, writer);
        writer.Bits(reader.ReadBits(1), 1);
        Copy(ref reader, writer);
        Copy(ref reader, writer);
        bool frames = reader.ReadBit();
        writer.Bits(frames ? 1u : 0, 1);
        if (!frames)
            writer.Bits(reader.ReadBits(1), 1);
        writer.Bits(reader.ReadBits(1), 1);
        bool cropped = reader.ReadBit();
        writer.Bits(cropped ? 1u : 0, 1);
        for (int i = 0; i < 4 && cropped; i++)
            Copy(ref reader, writer);
        return writer.Bits(0, 1).ToUnit(sps[0]);
    }

    private static void Copy(ref RbspReader reader, BitWriter writer) => writer.Unsigned(reader.ReadUnsigned());
}
