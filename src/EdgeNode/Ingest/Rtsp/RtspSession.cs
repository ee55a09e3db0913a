using System.Globalization;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>The Session header of SETUP's answer (RFC 2326 §12.37).</summary>
internal sealed class RtspSession
{
    private const int UsualTimeoutSeconds = 60;

    /// <summary>The session's identifier; null where the camera gives none.</summary>
    public string? Id { get; private init; }

    /// <summary>After so long without a sign of life the camera ends the session.</summary>
    public TimeSpan Timeout { get; private init; }

    /// <summary>The session after one more SETUP: the newer identifier where there is one, the shorter time-out.</summary>
    public RtspSession With(RtspSession newer) => new() { Id = newer.Id ?? Id, Timeout = newer.Timeout < Timeout ? newer.Timeout : Timeout };

    /// <summary>Reads the Session header.</summary>
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

        return new RtspSession { Id = id, Timeout = TimeSpan.FromSeconds(timeout) };
    }
}
