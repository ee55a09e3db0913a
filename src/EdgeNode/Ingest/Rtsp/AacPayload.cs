using System.Globalization;
using EdgeNode.Ingest.Aac;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>How AAC frames lie in RTP packets, by the session description (RFC 3640 §4.1).</summary>
internal sealed class AacPayload
{
    private const int MostBits = 16;

    /// <summary>The configuration of the frames.</summary>
    public required AudioSpecificConfig Config { get; init; }

    /// <summary>The format of the frames.</summary>
    public required AudioFormat Format { get; init; }

    /// <summary>Ticks a second of the packets' timestamps.</summary>
    public required int ClockRate { get; init; }

    /// <summary>sizeLength: bits of a frame's size, 1 to 16.</summary>
    public required int SizeBits { get; init; }

    /// <summary>indexLength: bits of the first frame's index, 0 to 16.</summary>
    public required int IndexBits { get; init; }

    /// <summary>indexDeltaLength: bits of a further frame's index, 0 to 16.</summary>
    public required int IndexDeltaBits { get; init; }

    /// <summary>Reads a description. The two modes of the RFC fill in what it leaves out (§3.3.5, §3.3.6).</summary>
    /// <exception cref="InvalidDataException">The configuration is missing or is no AAC that the node reads, or frames are interleaved.</exception>
    public static AacPayload Of(MediaFormat format)
    {
        if (!format.Parameters.TryGetValue("config", out string? hex) || !TryReadHex(hex, out byte[] config))
            throw new InvalidDataException("The camera does not say how its AAC audio is configured (config in the session description).");
        if (NumberOf(format, "maxDisplacement", 0) > 0)
            throw new InvalidDataException("The camera sends its AAC audio interleaved (maxDisplacement): set its stream to be sent in order.");
        foreach (string field in (string[])["CTSDeltaLength", "DTSDeltaLength", "randomAccessIndication", "streamStateIndication", "auxiliaryDataSizeLength"])
        {
            if (NumberOf(format, field, 0) > 0)
                throw new InvalidDataException($"The camera sends AAC audio with {field}, which the node does not read: set it to AAC-hbr.");
        }

        bool lowRate = format.Parameters.TryGetValue("mode", out string? mode) && mode.Equals("AAC-lbr", StringComparison.OrdinalIgnoreCase);
        int size = NumberOf(format, "sizeLength", lowRate ? 6 : 13);
        int index = NumberOf(format, "indexLength", lowRate ? 2 : 3);
        int delta = NumberOf(format, "indexDeltaLength", lowRate ? 2 : 3);
        if (size is < 1 or > MostBits || index > MostBits || delta > MostBits)
            throw new InvalidDataException($"The camera's AAC audio has {size}, {index} and {delta} bits of size and index; 1 to {MostBits} of size and {MostBits} of index are the most.");
        var parsed = AudioSpecificConfig.Parse(config);
        return new AacPayload
        {
            Config = parsed,
            Format = AudioSpecificConfig.ToFormat(config),
            ClockRate = format.ClockRate > 0 ? format.ClockRate : parsed.SampleRate,
            SizeBits = size,
            IndexBits = index,
            IndexDeltaBits = delta,
        };
    }

    private static bool TryReadHex(string text, out byte[] bytes)
    {
        text = text.Trim('"');
        bytes = new byte[text.Length / 2];
        return bytes.Length > 0 && Convert.FromHexString(text.AsSpan(0, 2 * bytes.Length), bytes, out _, out _) == System.Buffers.OperationStatus.Done;
    }

    private static int NumberOf(MediaFormat format, string name, int otherwise) =>
        format.Parameters.TryGetValue(name, out string? text) && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : otherwise;
}
