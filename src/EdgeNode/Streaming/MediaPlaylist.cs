namespace EdgeNode.Streaming;

/// <summary>
/// The media playlist of a window (RFC 8216bis §4.4): made once a state, shared by all viewers, with relative URIs
/// only. Guarded by its owner's lock.
/// </summary>
/// <param name="window">What it lists.</param>
/// <param name="track">What that is.</param>
/// <param name="other">The other rendition, which it reports on; null while there is none.</param>
public sealed class MediaPlaylist(MediaWindow window, MediaTrack track = MediaTrack.Video, Func<MediaWindow?>? other = null)
{
    // EXT-X-SKIP needs it (RFC 8216bis §8).
    private const int Version = 9;

    private long _fullVersion = -1;
    private long _deltaVersion = -1;
    private PlaylistText _full = new([]);
    private PlaylistText _delta = new([]);

    /// <summary>The whole playlist as it is now.</summary>
    public PlaylistText Full()
    {
        if (_fullVersion != State)
        {
            _full = new PlaylistText(Write(0));
            _fullVersion = State;
        }

        return _full;
    }

    /// <summary>
    /// A Playlist Delta Update (§6.2.5.1): segments further than the Skip Boundary from the end are left out.
    /// The whole playlist where none is.
    /// </summary>
    public PlaylistText Delta()
    {
        int skipped = Skippable(window);
        if (skipped == 0)
            return Full();
        if (_deltaVersion != State)
        {
            _delta = new PlaylistText(Write(skipped));
            _deltaVersion = State;
        }

        return _delta;
    }

    // Neither version ever falls, so their sum names a state.
    private long State => window.Version + (other?.Invoke()?.Version ?? 0);

    private static int Skippable(MediaWindow window)
    {
        long boundary = SkipBoundaryTicks(window);
        long behind = 0;
        int kept = window.Segments.Count;
        // A segment is skipped when it begins beyond the boundary; the newest are walked first.
        while (kept > 0)
        {
            behind += window.Segments[kept - 1].DurationTicks;
            if (behind > boundary)
                break;
            kept--;
        }

        return Math.Max(0, kept - 1);
    }

    private static long SkipBoundaryTicks(MediaWindow window) => 6L * window.TargetDuration * Ingest.AccessUnit.TicksPerSecond;

    private byte[] Write(int skipped)
    {
        var w = new PlaylistWriter(4096);
        IReadOnlyList<Segment> segments = window.Segments;
        long partTarget = PlaylistWriter.Ceiling(window.Cadence.PartTargetTicks);
        bool hasParts = partTarget > 0;

        w.Text("#EXTM3U\n#EXT-X-VERSION:"u8);
        w.Number(Version);
        w.Text("\n#EXT-X-TARGETDURATION:"u8);
        w.Number(window.TargetDuration);
        w.Text("\n#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL="u8);
        w.Seconds(6L * window.TargetDuration * 100_000);
        if (hasParts)
        {
            w.Text(",PART-HOLD-BACK="u8);
            w.Seconds(3 * partTarget);
            w.Text("\n#EXT-X-PART-INF:PART-TARGET="u8);
            w.Seconds(partTarget);
        }

        w.Text("\n#EXT-X-MEDIA-SEQUENCE:"u8);
        w.Number(segments[0].Sequence);
        if (window.DiscontinuitySequence > 0)
        {
            w.Text("\n#EXT-X-DISCONTINUITY-SEQUENCE:"u8);
            w.Number(window.DiscontinuitySequence);
        }

        if (window.AreSegmentsIndependent)
            w.Text("\n#EXT-X-INDEPENDENT-SEGMENTS"u8);
        else
            WriteStart(ref w, segments);
        if (skipped > 0)
        {
            w.Text("\n#EXT-X-SKIP:SKIPPED-SEGMENTS="u8);
            w.Number(skipped);
        }

        w.Text("\n"u8);
        int firstWithParts = hasParts ? FirstWithParts(window) : segments.Count;
        for (int i = skipped; i < segments.Count; i++)
        {
            Segment segment = segments[i];
            // What is not there yet is announced by its hint alone.
            if (!segment.IsComplete && (!hasParts || segment.Parts.Count == 0))
                break;
            WriteSegment(ref w, segment, i > skipped ? segments[i - 1] : null, i >= firstWithParts);
        }

        if (hasParts)
            WriteHint(ref w);
        WriteReport(ref w);
        return w.Finish();
    }

    private void WriteSegment(ref PlaylistWriter w, Segment segment, Segment? before, bool listsParts)
    {
        if (segment.IsDiscontinuity)
            w.Text("#EXT-X-DISCONTINUITY\n"u8);
        if (before?.Initialization != segment.Initialization)
        {
            w.Text("#EXT-X-MAP:URI=\""u8);
            WritePrefix(ref w);
            w.Text("init-"u8);
            w.Number(segment.Initialization.Version);
            w.Text(".mp4\"\n"u8);
        }

        w.Text("#EXT-X-PROGRAM-DATE-TIME:"u8);
        w.Time(segment.ProgramDateTime);
        w.Text("\n"u8);
        if (listsParts)
        {
            foreach (Part part in segment.Parts)
            {
                w.Text("#EXT-X-PART:DURATION="u8);
                w.Seconds(PlaylistWriter.Floor(part.DurationTicks));
                w.Text(",URI=\""u8);
                WritePartName(ref w, part.MediaSequence, part.Index);
                w.Text(part.IsIndependent ? "\",INDEPENDENT=YES\n"u8 : "\"\n"u8);
            }
        }

        if (!segment.IsComplete)
            return;
        w.Text("#EXTINF:"u8);
        w.Seconds(PlaylistWriter.Floor(segment.DurationTicks));
        w.Text(",\n"u8);
        WritePrefix(ref w);
        w.Text("seg-"u8);
        w.Number(segment.Sequence);
        w.Text(".m4s\n"u8);
    }

    // §4.4.5.3. Which part comes next is known: a part is closed by the picture that begins the next one.
    private void WriteHint(ref PlaylistWriter w)
    {
        Segment current = window.Current!;
        w.Text("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\""u8);
        WritePartName(ref w, current.Sequence, current.Parts.Count);
        w.Text("\"\n"u8);
    }

    // §4.4.5.4: so that a player that changes renditions knows what to block on.
    private void WriteReport(ref PlaylistWriter w)
    {
        if (other?.Invoke() is not { CompleteCount: > 0 } reported)
            return;
        Segment last = reported.Current!;
        bool hasParts = reported.Cadence.PartTargetTicks > 0;
        int parts = hasParts ? last.Parts.Count : 0;
        if (parts == 0)
        {
            last = reported.Segments[^2];
            parts = last.Parts.Count;
        }

        w.Text("#EXT-X-RENDITION-REPORT:URI=\""u8);
        w.Ascii(track == MediaTrack.Video ? MultivariantPlaylist.AudioUri : MultivariantPlaylist.MediaUri);
        w.Text("\",LAST-MSN="u8);
        w.Number(last.Sequence);
        if (hasParts)
        {
            w.Text(",LAST-PART="u8);
            w.Number(parts - 1);
        }

        w.Text("\n"u8);
    }

    private void WritePrefix(ref PlaylistWriter w)
    {
        if (track == MediaTrack.Audio)
            w.Ascii(MediaName.AudioPrefix);
    }

    private void WritePartName(ref PlaylistWriter w, long sequence, int index)
    {
        WritePrefix(ref w);
        w.Text("part-"u8);
        w.Number(sequence);
        w.Text("-"u8);
        w.Number(index);
        w.Text(".m4s"u8);
    }

    // §6.2.2: parts are listed within three target durations of the end; older ones are not wanted by anybody.
    private static int FirstWithParts(MediaWindow window)
    {
        // A little more than that: players add up rounded durations.
        long reach = 3L * window.TargetDuration * Ingest.AccessUnit.TicksPerSecond + Ingest.AccessUnit.TicksPerSecond / 1000;
        long behind = 0;
        int index = window.Segments.Count - 1;
        for (; index > 0; index--)
        {
            behind += window.Segments[index].DurationTicks;
            if (behind >= reach)
                break;
        }

        return index;
    }

    // A player that begins at the usual place would see nothing until the next keyframe (§4.4.2.2).
    private static void WriteStart(ref PlaylistWriter w, IReadOnlyList<Segment> segments)
    {
        long behind = 0;
        for (int i = segments.Count - 1; i >= 0; i--)
        {
            behind += segments[i].DurationTicks;
            if (!segments[i].StartsWithKey || segments[i].Parts.Count == 0)
                continue;
            w.Text("\n#EXT-X-START:TIME-OFFSET="u8);
            w.Seconds(-PlaylistWriter.Floor(behind));
            return;
        }
    }
}
