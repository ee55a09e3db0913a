namespace EdgeNode.Cameras;

/// <summary>A camera's URL as people may see it.</summary>
public static class ShownUrl
{
    /// <summary>
    /// The URL with <c>***</c> for user and password, and for a query or path that may hold either: rather too much is hidden than a piece of a
    /// password with odd characters shown.
    /// </summary>
    public static string Of(string url)
    {
        int scheme = url.IndexOf("://", StringComparison.Ordinal);
        if (scheme < 0)
            return url.StartsWith("file:", StringComparison.Ordinal) ? url : "***";
        string start = url[..(scheme + "://".Length)];
        string rest = url[start.Length..];
        int at = rest.LastIndexOf('@');
        string address = rest[(at + 1)..];
        int query = address.AsSpan().IndexOfAny('?', '#');
        if (query >= 0)
            address = address[..query] + "?***";
        int path = address.IndexOf('/');
        if (path >= 0 && (address.Contains("pass", StringComparison.OrdinalIgnoreCase) || address.Contains("pwd", StringComparison.OrdinalIgnoreCase)))
            address = address[..path] + "/***";
        return start + (at >= 0 ? "***@" : "") + address;
    }
}
