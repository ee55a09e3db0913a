using System.Globalization;
using EdgeNode.Configuration;
using EdgeNode.Ingest.Rtsp;

namespace EdgeNode.Ingest.Libav;

/// <summary>
/// What libavformat is to open, and what it may open for it: a whitelist of protocols and of formats for each kind of source, so that no answer of a
/// camera leads to a file or another program (Frigate's CVE-2026-25643). None of the formats listed opens
/// anything by itself; playlists (HLS, concat, SDP) are not among them. To another host HTTP's own redirects may lead, without the login:
/// cameras use them, and no release but the newest can be told not to follow them.
/// </summary>
internal sealed class DemuxerInput
{
    private const string Films = "mov,matroska,avi,flv,live_flv,mpegts,mpeg,h264,hevc";
    private const string Streams = "flv,live_flv,mpegts,mov,matroska,h264,hevc";

    // rtsp.c keeps user and password in 128 bytes, and cuts what is longer without a word.
    private const int LongestRtspLogin = 127;

    private DemuxerInput(string url, string name)
    {
        Url = url;
        Name = name;
    }

    /// <summary>As FFmpeg takes it. May hold a password: for FFmpeg alone.</summary>
    public string Url { get; }

    /// <summary>Path, or scheme, host and port: fit for messages.</summary>
    public string Name { get; }

    /// <summary>It is somewhere else.</summary>
    public bool IsNetwork => Host is not null;

    /// <summary>Host name or address; null for a file.</summary>
    public string? Host { get; private init; }

    /// <summary>What must not be seen in any log: user, password, both as basic authentication joins them, and paths that may carry them; null entries mean nothing.</summary>
    public string?[] Secrets { get; private init; } = [];

    /// <summary>Options for FFmpeg. Each must be known to every supported release.</summary>
    public required (string Name, string Value)[] Options { get; init; }

    /// <summary>A file of this machine.</summary>
    public static DemuxerInput File(string path) => new($"file:{path}", path)
    {
        Options = [("protocol_whitelist", "file"), ("format_whitelist", Films)],
    };

    /// <summary>An http(s) URL that is read once, from its beginning to its end.</summary>
    /// <exception cref="FormatException">It is no such URL; the message says what is wrong and repeats nothing of it.</exception>
    public static DemuxerInput HttpFilm(string url) => Network(url, null, null, [("protocol_whitelist", "http,https,tls,tcp"), ("format_whitelist", Films)]);

    /// <summary>
    /// A live stream over HTTP(S): HTTP-FLV, MPEG-TS. FLV announces streams that never come, and libavformat would look for them
    /// for 90 s: it is given <paramref name="analyze"/>.
    /// </summary>
    /// <exception cref="FormatException">It is no such URL; the message says what is wrong and repeats nothing of it.</exception>
    public static DemuxerInput HttpStream(string url, string? user, string? password, TimeSpan analyze) => Network(url, user, password, [
        ("protocol_whitelist", "http,https,tls,tcp"), ("format_whitelist", Streams), ("seekable", "0"), Analyze(analyze)]);

    /// <summary>
    /// RTSP by libavformat. Its <c>timeout</c> (µs; <c>stimeout</c> up to release 4, where <c>timeout</c> meant to wait for a caller) bounds each wait of its
    /// own; ours bounds them all.
    /// </summary>
    /// <exception cref="FormatException">It is no such URL; the message says what is wrong and repeats nothing of it.</exception>
    public static DemuxerInput Rtsp(string url, string? user, string? password, RtpTransport transport, TimeSpan analyze, TimeSpan timeout)
    {
        (string, string)[] options =
        [
            ("protocol_whitelist", "rtp,udp,tcp,tls"),
            ("format_whitelist", "rtsp"),
            ("rtsp_transport", transport == RtpTransport.Udp ? "udp" : "tcp"),
            ("allowed_media_types", "video+audio"),
            ("timeout", string.Create(CultureInfo.InvariantCulture, $"{(long)timeout.TotalMicroseconds}")),
            Analyze(analyze),
        ];
        if (transport == RtpTransport.Udp)
            options = [.. options, ("rtsp_flags", "filter_src")];
        DemuxerInput input = Network(url, user, password, options);
        int login = input.Url.IndexOf('@') - input.Url.IndexOf("://", StringComparison.Ordinal) - "://".Length;
        if (login > LongestRtspLogin)
            throw new FormatException("User and password are too long for client: ffmpeg: use client: own.");
        return input;
    }

    private static (string, string) Analyze(TimeSpan analyze) =>
        ("analyzeduration", string.Create(CultureInfo.InvariantCulture, $"{(long)analyze.TotalMicroseconds}"));

    private static DemuxerInput Network(string url, string? user, string? password, (string, string)[] options)
    {
        if (CameraUrl.Check(url, CameraUrlOrigin.Api) is { } refused)
            throw new FormatException(refused);
        int start = url.IndexOf("://", StringComparison.Ordinal) + "://".Length;
        string scheme = url[..start].ToLowerInvariant();

        // Passwords are pasted as they are: they end where RtspUrl says for all schemes.
        string rest = url[start..];
        RtspUrl parsed = RtspUrl.Parse("rtsp://" + rest, user, password);
        string host = parsed.Host.Contains(':') ? $"[{parsed.Host}]" : parsed.Host;
        bool hasPort = parsed.Port != RtspUrl.DefaultPort || rest.Contains($"{host}:{parsed.Port}", StringComparison.Ordinal);
        string authority = hasPort ? string.Create(CultureInfo.InvariantCulture, $"{host}:{parsed.Port}") : host;
        string login = parsed.User is null ? "" : $"{Uri.EscapeDataString(parsed.User)}:{Uri.EscapeDataString(parsed.Password ?? "")}@";
        bool pathIsSecret = parsed.Path.Contains('?') || parsed.Path.Contains("pass", StringComparison.OrdinalIgnoreCase) || parsed.Path.Contains("pwd", StringComparison.OrdinalIgnoreCase);
        return new DemuxerInput($"{scheme}{login}{authority}{parsed.Path}", scheme + authority)
        {
            Host = parsed.Host,
            Secrets = [parsed.Password, parsed.User, parsed.User is null ? null : $"{parsed.User}:{parsed.Password}", pathIsSecret ? parsed.Path : null],
            Options = options,
        };
    }
}
