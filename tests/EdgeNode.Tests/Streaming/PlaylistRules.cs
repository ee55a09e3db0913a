namespace EdgeNode.Tests.Streaming;

/// <summary>
/// Walks the states of a live media playlist as a strict player would, and fails on the first that breaks a rule of
/// draft-pantos-hls-rfc8216bis. Sections in the messages are that draft's.
/// </summary>
/// <param name="prefix">What the names of the rendition's media begin with.</param>
/// <param name="isLive">Pictures come in their own time, so dates tell the time that durations do.</param>
internal sealed class PlaylistRules(string prefix = "", bool isLive = false)
{
    // Durations are written with five decimals, rounded down.
    private const decimal Rounding = 0.00001m;

    // Dates are brought to the camera's clock in small steps, and in one where that clock becomes known only now (RTCP).
    private const double ClocksTogether = 0.5;

    private readonly Dictionary<string, ParsedPart> _parts = [];
    private readonly Dictionary<long, ParsedSegment> _segments = [];
    private ParsedPlaylist? _last;
    private string? _text;

    public int States { get; private set; }

    /// <summary>The newest state.</summary>
    public ParsedPlaylist Last => _last!;

    /// <summary>Observes unless it is the state before.</summary>
    public void ObserveIfNew(string text)
    {
        if (text != _text)
            Observe(text);
    }

    public void Observe(string text)
    {
        _text = text;
        ParsedPlaylist now = ParsedPlaylist.Parse(text);
        States++;
        Check(now.Version >= 9, "§8: EXT-X-SKIP needs version 9");
        Check(now.CanBlockReload, "§4.4.3.8: CAN-BLOCK-RELOAD");
        Check(now.MediaSequence >= 1, "hls.js takes media sequence 0 for none");
        Check(now.CanSkipUntil >= 6 * now.TargetDuration, "§4.4.3.8: CAN-SKIP-UNTIL is at least six target durations");
        Check(now.PartTarget is null || now.PartHoldBack >= 3 * now.PartTarget, "§4.4.3.8: PART-HOLD-BACK should be three part targets");
        Check(now.Segments.Count > 0 && now.Segments[0].Map is not null, "§4.4.4.5: fMP4 needs EXT-X-MAP");
        foreach (ParsedSegment segment in now.Segments)
            CheckSegment(now, segment);
        for (int i = 1; i < now.Segments.Count; i++)
        {
            Check(now.Segments[i].IsDiscontinuity || now.Segments[i].Map == now.Segments[i - 1].Map, "§4.4.4.3: another map needs a discontinuity here");
        }

        CheckTimes(now);
        CheckHint(now);
        if (_last is not null)
            CheckStep(_last, now);
        _last = now;
    }

    private void CheckSegment(ParsedPlaylist now, ParsedSegment segment)
    {
        if (segment.Duration is { } duration)
        {
            Check(Math.Round(duration, MidpointRounding.AwayFromZero) <= now.TargetDuration, $"§4.4.3.1: segment {segment.Sequence} of {duration} s exceeds {now.TargetDuration} s");
            Check(segment.Uri == $"{prefix}seg-{segment.Sequence}.m4s", "URIs are relative and name the segment");
            if (segment.Parts.Count > 0)
            {
                decimal sum = segment.Parts.Sum(part => part.Duration);
                Check(Math.Abs(sum - duration) <= Rounding * (segment.Parts.Count + 1), $"§4.4.4.9: parts of segment {segment.Sequence} last {sum} s, it {duration} s");
            }
        }

        Check(segment.ProgramDateTime != default, "every segment has its EXT-X-PROGRAM-DATE-TIME");
        for (int i = 0; i < segment.Parts.Count; i++)
        {
            ParsedPart part = segment.Parts[i];
            Check(part.Uri == $"{prefix}part-{segment.Sequence}-{i}.m4s", "parts are listed in order");
            Check(part.Duration <= now.PartTarget, $"§4.4.4.9: {part.Uri} of {part.Duration} s exceeds PART-TARGET {now.PartTarget}");
            bool isLast = segment.Duration is not null && i == segment.Parts.Count - 1;
            Check(isLast || part.Duration >= 0.85m * now.PartTarget, $"§4.4.4.9: {part.Uri} of {part.Duration} s is below 85 % of {now.PartTarget}");
            Check(part.Duration > 0, "a part lasts");
            if (_parts.TryGetValue(part.Uri, out ParsedPart? before))
                Check(before == part, $"§6.2.1: {part.Uri} changed");
            _parts[part.Uri] = part;
            if (i == 0 && now.AreSegmentsIndependent)
                Check(part.IsIndependent, "§4.4.2.1: independent segments begin with an independent part");
        }

        if (_segments.TryGetValue(segment.Sequence, out ParsedSegment? known))
        {
            Check(known.ProgramDateTime == segment.ProgramDateTime && known.Map == segment.Map && known.IsDiscontinuity == segment.IsDiscontinuity, $"§6.2.1: segment {segment.Sequence} changed");
            Check(known.Duration is null || known.Duration == segment.Duration, $"§6.2.1: duration of segment {segment.Sequence} changed");
        }

        _segments[segment.Sequence] = segment;
    }

    // §4.4.4.6: dates and durations tell the same time, but for what the clocks are brought together by, and pictures that were lost.
    private void CheckTimes(ParsedPlaylist now)
    {
        for (int i = 1; i < now.Segments.Count; i++)
        {
            ParsedSegment before = now.Segments[i - 1], segment = now.Segments[i];
            double off = (segment.ProgramDateTime - before.ProgramDateTime).TotalSeconds - (double)before.Duration!.Value;
            Check(!isLive || segment.IsDiscontinuity || off >= -ClocksTogether, $"§4.4.4.6: the date of segment {segment.Sequence} is {off:F3} s off");
        }
    }

    private void CheckHint(ParsedPlaylist now)
    {
        if (now.PartTarget is null)
        {
            Check(now.Hint is null && !now.Parts.Any(), "§4.4.3.7: parts need EXT-X-PART-INF");
            return;
        }

        ParsedSegment last = now.Segments[^1];
        string expected = last.Duration is null ? $"{prefix}part-{last.Sequence}-{last.Parts.Count}.m4s" : $"{prefix}part-{last.Sequence + 1}-0.m4s";
        Check(now.Hint == expected, $"§4.4.5.3: hint {now.Hint}, expected {expected}");
        // §6.2.2: parts within three target durations of the end are listed.
        decimal behind = 0;
        foreach (ParsedSegment segment in Enumerable.Reverse(now.Segments))
        {
            Check(behind >= 3 * now.TargetDuration || segment.Parts.Count > 0, $"§6.2.2: parts of segment {segment.Sequence} are missing");
            behind += segment.Duration ?? segment.Parts.Sum(part => part.Duration);
        }
    }

    private void CheckStep(ParsedPlaylist before, ParsedPlaylist now)
    {
        Check(now.TargetDuration == before.TargetDuration, "§6.2.1: TARGETDURATION changed");
        Check(now.PartTarget == before.PartTarget || now.PartTarget is null, "PART-TARGET changed");
        long gone = now.MediaSequence - before.MediaSequence;
        Check(gone >= 0, "§6.2.2: media sequence went back");
        Check(now.LastCompleteSequence >= before.LastCompleteSequence, "§6.2.1: a segment disappeared from the end");
        Check(now.LastCompleteSequence > before.LastCompleteSequence || now.Hint != before.Hint || gone > 0 || now.Report != before.Report, "a new state shows something new");
        if (gone > 0)
        {
            Check(now.Complete.Sum(segment => segment.Duration) >= 3 * now.TargetDuration, "§6.2.2: fewer than three target durations are left");
            int discontinuities = before.Segments.Take((int)gone).Count(segment => segment.IsDiscontinuity);
            Check(now.DiscontinuitySequence == before.DiscontinuitySequence + discontinuities, "§6.2.2: discontinuity sequence");
        }
        else
        {
            Check(now.DiscontinuitySequence == before.DiscontinuitySequence, "§6.2.2: discontinuity sequence changed without reason");
        }

        // What was hinted at has to come next.
        if (before.Hint is { } hint && now.Hint is not null && now.Hint != hint && now.Segments[0].Sequence <= before.Segments[^1].Sequence && now.FirstWithParts <= before.Segments[^1].Sequence)
            Check(_parts.ContainsKey(hint), $"§6.2.6: {hint} was hinted at and did not come");
    }

    private static void Check(bool holds, string rule) => Assert.True(holds, rule);
}
