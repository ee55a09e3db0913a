namespace EdgeNode.Ingest.Rtsp;

/// <summary>
/// Gives each picture a decoding time: RTP carries presentation times only, in decoding order. With nothing reordered
/// both are equal. Otherwise a delay line of depth + 1 presentation times, whose smallest leaves as the decoding time:
/// the n-th smallest, delayed by as many pictures as may be held back. Decoding times rise strictly and are never above the presentation times.
/// </summary>
internal sealed class DecodingClock
{
    private const int DeepestReorder = 16;

    private readonly long[] _waiting = new long[DeepestReorder + 2];
    private int _count;
    private int _depth;
    private int _deepened;
    private long _last = long.MinValue;

    /// <summary>
    /// Decoding time of the next picture. <paramref name="presentation"/> is raised where the stream goes back to before
    /// what was already decoded, which means that it reorders deeper than it says: from then on the line is deeper.
    /// </summary>
    public long Next(ref long presentation, int reorderDepth, int interval)
    {
        int depth = Math.Min(DeepestReorder, reorderDepth + _deepened);
        if (depth != _depth)
            SetDepth(depth);

        long decoding = presentation;
        if (depth > 0)
        {
            Insert(presentation);
            decoding = _waiting[0] - (long)Math.Max(0, depth + 1 - _count) * interval;
            if (_count > depth)
                RemoveSmallest();
        }

        if (decoding <= _last)
            decoding = _last + 1;
        if (presentation < decoding)
        {
            presentation = decoding;
            if (reorderDepth > 0 && reorderDepth + _deepened < DeepestReorder)
                _deepened++;
        }

        return _last = decoding;
    }

    private void SetDepth(int depth)
    {
        if (depth < _depth)
            _count = 0;
        _depth = depth;
    }

    private void Insert(long time)
    {
        int at = _count++;
        for (; at > 0 && _waiting[at - 1] > time; at--)
            _waiting[at] = _waiting[at - 1];
        _waiting[at] = time;
    }

    private void RemoveSmallest()
    {
        _count--;
        Array.Copy(_waiting, 1, _waiting, 0, _count);
    }
}
