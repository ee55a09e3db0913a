namespace EdgeNode.Telemetry;

/// <summary>Where the broker is: <c>mqtt://host[:1883]</c>, or over TLS <c>mqtts://host[:8883]</c>.</summary>
public sealed record BrokerAddress(string Host, int Port, bool IsTls)
{
    private const int PlainPort = 1883;
    private const int TlsPort = 8883;

    /// <summary>Reads a broker's URL. User and password do not belong in it: they have fields of their own.</summary>
    /// <exception cref="FormatException">It is none; the message says what is wanted and repeats nothing of it.</exception>
    public static BrokerAddress Parse(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("mqtt" or "mqtts") || uri.Host.Length == 0)
            throw new FormatException("The broker's URL must be mqtt://HOST:PORT or mqtts://HOST:PORT.");
        if (uri.UserInfo.Length > 0)
            throw new FormatException("Give the broker's user and password as mqtt.username and mqtt.password, not in its URL.");
        if (uri.AbsolutePath is not ("" or "/") || uri.Query.Length > 0)
            throw new FormatException("The broker's URL ends with its port: mqtt://HOST:PORT or mqtts://HOST:PORT.");
        bool isTls = uri.Scheme == "mqtts";
        return new BrokerAddress(uri.IdnHost, uri.Port > 0 ? uri.Port : isTls ? TlsPort : PlainPort, isTls);
    }

    /// <inheritdoc/>
    public override string ToString() => Host.Contains(':') ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}
