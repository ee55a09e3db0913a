using System.Globalization;
using System.Text;
using EdgeNode.Ingest.Bitstream;

namespace EdgeNode.Ingest.H265;

/// <summary>The general part of profile_tier_level (ITU-T H.265 §7.3.3).</summary>
/// <param name="Profile">general_profile_space, general_tier_flag and general_profile_idc in one byte, as hvcC has them.</param>
/// <param name="Compatibility">general_profile_compatibility_flags, the first in the highest bit.</param>
/// <param name="Constraints">The 48 bits of flags between compatibility and level.</param>
/// <param name="Level">general_level_idc.</param>
internal readonly record struct ProfileTierLevel(byte Profile, uint Compatibility, ulong Constraints, byte Level)
{
    private const int ConstraintBytes = 6;

    /// <summary>Reads it, and steps over those of the sub-layers.</summary>
    public static ProfileTierLevel Read(ref RbspReader reader, int subLayersMinusOne)
    {
        byte profile = (byte)reader.ReadBits(8);
        uint compatibility = reader.ReadBits(32);
        ulong constraints = ((ulong)reader.ReadBits(24) << 24) | reader.ReadBits(24);
        byte level = (byte)reader.ReadBits(8);

        uint present = 0;
        if (subLayersMinusOne > 0)
            present = reader.ReadBits(16); // for each of eight: sub_layer_profile_present_flag, sub_layer_level_present_flag
        for (int i = 0; i < subLayersMinusOne; i++)
        {
            uint flags = present >> (14 - 2 * i);
            if ((flags & 2) != 0)
                reader.SkipBits(88);
            if ((flags & 1) != 0)
                reader.SkipBits(8);
        }

        return new ProfileTierLevel(profile, compatibility, constraints, level);
    }

    /// <summary>The CODECS string after ISO/IEC 14496-15 annex E.3, with <paramref name="level"/> in the place of the stated one.</summary>
    public string CodecString(byte level)
    {
        var text = new StringBuilder("hvc1.");
        int space = Profile >> 6;
        if (space > 0)
            text.Append((char)('A' + space - 1));
        text.Append(CultureInfo.InvariantCulture, $"{Profile & 0x1F}.{Reverse(Compatibility):X}.{((Profile & 0x20) != 0 ? 'H' : 'L')}{level}");

        // The constraint bytes, without the zero ones at the end.
        ulong rest = Constraints << 16;
        for (int i = 0; i < ConstraintBytes && rest != 0; i++, rest <<= 8)
            text.Append(CultureInfo.InvariantCulture, $".{(byte)(rest >> 56):X}");
        return text.ToString();
    }

    private static uint Reverse(uint bits)
    {
        uint reversed = 0;
        for (int i = 0; i < 32; i++)
            reversed |= ((bits >> i) & 1) << (31 - i);
        return reversed;
    }
}
