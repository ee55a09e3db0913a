using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using EdgeNode.Tests.Streaming;

namespace EdgeNode.IntegrationTests;

/// <summary>
/// Follows a live stream as a strict Low-Latency player does and holds all that it gets against draft-pantos-hls-rfc8216bis: headers,
/// playlists (with <see cref="PlaylistRules"/>), delta updates, parts, segments, hints, what is asked ahead and what has left. Every failure
/// names the section.
/// </summary>
internal sealed class StreamConformance(HttpClient client, Uri mediaPlaylist, string prefix = "")
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly PlaylistRules _rules = new(prefix, isLive: true);
    private readonly Dictionary<string, byte[]> _parts = [];
    private readonly Dictionary<long, decimal> _durations = [];
    private readonly HashSet<string> _maps = [];
    private readonly HashSet<long> _wholeSegments = [];
    private readonly Dictionary<long, (string Map, bool IsDiscontinuity)> _known = [];
    private readonly List<(long Sequence, decimal LeftAt, decimal StaysFor)> _left = [];
    private readonly Dictionary<long, decimal> _longestPlaylistWith = [];
    private string _text = "";
    private uint _timescale;
    private long? _end;
    private long _lastMedia;

    /// <summary>Parts, and whole segments where there are none, that were read and held against the rules.</summary>
    public int Media { get; private set; }

    /// <summary>Segments that were asked for after they had left the playlist.</summary>
    public int AskedAfterLeaving { get; private set; }

    /// <summary>Delta updates that left something out.</summary>
    public int Deltas { get; private set; }

    /// <summary>Discontinuities seen.</summary>
    public long Discontinuities { get; private set; }

    /// <summary>The newest state.</summary>
    public ParsedPlaylist Last => _rules.Last;

    /// <summary>Reads the multivariant playlist (§4.4.6): its variant's and its sound's media playlists.</summary>
    public static async Task<(Uri Video, Uri? Audio, string Codecs)> OpenAsync(HttpClient client, Uri index)
    {
        (string text, _) = await PlaylistAsync(client, index);
        string[] lines = text.Split('\n');
        Check(lines[0] == "#EXTM3U", "§4.4.1.1: EXTM3U comes first");
        int variant = Array.FindIndex(lines, l => l.StartsWith("#EXT-X-STREAM-INF:", StringComparison.Ordinal));
        Check(variant > 0 && lines[variant + 1].Length > 0 && lines[variant + 1][0] != '#', "§4.4.6.2: the variant's URI follows EXT-X-STREAM-INF");
        string attributes = lines[variant];
        long Whole(string name) => long.Parse(Regex.Match(attributes, $"[:,]{name}=([0-9]+)").Groups[1].Value, CultureInfo.InvariantCulture);
        Check(Whole("AVERAGE-BANDWIDTH") > 0 && Whole("BANDWIDTH") >= Whole("AVERAGE-BANDWIDTH"), "§4.4.6.2: BANDWIDTH is the peak");
        string codecs = Regex.Match(attributes, "[:,]CODECS=\"([^\"]+)\"").Groups[1].Value;
        Check(Regex.IsMatch(codecs, @"^(avc1\.[0-9a-f]{6}|hvc1\.[0-9A-F.]+L[0-9]+[0-9A-Fa-f.]*|hvc1\.[0-9A-Za-z.]+)(,mp4a\.40\.[0-9]+)?$"), $"§4.4.6.2: CODECS {codecs}");
        Check(Regex.IsMatch(attributes, ",RESOLUTION=[0-9]+x[0-9]+") && Regex.IsMatch(attributes, @",FRAME-RATE=[0-9]+\.[0-9]{3}"), "§4.4.6.2: RESOLUTION and FRAME-RATE");
        string? sound = lines.FirstOrDefault(l => l.StartsWith("#EXT-X-MEDIA:TYPE=AUDIO,", StringComparison.Ordinal));
        string? group = Regex.Match(attributes, ",AUDIO=\"([^\"]+)\"") is { Success: true } match ? match.Groups[1].Value : null;
        Check(sound is null == group is null && sound is null == !codecs.Contains("mp4a", StringComparison.Ordinal), "§4.4.6.2.1: AUDIO names a group, and CODECS its codec");
        Check(sound is null || sound.Contains($"GROUP-ID=\"{group}\"", StringComparison.Ordinal) && sound.Contains(",NAME=\"", StringComparison.Ordinal), "§4.4.6.1: EXT-X-MEDIA");
        return (new Uri(index, lines[variant + 1]), sound is null ? null : new Uri(index, Regex.Match(sound, "URI=\"([^\"]+)\"").Groups[1].Value), codecs);
    }

    /// <summary>Follows the playlist through so many updates.</summary>
    public async Task WalkAsync(int updates)
    {
        await ObserveAsync((await PlaylistAsync(client, mediaPlaylist)).Text);
        await CheckAskingAheadAsync();
        for (int i = 0; i < updates; i++)
            await StepAsync(i);
    }

    private async Task StepAsync(int number)
    {
        (long sequence, int part) = Next(Last);
        bool hasParts = Last.PartTarget is not null;
        string asked = hasParts ? $"?_HLS_msn={sequence}&_HLS_part={part}" : $"?_HLS_msn={sequence}";
        // The hint is asked for before it exists (§6.2.6): its answer is the part, whole.
        Task<byte[]>? hinted = hasParts && Last.Hint is { } hint && number % 3 == 0 ? MediaAsync(hint) : null;
        string? hintedUri = Last.Hint;
        ParsedPlaylist before = Last;
        string beforeText = _text;
        bool asksDelta = number % 2 == 1;
        (string text, _) = await PlaylistAsync(client, new Uri(mediaPlaylist, mediaPlaylist.AbsolutePath + asked + (asksDelta ? "&_HLS_skip=YES" : "")));
        if (asksDelta)
        {
            string expanded = Expand(beforeText, text);
            (string full, _) = await PlaylistAsync(client, new Uri(mediaPlaylist, mediaPlaylist.AbsolutePath + asked));
            // The stream may have gone on between the two.
            if (SameState(expanded, full))
                Check(expanded == full, $"§6.2.5.1: the delta update, expanded:\n{expanded}\nthe whole playlist:\n{full}");
            text = expanded;
        }

        await ObserveAsync(text);
        (long nowSequence, int nowPart) = Next(Last);
        Check(Last.PartTarget is null ? Last.LastCompleteSequence >= sequence || hasParts : nowSequence > sequence || (nowSequence == sequence && nowPart > part),
            $"§6.2.5.2: {asked} was answered with less");
        if (hinted is not null)
        {
            byte[] body = await hinted;
            if (_parts.TryGetValue(hintedUri!, out byte[]? listed))
                Check(listed.AsSpan().SequenceEqual(body), $"§6.2.6: what {hintedUri} hinted at is not the part that came");
        }

        if (before.Segments[0].Sequence < Last.Segments[0].Sequence)
            NoteLeaving(before);
        await CheckLeftAsync();
    }

    private async Task ObserveAsync(string text)
    {
        if (text == _text)
            return;
        _text = text;
        _rules.Observe(text);
        decimal whole = Last.Segments.Sum(s => s.Duration ?? s.Parts.Sum(p => p.Duration));
        foreach (ParsedSegment segment in Last.Segments)
            _longestPlaylistWith[segment.Sequence] = Math.Max(_longestPlaylistWith.GetValueOrDefault(segment.Sequence), whole);
        foreach (ParsedSegment segment in Last.Segments)
            await ReadAsync(segment);
    }

    private async Task ReadAsync(ParsedSegment segment)
    {
        if (_maps.Add(segment.Map!))
            await ReadMapAsync(segment.Map!);
        if (_known.TryAdd(segment.Sequence, (segment.Map!, segment.IsDiscontinuity)) && segment.IsDiscontinuity)
            Discontinuities++;
        foreach (ParsedPart part in segment.Parts.Where(p => !_parts.ContainsKey(p.Uri)))
        {
            byte[] bytes = await MediaAsync(part.Uri);
            _parts[part.Uri] = bytes;
            CheckFragments(bytes, part.Uri, part.Duration, part.IsIndependent, isPart: true);
        }

        if (segment.Duration is not { } duration || !_wholeSegments.Add(segment.Sequence))
            return;
        _durations[segment.Sequence] = duration;
        byte[] whole = await MediaAsync(segment.Uri!);
        if (segment.Parts.Count > 0)
        {
            byte[] joined = [.. segment.Parts.SelectMany(p => _parts[p.Uri])];
            Check(joined.AsSpan().SequenceEqual(whole), $"§3.2: the parts of {segment.Uri} do not make it up");
        }
        else
        {
            CheckFragments(whole, segment.Uri!, duration, Last.AreSegmentsIndependent, isPart: false);
        }
    }

    private async Task ReadMapAsync(string uri)
    {
        byte[] bytes = await MediaAsync(uri);
        Check(bytes.AsSpan(4, 4).SequenceEqual("ftyp"u8) && bytes.AsSpan().IndexOf("moov"u8) > 0, $"§3.1.1: {uri} is no Media Initialization Section");
        int mdhd = bytes.AsSpan().IndexOf("mdhd"u8);
        uint timescale = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(mdhd + 16));
        if (_timescale != timescale)
            _end = null;
        _timescale = timescale;
    }

    private void CheckFragments(byte[] bytes, string uri, decimal duration, bool isIndependent, bool isPart)
    {
        List<Fragment> fragments = FragmentReader.Read(bytes);
        Check(fragments.Count > 0, $"§3.1.1: {uri} holds a moof");
        Check(!isPart || fragments.Count == 1, $"§3.2: {uri} is one fragment");
        long lasts = 0;
        foreach (Fragment fragment in fragments)
        {
            Check(_end is null || fragment.DecodeTime == _end, $"§6.2.2: {uri} begins at {fragment.DecodeTime}, what came before ended at {_end}");
            Check(fragment.Samples.Count > 0 && fragment.Samples.All(s => s.Duration > 0 && s.Bytes.Length > 0), $"§3.1.1: {uri} has samples that last");
            _end = fragment.End;
            lasts += fragment.End - fragment.DecodeTime;
        }

        Check(!isIndependent || fragments[0].Samples[0].IsSync, $"§4.4.4.9: {uri} says INDEPENDENT=YES and begins with no sync sample");
        Check(!isPart || isIndependent || !fragments[0].Samples[0].IsSync, $"§4.4.4.9: {uri} begins with a sync sample and does not say INDEPENDENT=YES");
        Check(Math.Abs((decimal)lasts / _timescale - duration) < 0.001m, $"§4.4.4.1: {uri} lasts {(decimal)lasts / _timescale} s, its playlist says {duration} s");
        _lastMedia = _end!.Value;
        Media++;
    }

    // §6.2.5.2
    private async Task CheckAskingAheadAsync()
    {
        (long sequence, _) = Next(Last);
        foreach (string wrong in (string[])[$"?_HLS_msn={sequence + 3}", $"?_HLS_msn={sequence + 40}&_HLS_part=0", "?_HLS_part=1", "?_HLS_msn=x", "?_HLS_msn=-1"])
        {
            using HttpResponseMessage answer = await client.GetAsync(new Uri(mediaPlaylist, mediaPlaylist.AbsolutePath + wrong));
            Check(answer.StatusCode == HttpStatusCode.BadRequest, $"§6.2.5.2: {wrong} is answered {(int)answer.StatusCode}, not 400");
        }

        foreach (string missing in (string[])[$"{prefix}seg-{sequence + 9}.m4s", $"{prefix}part-{sequence + 9}-0.m4s", $"{prefix}init-9999.mp4"])
        {
            using HttpResponseMessage answer = await client.GetAsync(new Uri(mediaPlaylist, missing));
            Check(answer.StatusCode == HttpStatusCode.NotFound, $"§6.2.6: {missing} is answered {(int)answer.StatusCode}, not 404");
        }

        foreach (long behind in (long[])[Last.MediaSequence, Last.LastCompleteSequence])
        {
            (string text, _) = await PlaylistAsync(client, new Uri(mediaPlaylist, mediaPlaylist.AbsolutePath + $"?_HLS_msn={behind}"));
            await ObserveAsync(text);
        }
    }

    private void NoteLeaving(ParsedPlaylist before)
    {
        foreach (ParsedSegment gone in before.Segments.Where(s => s.Sequence < Last.Segments[0].Sequence && s.Duration is not null))
            _left.Add((gone.Sequence, Now, gone.Duration!.Value + _longestPlaylistWith[gone.Sequence]));
    }

    private decimal Now => (decimal)_lastMedia / _timescale;

    // §6.2.2: "available … for a period of time equal to the duration of the segment plus the duration of the longest Playlist file … containing it".
    private async Task CheckLeftAsync()
    {
        foreach ((long sequence, decimal leftAt, decimal staysFor) in _left)
        {
            decimal since = Now - leftAt;
            // Media time stands for time; one part of it may pass between asking and answering.
            if (since + 1 > staysFor)
                continue;
            using HttpResponseMessage answer = await client.GetAsync(new Uri(mediaPlaylist, $"{prefix}seg-{sequence}.m4s"), HttpCompletionOption.ResponseHeadersRead);
            Check(answer.StatusCode == HttpStatusCode.OK, $"§6.2.2: segment {sequence} left {since} s ago, must stay for {staysFor} s and is answered {(int)answer.StatusCode}");
            AskedAfterLeaving++;
        }

        _left.RemoveAll(l => Now - l.LeftAt > l.StaysFor);
    }

    private static (long Sequence, int Part) Next(ParsedPlaylist playlist)
    {
        ParsedSegment last = playlist.Segments[^1];
        return last.Duration is null ? (last.Sequence, last.Parts.Count) : (last.Sequence + 1, 0);
    }

    private static bool SameState(string a, string b)
    {
        ParsedPlaylist one = ParsedPlaylist.Parse(a), other = ParsedPlaylist.Parse(b);
        return one.MediaSequence == other.MediaSequence && Next(one) == Next(other) && one.Report == other.Report;
    }

    // §6.3.7: the segments that were skipped come from the playlist before, with the tags that apply to them.
    private string Expand(string before, string delta)
    {
        ParsedPlaylist update = ParsedPlaylist.Parse(delta);
        if (update.Skipped == 0)
            return delta;
        Deltas++;
        ParsedPlaylist known = ParsedPlaylist.Parse(before);
        long first = update.MediaSequence - known.MediaSequence;
        Check(first >= 0 && first + update.Skipped <= known.Complete.Count(), "§6.2.5.1: a delta update skips only what the client has");
        decimal boundary = update.CanSkipUntil!.Value;
        decimal behind = 0;
        foreach (ParsedSegment kept in Enumerable.Reverse(update.Segments))
            behind += kept.Duration ?? kept.Parts.Sum(p => p.Duration);
        Check(behind >= boundary, "§4.4.3.8: only segments beyond the skip boundary are skipped");

        List<string> blocks = Blocks(before);
        string[] parts = Regex.Split(delta, "#EXT-X-SKIP:[^\n]*\n");
        string restored = string.Concat(blocks.Skip((int)first).Take(update.Skipped).Select(WithoutParts));
        // The map stands before the first segment of a whole playlist.
        string? map = known.Segments[(int)first].Map;
        string firstDifferent = update.Segments.Count > 0 && update.Segments[0].Map == known.Segments[(int)first + update.Skipped - 1].Map
            ? parts[1].Replace($"#EXT-X-MAP:URI=\"{map}\"\n", "", StringComparison.Ordinal) : parts[1];
        string body = restored.Contains("#EXT-X-MAP", StringComparison.Ordinal) ? restored : $"#EXT-X-MAP:URI=\"{map}\"\n{restored}";
        return parts[0] + body + firstDifferent;
    }

    // A whole playlist's segments, each with its tags.
    private static List<string> Blocks(string playlist)
    {
        int begin = Regex.Match(playlist, "(?m)^#EXT-X-(DISCONTINUITY\n|MAP|PROGRAM-DATE-TIME)").Index;
        return [.. Regex.Matches(playlist[begin..], @"(?:#[^\n]*\n)*?[^#\n][^\n]*\n").Select(m => m.Value)];
    }

    private static string WithoutParts(string block) => Regex.Replace(block, "#EXT-X-PART:[^\n]*\n", "");

    private async Task<byte[]> MediaAsync(string uri)
    {
        using var limit = new CancellationTokenSource(Patience);
        using HttpResponseMessage answer = await client.GetAsync(new Uri(mediaPlaylist, uri), limit.Token);
        Check(answer.StatusCode == HttpStatusCode.OK, $"§6.2.1: {uri} is answered {(int)answer.StatusCode}; the newest playlist:\n{_text}");
        string? type = answer.Content.Headers.ContentType?.MediaType;
        Check(type is "video/mp4" or "audio/mp4", $"§3.1.1: {uri} is {type}");
        Check(answer.Headers.CacheControl?.MaxAge > TimeSpan.Zero, $"§6.2.1: {uri} may be cached");
        byte[] bytes = await answer.Content.ReadAsByteArrayAsync(limit.Token);
        Check(answer.Content.Headers.ContentLength == bytes.Length, $"{uri} states its length");
        return bytes;
    }

    private static async Task<(string Text, HttpResponseMessage Answer)> PlaylistAsync(HttpClient client, Uri uri)
    {
        using var limit = new CancellationTokenSource(Patience);
        using HttpResponseMessage answer = await client.GetAsync(uri, limit.Token);
        string text = await answer.Content.ReadAsStringAsync(limit.Token);
        Check(answer.StatusCode == HttpStatusCode.OK, $"§6.2: {uri.Query} is answered {(int)answer.StatusCode}: {text}");
        Check(answer.Content.Headers.ContentType?.MediaType == "application/vnd.apple.mpegurl", "§4: the type of a playlist");
        Check(answer.Headers.CacheControl is { } cache && (cache.NoCache || cache.MaxAge is not null), "§6.2.1: a playlist says how long it may be cached");
        Check(answer.Content.Headers.ContentEncoding.Count == 0, "gzip comes only where it was asked for");
        return (text, answer);
    }

    private static void Check(bool holds, string rule) => Assert.True(holds, rule);
}
