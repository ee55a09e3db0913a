using EdgeNode.Ingest.Bitstream;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>
/// Gives each picture a decoding time: RTP carries presentation times only, in decoding order. With nothing reordered
/// both are equal. Otherwise a delay line of as many presentation times as pictures may be held back, whose smallest leaves
/// as the decoding time. How many that is the stream says (max_num_reorder_frames, sps_max_num_reorder_pics); where it does
/// not, or says too little, the picture order counts show it. Decoding times rise strictly and are never above the presentation times.
/// </summary>
/// <remarks>
/// Where nothing is declared, a picture that leaves a gap in the order counts behind it may be one that others are to be shown
/// before: its decoding time stays close behind the last picture without a gap, until the next picture that is shown after all
/// so far closes the gap. A stream that reorders nothing so has equal times from its third picture on, and no first B picture comes too late.
/// </remarks>
internal sealed class DecodingClock
{
    /// <summary>The deepest that either standard allows.</summary>
    public const int DeepestReorder = 16;

    private const long LongestStep = 2L * AccessUnit.TicksPerSecond;
    private const int GapParts = 32; // room for as many pictures as may have to be decoded within a gap
    private const int WiderStepsToBelieve = 8;

    private readonly long[] _waiting = new long[2 * DeepestReorder + 2]; // presentation times not given out yet, rising
    private int _waitingCount;

    // Pictures since the one that closed the last gap, that one first, by their order.
    private readonly (PictureOrder Order, long Presentation)[] _open = new (PictureOrder, long)[DeepestReorder + 2];
    private int _openCount;
    private PictureOrder _highest;
    private bool _anyOrder;
    private int _unit; // order counts from picture to picture; 0 while unknown
    private int _widerSteps;

    private int _learned;
    private long _lastPresentation;
    private long _last = long.MinValue;

    /// <summary>Whether a picture is shown before one that was decoded before it.</summary>
    public bool IsReordered(PictureOrder? order) => _anyOrder && order < _highest;

    /// <summary>
    /// Decoding time of the next picture. <paramref name="presentation"/> is raised where it lies before what was already decoded,
    /// which happens only to streams whose order counts do not fit their times.
    /// </summary>
    /// <param name="presentation">Presentation time, 90 kHz ticks.</param>
    /// <param name="order">Its place in output order; null when unknown: behind all so far.</param>
    /// <param name="declaredDepth">Pictures that may be held back, as the stream says; null when it does not.</param>
    /// <param name="interval">Ticks from picture to picture, about.</param>
    public long Next(ref long presentation, PictureOrder? order, int? declaredDepth, int interval)
    {
        // Behind a jump of the camera's clock what waited says nothing any more.
        if (Math.Abs(presentation - _lastPresentation) > LongestStep)
            _waitingCount = 0;
        _lastPresentation = presentation;

        long latest = long.MaxValue;
        if (order is { } known)
            latest = Follow(known, presentation);
        int depth = Math.Min(DeepestReorder, Math.Max(declaredDepth ?? 0, _learned));
        if (declaredDepth is not null)
            latest = long.MaxValue;

        Insert(presentation);
        long decoding;
        if (_waitingCount <= depth)
        {
            decoding = _waiting[0] - (long)(depth + 1 - _waitingCount) * interval;
        }
        else if (_waiting[_waitingCount - 1 - depth] <= latest || _waitingCount == _waiting.Length)
        {
            decoding = _waiting[_waitingCount - 1 - depth];
            RemoveSmallest(_waitingCount - depth);
        }
        else
        {
            decoding = latest;
        }

        if (decoding <= _last)
            decoding = _last + 1;
        if (presentation < decoding)
            presentation = decoding;
        return _last = decoding;
    }

    /// <summary>Learns from the order of the picture; the latest that its decoding time may be for what may still come.</summary>
    private long Follow(PictureOrder order, long presentation)
    {
        if (!_anyOrder || order.Period != _highest.Period)
        {
            // All that came is shown before it.
            _anyOrder = true;
            _highest = order;
            _open[0] = (order, presentation);
            _openCount = 1;
            return long.MaxValue;
        }

        if (order > _highest)
        {
            CloseGap();
            _highest = order;
        }

        int at = _openCount;
        while (at > 0 && order < _open[at - 1].Order)
            at--;
        _learned = Math.Min(DeepestReorder, Math.Max(_learned, _openCount - at));
        if (_openCount == _open.Length)
            return long.MaxValue; // no stream after the standard gets here
        Array.Copy(_open, at, _open, at + 1, _openCount - at);
        _open[at] = (order, presentation);
        _openCount++;

        int whole = 0;
        while (whole + 1 < _openCount && _open[whole + 1].Order.Count - _open[whole].Order.Count <= _unit)
            whole++;
        if (whole == _openCount - 1)
            return long.MaxValue;
        return _open[whole].Presentation + Math.Max(0, _open[whole + 1].Presentation - _open[whole].Presentation) / GapParts;
    }

    // The picture that comes is shown after all so far: those before it that were missing were lost, or never were.
    private void CloseGap()
    {
        int step = int.MaxValue;
        for (int i = 1; i < _openCount; i++)
            step = Math.Min(step, Math.Max(1, _open[i].Order.Count - _open[i - 1].Order.Count));
        if (_openCount > 1)
        {
            _widerSteps = _unit > 0 && step > _unit ? _widerSteps + 1 : 0;
            if (_unit == 0 || step < _unit || _widerSteps == WiderStepsToBelieve)
            {
                _unit = step;
                _widerSteps = 0;
            }
        }

        _open[0] = _open[_openCount - 1];
        _openCount = 1;
    }

    private void Insert(long time)
    {
        int at = _waitingCount++;
        for (; at > 0 && _waiting[at - 1] > time; at--)
            _waiting[at] = _waiting[at - 1];
        _waiting[at] = time;
    }

    private void RemoveSmallest(int count)
    {
        _waitingCount -= count;
        Array.Copy(_waiting, count, _waiting, 0, _waitingCount);
    }
}
