namespace EdgeNode.Ingest.Rtsp;

/// <summary>One media section of a session description.</summary>
internal sealed class MediaDescription
{
    /// <summary>Such as <c>video</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>Such as <c>RTP/AVP</c>.</summary>
    public required string Protocol { get; init; }

    /// <summary>a=control; null when there is none.</summary>
    public string? Control { get; set; }

    /// <summary>False for a way back to the camera's loudspeaker (<c>a=sendonly</c>, as ONVIF's back channel says).</summary>
    public bool IsForUs { get; set; } = true;

    /// <summary>The formats offered, the preferred one first.</summary>
    public List<MediaFormat> Formats { get; } = [];

    /// <summary>Whether it is a video stream.</summary>
    public bool IsVideo => Kind.Equals("video", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether it is an audio stream.</summary>
    public bool IsAudio => Kind.Equals("audio", StringComparison.OrdinalIgnoreCase);

    /// <summary>The H.264 format among those offered; null when there is none.</summary>
    public MediaFormat? H264 => Formats.Find(format => format.IsH264);

    /// <summary>What to call a format to the user: audio by its usual name, the static payload types of RFC 3551 included.</summary>
    public string NameOf(MediaFormat format)
    {
        if (!IsAudio)
            return format.Name;
        string? name = format.Encoding ?? format.PayloadType switch
        {
            0 => "PCMU",
            8 => "PCMA",
            9 => "G722",
            14 => "MPA",
            _ => null,
        };
        return name?.ToUpperInvariant() switch
        {
            "PCMU" => "G.711 µ-law",
            "PCMA" => "G.711 A-law",
            "G722" => "G.722",
            "OPUS" => "Opus",
            "MPA" => "MPEG audio",
            "MPEG4-GENERIC" => "AAC",
            "MP4A-LATM" => "AAC in LATM",
            var other when other?.StartsWith("G726", StringComparison.Ordinal) == true => "G.726",
            _ => format.Name,
        };
    }

    /// <summary>The format of a payload type, which is added where the m= line forgot it.</summary>
    public MediaFormat FormatOf(int payloadType)
    {
        MediaFormat? format = Formats.Find(candidate => candidate.PayloadType == payloadType);
        if (format is null)
            Formats.Add(format = new MediaFormat { PayloadType = payloadType });
        return format;
    }

    /// <summary>
    /// Where the one format that the section has a name for has no parameters, and parameters stand under a payload type without a name,
    /// they belong together: recorders write "rtpmap:104" and then "fmtp:97".
    /// </summary>
    public void AdoptStrayParameters()
    {
        MediaFormat[] named = [.. Formats.Where(format => format.Encoding is not null)];
        MediaFormat[] stray = [.. Formats.Where(format => format.Encoding is null && format.Parameters.Count > 0)];
        if (named.Length != 1 || stray.Length != 1 || named[0].Parameters.Count > 0)
            return;
        foreach ((string name, string value) in stray[0].Parameters)
            named[0].Parameters[name] = value;
        Formats.Remove(stray[0]);
    }
}
