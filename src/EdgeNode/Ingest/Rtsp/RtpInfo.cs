using System.Globalization;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>The RTP-Info header of PLAY's answer (RFC 2326 §12.33): at which RTP timestamp each stream begins, all at the same moment.</summary>
internal static class RtpInfo
{
    private const int StreamsAtMost = 16;

    /// <summary>
    /// The rtptime of a stream; null where it is missing. Cameras write the URL absolute or relative: entries belong to a stream whose
    /// control URL ends with theirs.
    /// </summary>
    public static uint? TimestampOf(string? header, string streamUri)
    {
        foreach (string entry in (header ?? "").Split(',', StreamsAtMost + 1, StringSplitOptions.TrimEntries))
        {
            string? url = null;
            uint? timestamp = null;
            foreach (string part in entry.Split(';', StringSplitOptions.TrimEntries))
            {
                if (part.StartsWith("url=", StringComparison.OrdinalIgnoreCase))
                    url = part["url=".Length..].Trim('"').TrimEnd('/');
                else if (part.StartsWith("rtptime=", StringComparison.OrdinalIgnoreCase) && uint.TryParse(part.AsSpan("rtptime=".Length), NumberStyles.None, CultureInfo.InvariantCulture, out uint value))
                    timestamp = value;
            }

            if (timestamp is not null && url is { Length: > 0 } && (streamUri.EndsWith(url, StringComparison.OrdinalIgnoreCase) || url.EndsWith(LastPart(streamUri), StringComparison.OrdinalIgnoreCase)))
                return timestamp;
        }

        return null;
    }

    private static string LastPart(string uri) => uri.TrimEnd('/')[(uri.TrimEnd('/').LastIndexOf('/') + 1)..];
}
