using System.Globalization;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>What SETUP's answer says (RFC 2326 §12.37, §12.39).</summary>
internal sealed class RtspSession
{
    private const int UsualTimeoutSeconds = 60;

    /// <summary>The session's identifier; null where the camera gives none.</summary>
    public string? Id { get; private init; }

    /// <summary>After so long without a sign of life the camera ends the session.</summary>
    public TimeSpan Timeout { get; private init; }

    /// <summary>Interleaved channel of the RTP packets.</summary>
    public byte DataChannel { get; private init; }

    /// <summary>Interleaved channel of the RTCP packets.</summary>
    public byte ControlChannel { get; private init; }

    /// <summary>Reads the Session and Transport headers.</summary>
    /// <exception cref="InvalidDataException">The identifier holds control characters: it could not be sent back.</exception>
    public static RtspSession Read(RtspMessage answer)
    {
        string? id = null;
        int timeout = UsualTimeoutSeconds;
        if (answer.Header("Session") is { } session)
        {
            string[] parts = session.Split(';', StringSplitOptions.TrimEntries);
            id = parts[0].Length > 0 ? parts[0] : null;
            if (parts[0].AsSpan().ContainsAnyInRange('\0', '\x1F') || parts[0].Contains('\x7F'))
                throw new InvalidDataException("Its session has an identifier with control characters: restart the camera or update its firmware.");
            foreach (string part in parts.AsSpan(1))
            {
                if (part.StartsWith("timeout=", StringComparison.OrdinalIgnoreCase)
                    && int.TryParse(part.AsSpan("timeout=".Length), NumberStyles.None, CultureInfo.InvariantCulture, out int seconds)
                    && seconds > 0)
                    timeout = Math.Clamp(seconds, 2, 3600);
            }
        }

        (byte data, byte control) = ReadChannels(answer.Header("Transport"));
        return new RtspSession { Id = id, Timeout = TimeSpan.FromSeconds(timeout), DataChannel = data, ControlChannel = control };
    }

    private static (byte Data, byte Control) ReadChannels(string? transport)
    {
        foreach (string part in (transport ?? "").Split(';', StringSplitOptions.TrimEntries))
        {
            if (!part.StartsWith("interleaved=", StringComparison.OrdinalIgnoreCase))
                continue;
            string[] channels = part["interleaved=".Length..].Split('-');
            if (!byte.TryParse(channels[0], NumberStyles.None, CultureInfo.InvariantCulture, out byte data))
                break;
            return channels.Length > 1 && byte.TryParse(channels[1], NumberStyles.None, CultureInfo.InvariantCulture, out byte control)
                ? (data, control)
                : (data, (byte)(data + 1));
        }

        return (0, 1);
    }
}
