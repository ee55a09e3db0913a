namespace EdgeNode.Tests.Ingest.H264;

/// <summary>avcC records as x264 and libavformat wrote them for clips of known shape.</summary>
internal static class ParameterSetVectors
{
    public const string Baseline640x360 = "0142c01effe1001d6742c01edb0280bfe5ffc000c00104000003000400000300c83c58bb8001000568ca83cb20";
    public const string High1080p = "01640028ffe1001f67640028acd940780227e5ffc000c00104000003000400000300f03c60c65801000668eae3cb22c0fdf8f800";
    public const string Main720p12 = "014d401fffe1001b674d401fdb014016effc000c001040000003004000000603c60cb801000568eac3cb20";
    public const string Interlaced576 = "0164001effe1001c6764001eacd940b424dff8008000788000000300800000190f8a14cb01000668faa3cb22c0fdf8f800";
    public const string High422TenBit = "017a000dffe1001d677a000db6cd941419f8dffc000c0010400000fa40003a9803c50a658001000668eae3cb22c0fefafa00";
    public const string Level11For720p = "014d400bffe1001b674d400bda014016effc000c001040000003004000000c83c50aa801000568ef0f2c80";

    /// <summary>The SPS and the PPS of a record.</summary>
    public static (byte[] Sps, byte[] Pps) Sets(string avcc)
    {
        byte[] bytes = Convert.FromHexString(avcc);
        int sps = bytes[7] | (bytes[6] << 8);
        int pps = bytes[8 + sps + 2] | (bytes[8 + sps + 1] << 8);
        return (bytes[8..(8 + sps)], bytes[(8 + sps + 3)..(8 + sps + 3 + pps)]);
    }
}
