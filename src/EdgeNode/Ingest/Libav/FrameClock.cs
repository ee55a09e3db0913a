using EdgeNode.Native.FFmpeg;

namespace EdgeNode.Ingest.Libav;

/// <summary>Gives pictures the stamps that their container left out.</summary>
internal sealed class FrameClock(MediaStream stream)
{
    private readonly long _usualStep = stream.FrameRate is >= 1 and <= 240
        ? (long)Math.Round(AccessUnit.TicksPerSecond / stream.FrameRate)
        : AccessUnit.TicksPerSecond / 25;

    private bool _isFirst = true;
    private long _last;
    private long _lastStep;

    /// <summary>From one picture to the next, as last seen.</summary>
    public long Step => _lastStep;

    /// <summary>What follows is another round or connection.</summary>
    public void Begin() => _isFirst = true;

    /// <summary>Decoding and presentation time of the next picture, the container's own where it has them.</summary>
    public (long Dts, long Pts) Next(in DemuxedFrame frame, int reorderDepth)
    {
        long dts = frame.Dts ?? Missing(frame.Pts, reorderDepth);
        long step = frame.Duration > 0 ? frame.Duration : _usualStep;
        _lastStep = Math.Clamp(step, 1, 10 * AccessUnit.TicksPerSecond);
        _last = dts;
        _isFirst = false;
        return (dts, Math.Max(frame.Pts ?? dts, dts));
    }

    // Matroska stores presentation times only, and libavformat leaves the first decoding times open where there are B-frames.
    private long Missing(long? pts, int reorderDepth)
    {
        if (pts is { } stamped && (reorderDepth == 0 || _isFirst))
            return stamped - reorderDepth * _usualStep;
        return _isFirst ? 0 : _last + _lastStep;
    }
}
