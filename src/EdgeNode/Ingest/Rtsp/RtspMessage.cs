using System.Globalization;
using System.Text;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>
/// What a camera sends between the interleaved frames: a response, or now and then a request of its own (RFC 2326 §4).
/// Tolerant of bare line feeds and unknown headers; bounded in size.
/// </summary>
internal sealed class RtspMessage
{
    /// <summary>Most bytes of start line and headers.</summary>
    public const int LongestHead = 16 * 1024;

    private const int MostHeaders = 128;

    private readonly List<(string Name, string Value)> _headers;

    private RtspMessage(int status, string reason, string? method, List<(string, string)> headers, byte[] body)
    {
        Status = status;
        Reason = reason;
        Method = method;
        _headers = headers;
        Body = body;
    }

    /// <summary>Status of a response, 100 to 999; 0 for a request.</summary>
    public int Status { get; }

    /// <summary>The reason phrase, printable characters only, 80 at most.</summary>
    public string Reason { get; }

    /// <summary>Method of a request; null for a response.</summary>
    public string? Method { get; }

    /// <summary>The body.</summary>
    public byte[] Body { get; }

    /// <summary>CSeq; -1 when missing.</summary>
    public int Sequence =>
        int.TryParse(Header("CSeq"), NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out int value) ? value : -1;

    /// <summary>First header of that name, in any case; null when there is none.</summary>
    public string? Header(string name)
    {
        foreach ((string candidate, string value) in _headers)
        {
            if (candidate.Equals(name, StringComparison.OrdinalIgnoreCase))
                return value;
        }

        return null;
    }

    /// <summary>All headers of that name.</summary>
    public IEnumerable<string> Headers(string name)
    {
        foreach ((string candidate, string value) in _headers)
        {
            if (candidate.Equals(name, StringComparison.OrdinalIgnoreCase))
                yield return value;
        }
    }

    /// <summary>
    /// Bytes of the message at the beginning of <paramref name="bytes"/>, body included; 0 while its head is not whole.
    /// </summary>
    /// <exception cref="InvalidDataException">The head is too long, or its Content-Length is no number.</exception>
    public static long Measure(ReadOnlySpan<byte> bytes, out int headLength)
    {
        headLength = HeadLength(bytes.Length > LongestHead ? bytes[..LongestHead] : bytes);
        if (headLength == 0)
        {
            if (bytes.Length >= LongestHead)
                throw new InvalidDataException($"The camera's answer has more than {LongestHead} bytes of headers.");
            return 0;
        }

        return headLength + ContentLength(bytes[..headLength]);
    }

    /// <summary>Reads a whole message, as <see cref="Measure"/> has measured it.</summary>
    /// <exception cref="InvalidDataException">The start line is neither a status nor a request line.</exception>
    public static RtspMessage Parse(ReadOnlySpan<byte> bytes, int headLength)
    {
        var headers = new List<(string, string)>();
        string? startLine = null;
        ReadOnlySpan<byte> head = bytes[..headLength];
        while (TakeLine(ref head, out ReadOnlySpan<byte> line))
        {
            if (startLine is null)
            {
                startLine = Encoding.UTF8.GetString(line);
            }
            else if (line.IndexOf((byte)':') is > 0 and int colon && headers.Count < MostHeaders)
            {
                headers.Add((Encoding.UTF8.GetString(line[..colon]).Trim(), Encoding.UTF8.GetString(line[(colon + 1)..]).Trim()));
            }
        }

        string[] parts = (startLine ?? "").Split(' ', 3);
        byte[] body = bytes[headLength..].ToArray();
        if (parts.Length >= 2 && parts[0].StartsWith("RTSP/", StringComparison.OrdinalIgnoreCase))
        {
            if (!int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int status) || status is < 100 or > 999)
                throw new InvalidDataException("The camera's answer has no status.");
            return new RtspMessage(status, Printable(parts.Length > 2 ? parts[2] : ""), null, headers, body);
        }

        if (parts.Length == 3 && parts[2].StartsWith("RTSP/", StringComparison.OrdinalIgnoreCase))
            return new RtspMessage(0, "", parts[0], headers, body);
        throw new InvalidDataException("The camera's answer is not RTSP.");
    }

    private static int HeadLength(ReadOnlySpan<byte> bytes)
    {
        for (int from = 0; bytes[from..].IndexOf((byte)'\n') is >= 0 and int found;)
        {
            from += found + 1;
            if (from < bytes.Length && bytes[from] == '\n')
                return from + 1;
            if (from + 1 < bytes.Length && bytes[from] == '\r' && bytes[from + 1] == '\n')
                return from + 2;
        }

        return 0;
    }

    private static long ContentLength(ReadOnlySpan<byte> head)
    {
        while (TakeLine(ref head, out ReadOnlySpan<byte> line))
        {
            int colon = line.IndexOf((byte)':');
            if (colon < 0 || !Ascii.EqualsIgnoreCase(line[..colon].Trim((byte)' '), "Content-Length"u8))
                continue;
            if (!uint.TryParse(line[(colon + 1)..].Trim(" \t"u8), NumberStyles.None, CultureInfo.InvariantCulture, out uint length))
                throw new InvalidDataException("The camera's answer has a Content-Length that is no number.");
            return length;
        }

        return 0;
    }

    private static bool TakeLine(ref ReadOnlySpan<byte> head, out ReadOnlySpan<byte> line)
    {
        int end = head.IndexOf((byte)'\n');
        if (end < 0)
        {
            line = default;
            return false;
        }

        line = head[..end].TrimEnd((byte)'\r');
        head = head[(end + 1)..];
        return true;
    }

    private static string Printable(string text)
    {
        var kept = new StringBuilder();
        foreach (char character in text)
        {
            if (character is >= ' ' and <= '~' && kept.Length < 80)
                kept.Append(character);
        }

        return kept.ToString();
    }
}
