using EdgeNode.Configuration;

namespace EdgeNode.Access;

/// <summary>The URLs that viewers open (contract §3): the token is a path segment, so that every relative URI below inherits it.</summary>
public static class ViewUrl
{
    /// <summary>Where the node is reached: configured, or made from the address it listens on (HTTPS where it is on) and <paramref name="port"/>, the true port of that.</summary>
    public static string Base(NodeConfiguration configuration, int port)
    {
        if (configuration.Node.BaseUrl is Uri configured)
            return configured.GetLeftPart(UriPartial.Path).TrimEnd('/');
        string scheme = configuration.Http.Https is null ? "http" : "https";
        string host = (configuration.Http.Https?.Host ?? configuration.Http.Host) switch
        {
            "0.0.0.0" or "::" => System.Net.Dns.GetHostName(),
            string address when address.Contains(':') => $"[{address}]",
            string address => address,
        };
        return $"{scheme}://{host}:{port}";
    }

    /// <summary>The view URL of one camera.</summary>
    public static string Of(NodeConfiguration configuration, int port, string token, string camera) =>
        $"{Base(configuration, port)}/live/{token}/{camera}/index.m3u8";
}
