using System.Globalization;
using System.Net;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>The Transport header of SETUP's answer (RFC 2326 §12.39), as far as cameras write it: all of it may be missing.</summary>
internal readonly record struct TransportAnswer
{
    /// <summary>Interleaved channels of RTP and RTCP; null where none are told.</summary>
    public (byte Data, byte Control)? Channels { get; private init; }

    /// <summary>The camera's UDP ports for RTP and RTCP; null where none are told.</summary>
    public (int Data, int Control)? ServerPorts { get; private init; }

    /// <summary>Where the packets come from, when the camera tells an address.</summary>
    public IPAddress? Source { get; private init; }

    /// <summary>Whether it names TCP as the lower transport.</summary>
    public bool IsTcp { get; private init; }

    /// <summary>Reads the header; never fails.</summary>
    public static TransportAnswer Read(string? header)
    {
        var answer = new TransportAnswer();
        foreach (string part in (header ?? "").Split(';', StringSplitOptions.TrimEntries))
        {
            int equals = part.IndexOf('=');
            string name = (equals < 0 ? part : part[..equals]).Trim();
            string value = equals < 0 ? "" : part[(equals + 1)..].Trim().Trim('"');
            if (name.EndsWith("/TCP", StringComparison.OrdinalIgnoreCase))
                answer = answer with { IsTcp = true };
            else if (name.Equals("interleaved", StringComparison.OrdinalIgnoreCase) && TryReadPair(value, byte.MaxValue, out (int Data, int Control) channels))
                answer = answer with { Channels = ((byte)channels.Data, (byte)channels.Control) };
            else if (name.Equals("server_port", StringComparison.OrdinalIgnoreCase) && TryReadPair(value, ushort.MaxValue, out (int Data, int Control) ports) && ports.Data > 0)
                answer = answer with { ServerPorts = ports };
            else if (name.Equals("source", StringComparison.OrdinalIgnoreCase) && IPAddress.TryParse(value, out IPAddress? source))
                answer = answer with { Source = source };
        }

        return answer;
    }

    private static bool TryReadPair(string text, int most, out (int First, int Second) pair)
    {
        string[] numbers = text.Split('-');
        pair = default;
        if (!int.TryParse(numbers[0], NumberStyles.None, CultureInfo.InvariantCulture, out int first) || first > most)
            return false;
        int second = 0;
        bool hasSecond = numbers.Length > 1 && int.TryParse(numbers[^1], NumberStyles.None, CultureInfo.InvariantCulture, out second) && second <= most;
        pair = (first, hasSecond ? second : Math.Min(most, first + 1));
        return true;
    }
}
