namespace EdgeNode.Ingest.Aac;

/// <summary>
/// The header before each AAC frame in MPEG-TS (ADTS, ISO/IEC 14496-3 §1.A.3.2). <paramref name="Length"/> and <paramref name="FrameLength"/> in bytes, the
/// frame with its header; <paramref name="Configuration"/> is the AudioSpecificConfig that says the same, two bytes, big-endian.
/// </summary>
internal readonly record struct AdtsHeader(int Length, int FrameLength, ushort Configuration)
{
    private const int WithoutChecksum = 7;
    private const int WithChecksum = 9;

    /// <summary>Bytes of the raw frame behind the header.</summary>
    public int PayloadLength => FrameLength - Length;

    /// <summary>Whether <paramref name="data"/> begins as an ADTS frame does.</summary>
    public static bool IsAt(ReadOnlySpan<byte> data) => data.Length >= 2 && data[0] == 0xFF && (data[1] & 0xF6) == 0xF0;

    /// <summary>Reads a header whose frame lies in <paramref name="data"/> whole and holds one raw data block.</summary>
    public static bool TryRead(ReadOnlySpan<byte> data, out AdtsHeader header)
    {
        header = default;
        if (!IsAt(data) || data.Length < WithoutChecksum)
            return false;
        int length = (data[1] & 1) == 0 ? WithChecksum : WithoutChecksum;
        int frame = ((data[3] & 3) << 11) | (data[4] << 3) | (data[5] >> 5);
        bool isOneBlock = (data[6] & 3) == 0;
        if (!isOneBlock || frame <= length || frame > data.Length)
            return false;
        int objectType = (data[2] >> 6) + 1;
        int frequency = (data[2] >> 2) & 0xF;
        int channels = ((data[2] & 1) << 2) | (data[3] >> 6);
        header = new AdtsHeader(length, frame, (ushort)((objectType << 11) | (frequency << 7) | (channels << 3)));
        return true;
    }
}
