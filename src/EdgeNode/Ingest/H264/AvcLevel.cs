namespace EdgeNode.Ingest.H264;

/// <summary>What a level allows (ITU-T H.264 table A-1).</summary>
internal static class AvcLevel
{
    // level_idc, MaxFS (macroblocks a frame), MaxDpbMbs (macroblocks in the decoded picture buffer); rising. 9 is level 1b.
    private static readonly (byte Level, int FrameMacroblocks, int BufferMacroblocks)[] Table =
    [
        (9, 99, 396), (10, 99, 396), (11, 396, 900), (12, 396, 2376), (13, 396, 2376),
        (20, 396, 2376), (21, 792, 4752), (22, 1620, 8100),
        (30, 1620, 8100), (31, 3600, 18000), (32, 5120, 20480),
        (40, 8192, 32768), (41, 8192, 32768), (42, 8704, 34816),
        (50, 22080, 110400), (51, 36864, 184320), (52, 36864, 184320),
        (60, 139264, 696320), (61, 139264, 696320), (62, 139264, 696320),
    ];

    /// <summary>The level itself where it can hold frames of that many macroblocks, else the lowest that can: browsers refuse a codec string that is too low.</summary>
    public static byte Raise(byte level, int widthInMacroblocks, int heightInMacroblocks)
    {
        byte lowest = level;
        foreach ((byte candidate, int frame, _) in Table)
        {
            bool holds = Holds(frame, widthInMacroblocks, heightInMacroblocks);
            if (candidate <= level)
                lowest = holds ? level : (byte)0;
            else if (lowest == 0 && holds)
                lowest = candidate;
        }

        return lowest == 0 ? level : lowest;
    }

    /// <summary>MaxDpbFrames (A.3.1 h): frames that a decoder of that level must be able to hold, 16 at most.</summary>
    public static int BufferedFrames(byte level, int frameMacroblocks)
    {
        int buffer = Table[0].BufferMacroblocks;
        foreach ((byte candidate, _, int macroblocks) in Table)
        {
            if (candidate <= level)
                buffer = macroblocks;
        }

        return Math.Clamp(buffer / Math.Max(1, frameMacroblocks), 1, 16);
    }

    // A.3.1 f and g: no more macroblocks than MaxFS, neither side longer than the square root of 8 * MaxFS.
    private static bool Holds(int frame, int width, int height) =>
        width * height <= frame && width * width <= 8 * frame && height * height <= 8 * frame;
}
