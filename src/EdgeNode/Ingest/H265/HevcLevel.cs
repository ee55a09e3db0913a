namespace EdgeNode.Ingest.H265;

/// <summary>What a level allows (ITU-T H.265 table A.8).</summary>
internal static class HevcLevel
{
    // general_level_idc (30 times the level's number), MaxLumaPs; rising.
    private static readonly (byte Level, int LumaSamples)[] Table =
    [
        (30, 36_864), (60, 122_880), (63, 245_760), (90, 552_960), (93, 983_040), (120, 2_228_224), (123, 2_228_224),
        (150, 8_912_896), (153, 8_912_896), (156, 8_912_896), (180, 35_651_584), (183, 35_651_584), (186, 35_651_584),
    ];

    /// <summary>The level itself where it can hold pictures of that size, else the lowest that can: browsers refuse a codec string that is too low.</summary>
    public static byte Raise(byte level, int width, int height)
    {
        int allowed = Table[^1].LumaSamples;
        foreach ((byte candidate, int samples) in Table)
        {
            if (candidate >= level)
            {
                // A number between two levels, or above all, is held for the next level's.
                allowed = samples;
                break;
            }
        }

        if (Holds(allowed, width, height))
            return level;
        foreach ((byte candidate, int samples) in Table)
        {
            if (candidate > level && Holds(samples, width, height))
                return candidate;
        }

        return level;
    }

    // A.4.1: no more samples than MaxLumaPs, neither side longer than the square root of 8 * MaxLumaPs.
    private static bool Holds(int samples, long width, long height) =>
        width * height <= samples && width * width <= 8L * samples && height * height <= 8L * samples;
}
