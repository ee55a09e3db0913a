using System.Globalization;
using System.Text.RegularExpressions;

namespace EdgeNode.Tests.Streaming;

/// <summary>A media playlist as a player reads it.</summary>
internal sealed record ParsedPlaylist
{
    public int Version { get; private set; }

    public int TargetDuration { get; private set; }

    public decimal? PartTarget { get; private set; }

    public decimal? PartHoldBack { get; private set; }

    public decimal? CanSkipUntil { get; private set; }

    public bool CanBlockReload { get; private set; }

    public bool AreSegmentsIndependent { get; private set; }

    public decimal? StartOffset { get; private set; }

    public long MediaSequence { get; private set; }

    public long DiscontinuitySequence { get; private set; }

    public int Skipped { get; private set; }

    public string? Hint { get; private set; }

    /// <summary>EXT-X-RENDITION-REPORT: its attributes.</summary>
    public string? Report { get; private set; }

    /// <summary>Sequence of the first segment whose parts are listed.</summary>
    public long FirstWithParts => Segments.FirstOrDefault(segment => segment.Parts.Count > 0)?.Sequence ?? long.MaxValue;

    /// <summary>The last one is in progress when it has no duration.</summary>
    public List<ParsedSegment> Segments { get; } = [];

    public IEnumerable<ParsedSegment> Complete => Segments.Where(segment => segment.Duration is not null);

    public long LastCompleteSequence => Complete.Last().Sequence;

    public IEnumerable<ParsedPart> Parts => Segments.SelectMany(segment => segment.Parts);

    public static ParsedPlaylist Parse(string text)
    {
        var playlist = new ParsedPlaylist();
        string[] lines = text.Split('\n');
        Assert.Equal("#EXTM3U", lines[0]);
        Assert.Equal("", lines[^1]);
        var next = new ParsedSegment();
        string? map = null;
        int segments = 0;
        bool isTouched = false;
        foreach (string line in lines.Skip(1).Where(line => line.Length > 0))
        {
            if (line[0] != '#')
            {
                next.Uri = line;
                Finish();
                continue;
            }

            int colon = line.IndexOf(':');
            string tag = colon < 0 ? line : line[..colon];
            string value = colon < 0 ? "" : line[(colon + 1)..];
            switch (tag)
            {
                case "#EXT-X-VERSION": playlist.Version = int.Parse(value, CultureInfo.InvariantCulture); break;
                case "#EXT-X-TARGETDURATION": playlist.TargetDuration = int.Parse(value, CultureInfo.InvariantCulture); break;
                case "#EXT-X-SERVER-CONTROL":
                    playlist.CanBlockReload = Attribute(value, "CAN-BLOCK-RELOAD") == "YES";
                    playlist.CanSkipUntil = Number(value, "CAN-SKIP-UNTIL");
                    playlist.PartHoldBack = Number(value, "PART-HOLD-BACK");
                    break;
                case "#EXT-X-PART-INF": playlist.PartTarget = Number(value, "PART-TARGET"); break;
                case "#EXT-X-MEDIA-SEQUENCE": playlist.MediaSequence = long.Parse(value, CultureInfo.InvariantCulture); break;
                case "#EXT-X-DISCONTINUITY-SEQUENCE": playlist.DiscontinuitySequence = long.Parse(value, CultureInfo.InvariantCulture); break;
                case "#EXT-X-INDEPENDENT-SEGMENTS": playlist.AreSegmentsIndependent = true; break;
                case "#EXT-X-START": playlist.StartOffset = Number(value, "TIME-OFFSET"); break;
                case "#EXT-X-SKIP": playlist.Skipped = (int)Number(value, "SKIPPED-SEGMENTS")!; break;
                case "#EXT-X-PRELOAD-HINT": playlist.Hint = Attribute(value, "URI"); break;
                case "#EXT-X-RENDITION-REPORT": playlist.Report = value; break;
                case "#EXT-X-MAP": map = Attribute(value, "URI"); break;
                case "#EXT-X-DISCONTINUITY": next.IsDiscontinuity = true; isTouched = true; break;
                case "#EXT-X-PROGRAM-DATE-TIME":
                    next.ProgramDateTime = DateTime.ParseExact(value, "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture,
                        DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal);
                    isTouched = true;
                    break;
                case "#EXT-X-PART":
                    next.Parts.Add(new ParsedPart(Attribute(value, "URI")!, Number(value, "DURATION")!.Value, Attribute(value, "INDEPENDENT") == "YES"));
                    isTouched = true;
                    break;
                case "#EXTINF": next.Duration = decimal.Parse(value.TrimEnd(','), CultureInfo.InvariantCulture); break;
                default: Assert.Fail($"tag {tag} is not known"); break;
            }
        }

        if (isTouched)
            Finish();
        return playlist;

        void Finish()
        {
            next.Map = map;
            next.Sequence = playlist.MediaSequence + playlist.Skipped + segments++;
            playlist.Segments.Add(next);
            next = new ParsedSegment();
            isTouched = false;
        }
    }

    private static string? Attribute(string list, string name)
    {
        Match match = Regex.Match(list, $"(?:^|,){name}=(?:\"([^\"]*)\"|([^,]*))");
        return match.Success ? match.Groups[1].Success ? match.Groups[1].Value : match.Groups[2].Value : null;
    }

    private static decimal? Number(string list, string name) =>
        Attribute(list, name) is { } value ? decimal.Parse(value, CultureInfo.InvariantCulture) : null;
}

internal sealed record ParsedSegment
{
    public long Sequence { get; set; }

    public string? Uri { get; set; }

    public decimal? Duration { get; set; }

    public string? Map { get; set; }

    public bool IsDiscontinuity { get; set; }

    public DateTime ProgramDateTime { get; set; }

    public List<ParsedPart> Parts { get; } = [];
}

internal sealed record ParsedPart(string Uri, decimal Duration, bool IsIndependent);
