namespace EdgeNode.Ingest.Rtsp;

/// <summary>
/// By which request a camera is told that somebody still watches: GET_PARAMETER where it says that it knows it, else OPTIONS; where that
/// is refused the next, and at last OPTIONS again, since any request is a sign of life (RFC 2326 §12.37). Cameras that
/// count only receiver reports get those every 5 s anyway.
/// </summary>
internal sealed class KeepAlive
{
    private readonly List<string> _methods = [];

    /// <summary>From the Public header of OPTIONS' answer; null where there was none.</summary>
    public KeepAlive(string? publicMethods)
    {
        string[] known = (publicMethods ?? "").Split(',', StringSplitOptions.TrimEntries);
        if (known.Contains("GET_PARAMETER", StringComparer.OrdinalIgnoreCase))
            _methods.Add("GET_PARAMETER");
        _methods.Add("OPTIONS");
        if (known.Contains("SET_PARAMETER", StringComparer.OrdinalIgnoreCase))
            _methods.Add("SET_PARAMETER");
    }

    /// <summary>The method to send.</summary>
    public string Method => _methods.Count > 0 ? _methods[0] : "OPTIONS";

    /// <summary>The camera refused it; whether there is another one to try.</summary>
    public bool Refuse()
    {
        if (_methods.Count > 0)
            _methods.RemoveAt(0);
        return _methods.Count > 0;
    }
}
