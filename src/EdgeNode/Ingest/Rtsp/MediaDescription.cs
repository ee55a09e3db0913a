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

    /// <summary>The formats offered, the preferred one first.</summary>
    public List<MediaFormat> Formats { get; } = [];

    /// <summary>Whether it is a video stream.</summary>
    public bool IsVideo => Kind.Equals("video", StringComparison.OrdinalIgnoreCase);

    /// <summary>The H.264 format among those offered; null when there is none.</summary>
    public MediaFormat? H264 => Formats.Find(format => format.IsH264);

    /// <summary>The format of a payload type, which is added where the m= line forgot it.</summary>
    public MediaFormat FormatOf(int payloadType)
    {
        MediaFormat? format = Formats.Find(candidate => candidate.PayloadType == payloadType);
        if (format is null)
            Formats.Add(format = new MediaFormat { PayloadType = payloadType });
        return format;
    }
}
