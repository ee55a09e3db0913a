using System.Globalization;
using System.Text;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>An RTSP request without a body (RFC 2326 §6). Making one throws <see cref="InvalidDataException"/> where the camera's URL would break the request line.</summary>
internal sealed class RtspRequest(string method, string uri)
{
    private readonly StringBuilder _headers = new();

    /// <summary>The method.</summary>
    public string Method { get; } = method;

    /// <summary>The request URI, without credentials.</summary>
    public string Uri { get; } = IsOneLine(uri) ? uri : throw new InvalidDataException("The camera names a stream by a URL with control characters.");

    /// <summary>Adds a header line.</summary>
    /// <exception cref="InvalidDataException">The value would break the line.</exception>
    public RtspRequest With(string name, string value)
    {
        if (!IsOneLine(value))
            throw new InvalidDataException($"The camera made us send a broken {name} header.");
        _headers.Append(name).Append(": ").Append(value).Append("\r\n");
        return this;
    }

    /// <summary>The bytes on the wire.</summary>
    public byte[] Write(int sequence, string? authorization)
    {
        var text = new StringBuilder(512);
        text.Append(Method).Append(' ').Append(Uri).Append(" RTSP/1.0\r\n");
        text.Append(CultureInfo.InvariantCulture, $"CSeq: {sequence}\r\n");
        text.Append("User-Agent: EdgeNode\r\n");
        if (authorization is not null)
            text.Append("Authorization: ").Append(authorization).Append("\r\n");
        text.Append(_headers).Append("\r\n");
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static bool IsOneLine(string text) => !text.AsSpan().ContainsAny('\r', '\n', '\0');
}
