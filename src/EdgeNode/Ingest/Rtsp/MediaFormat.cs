using System.Globalization;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>One payload type of a media section: its rtpmap and fmtp.</summary>
internal sealed class MediaFormat
{
    private const string ParameterSetsKey = "sprop-parameter-sets";
    private static readonly string[] ParameterSetsKeys = ["sprop-vps", "sprop-sps", "sprop-pps", ParameterSetsKey];

    /// <summary>RTP payload type, 0 to 127.</summary>
    public required int PayloadType { get; init; }

    /// <summary>Encoding name of the rtpmap; null when there is none.</summary>
    public string? Encoding { get; set; }

    /// <summary>Ticks a second of the RTP timestamps.</summary>
    public int ClockRate { get; set; } = 90_000;

    /// <summary>The fmtp's parameters.</summary>
    public Dictionary<string, string> Parameters { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether it is H.264: by its name, or, where the rtpmap is missing, by its parameter sets.</summary>
    public bool IsH264 => Encoding is null ? Parameters.ContainsKey(ParameterSetsKey) : Encoding.Equals("H264", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether it is H.265: by its name, or, where the rtpmap is missing, by its parameter sets.</summary>
    public bool IsH265 => Encoding is null ? Parameters.ContainsKey("sprop-sps") : Encoding.ToUpperInvariant() is "H265" or "HEVC";

    /// <summary>
    /// Whether it is AAC as RFC 3640 sends it (mpeg4-generic of a mode that begins with AAC, or of none). MP4A-LATM (RFC 6416) is
    /// another thing, which the node does not read.
    /// </summary>
    public bool IsAac =>
        Encoding is not null && Encoding.Equals("mpeg4-generic", StringComparison.OrdinalIgnoreCase)
        && (!Parameters.TryGetValue("mode", out string? mode) || mode.StartsWith("AAC", StringComparison.OrdinalIgnoreCase));

    /// <summary>sprop-max-don-diff (RFC 7798 §7.1): above 0, units come out of decoding order, behind decoding order numbers.</summary>
    public int MostDecodingDistance =>
        Parameters.TryGetValue("sprop-max-don-diff", out string? text) && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int most) ? most : 0;

    /// <summary>packetization-mode (RFC 6184 §8.1); 2 is the interleaved mode, which the node does not read.</summary>
    public int PacketizationMode =>
        Parameters.TryGetValue("packetization-mode", out string? text) && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int mode) ? mode : 0;

    /// <summary>What to call it to the user: the encoding's name, printable, else the payload type's.</summary>
    public string Name
    {
        get
        {
            string name = new([.. (Encoding ?? "").Where(char.IsAsciiLetterOrDigit).Take(20)]);
            return name.Length > 0 ? name : PayloadType switch
            {
                26 => "JPEG",
                32 => "MPEG video",
                33 => "MPEG-TS",
                34 => "H263",
                _ => string.Create(CultureInfo.InvariantCulture, $"payload type {PayloadType}"),
            };
        }
    }

    /// <summary>The NAL units of sprop-parameter-sets (RFC 6184 §8.1), or sprop-vps, sprop-sps and sprop-pps (RFC 7798 §7.1); values that are no Base64 are left out.</summary>
    public List<byte[]> ReadParameterSets()
    {
        var sets = new List<byte[]>();
        foreach (string key in ParameterSetsKeys)
        {
            if (!Parameters.TryGetValue(key, out string? value))
                continue;
            foreach (string text in value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            {
                // Cameras forget the padding or write too much of it.
                string bare = text.Trim('"').TrimEnd('=');
                string padded = bare.PadRight((bare.Length + 3) / 4 * 4, '=');
                byte[] bytes = new byte[padded.Length];
                if (Convert.TryFromBase64String(padded, bytes, out int length) && length > 0)
                    sets.Add(bytes[..length]);
            }
        }

        return sets;
    }
}
