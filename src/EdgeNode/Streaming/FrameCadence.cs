namespace EdgeNode.Streaming;

/// <summary>How a camera's frames follow each other, measured over its first ones, and what parts come of that. 90 kHz ticks.</summary>
/// <param name="FrameTicks">The usual distance of two frames.</param>
/// <param name="PartTargetTicks">PART-TARGET; 0 where frames are too rare for parts.</param>
/// <param name="CloseTicks">A part that has reached this is closed.</param>
public readonly record struct FrameCadence(long FrameTicks, long PartTargetTicks, long CloseTicks)
{
    /// <summary>A part lasts at least this share of PART-TARGET unless it is its segment's last (RFC 8216bis §4.4.4.9).</summary>
    public const double ShortestPart = 0.85;

    // Room for cameras whose clocks tremble: PART-TARGET may exceed its frames by this share.
    private const double MostSlack = 0.08;

    /// <summary>Pictures a second.</summary>
    public double FrameRate => (double)Ingest.AccessUnit.TicksPerSecond / FrameTicks;

    /// <summary>Measures. <paramref name="deltas"/> are distances of following frames, all above 0, at least one; they are sorted in place.</summary>
    public static FrameCadence Measure(Span<long> deltas, PackagingOptions options)
    {
        deltas.Sort();
        long median = deltas[deltas.Length / 2];
        // Lost frames double a distance: only those near the median count.
        double sum = 0;
        int count = 0;
        double tremble = 0;
        foreach (long delta in deltas)
        {
            if (Math.Abs(delta - median) * 3 > median)
                continue;
            sum += delta;
            count++;
        }

        double frame = sum / count;
        foreach (long delta in deltas)
        {
            if (Math.Abs(delta - median) * 3 <= median)
                tremble = Math.Max(tremble, Math.Abs(delta - frame));
        }

        long frameTicks = Math.Max(1, (long)Math.Round(frame));
        if (frame > Ticks(options.LongestFrameWithParts))
            return new FrameCadence(frameTicks, 0, 0);
        double frames = Math.Max(1, Math.Round(Ticks(options.PartDuration) / frame));
        double nominal = frames * frame;
        // Timestamps are whole ticks, so a run of frames that are 3003.5 apart is up to a tick longer than its mean says.
        long target = (long)Math.Ceiling(nominal + 1 + Math.Min(2 * tremble, MostSlack * nominal));
        long close = (long)Math.Ceiling(Math.Max(ShortestPart * target, nominal - frame / 2));
        return new FrameCadence(frameTicks, target, close);
    }

    private static double Ticks(TimeSpan time) => time.TotalSeconds * Ingest.AccessUnit.TicksPerSecond;
}
