using System.Diagnostics;
using EdgeNode.Decoding;
using EdgeNode.Faces;
using EdgeNode.Ingest;

namespace EdgeNode.Cameras;

/// <summary>
/// The way from a camera's access units to its face tracks: decodes, takes the pictures that are due, and has them
/// analysed. Works on media time alone, so that a file gives the same events however fast it is read. One thread at a time.
/// </summary>
public sealed class FaceAnalysis : IDisposable
{
    /// <summary>A camera whose pictures cannot be had for longer has nobody before it: presence is not kept up by a picture that stands still.</summary>
    internal static readonly TimeSpan PresenceWithoutPictures = TimeSpan.FromSeconds(5);

    /// <summary>How long tracks outlast one GOP with lost packets, in which nothing can be seen: cameras send a keyframe a minute at the rarest.</summary>
    private static readonly TimeSpan LongestDamage = TimeSpan.FromSeconds(70);

    private const int RememberedUnits = 64;
    private readonly FacePipeline _pipeline;
    private readonly IFaceTrackObserver _observer;
    private readonly Func<VideoFormat, IVideoDecoder> _openDecoder;
    private readonly long _interval;
    private readonly (long Pts, DateTime CapturedAt, bool Damaged)[] _fed = new (long, DateTime, bool)[RememberedUnits];
    private uint _nextFed;
    private IVideoDecoder? _decoder;
    private VideoFormat? _format;
    private bool _awaitsKey = true;
    private bool _isGopDamaged;
    private bool _wasGopDamaged;
    private int _keysSinceAnalyzed;
    private long _keyPts;
    private string? _trouble;
    private long? _analyzedAt;
    private long _nextDue = long.MinValue;
    private long _decodeTicks;
    private long _framesDecoded;
    private long _framesAnalyzed;
    private long _decodeErrors;
    private long _analysisTicks;

    /// <summary>Analyses <paramref name="fps"/> pictures a second of media time.</summary>
    public FaceAnalysis(FacePipeline pipeline, IFaceTrackObserver observer, double fps, Func<VideoFormat, IVideoDecoder> openDecoder)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(fps);
        _pipeline = pipeline;
        _observer = observer;
        _openDecoder = openDecoder;
        _interval = Math.Max(1, (long)(AccessUnit.TicksPerSecond / fps));
    }

    /// <summary>What decodes now; null before the first picture.</summary>
    public string? DecoderName => _decoder?.Name;

    /// <summary>Pictures that were decoded.</summary>
    public long FramesDecoded => Interlocked.Read(ref _framesDecoded);

    /// <summary>Pictures in which faces were looked for.</summary>
    public long FramesAnalyzed => Interlocked.Read(ref _framesAnalyzed);

    /// <summary>Access units that could not be decoded.</summary>
    public long DecodeErrors => Interlocked.Read(ref _decodeErrors);

    /// <summary>What the decoder last refused, one sentence; null since a picture was analysed.</summary>
    public string? Trouble => Volatile.Read(ref _trouble);

    /// <summary>Mean time of decoding one picture, in milliseconds.</summary>
    public double MeanDecodeMs => FramesDecoded == 0 ? 0 : _decodeTicks * 1000d / Stopwatch.Frequency / FramesDecoded;

    /// <summary>Mean time of analysing one picture, in milliseconds.</summary>
    public double MeanAnalysisMs => FramesAnalyzed == 0 ? 0 : _analysisTicks * 1000d / Stopwatch.Frequency / FramesAnalyzed;

    /// <summary>Takes the next access unit, in decoding order; the caller keeps its reference.</summary>
    public void Feed(AccessUnit unit)
    {
        long analyzed = FramesAnalyzed;
        try
        {
            Decode(unit);
        }
        finally
        {
            EndTracksWithoutPictures(unit.Dts, isAnalyzed: FramesAnalyzed != analyzed);
        }
    }

    private void Decode(AccessUnit unit)
    {
        if (unit.IsKey)
        {
            _wasGopDamaged = _isGopDamaged;
            _awaitsKey = _isGopDamaged = false;
            _keysSinceAnalyzed++;
            _keyPts = unit.Pts;
        }

        if (_awaitsKey)
            return;

        // What builds on a damaged picture is damaged, whether its source says so or not.
        _isGopDamaged |= unit.IsDamaged;
        try
        {
            if (!ReferenceEquals(unit.Format, _format))
                Reopen(unit.Format);
            _fed[(int)(_nextFed++ % RememberedUnits)] = (unit.Pts, unit.CapturedAt, _isGopDamaged);
            long start = Stopwatch.GetTimestamp();
            _decoder!.Send(unit);
            _decodeTicks += Stopwatch.GetTimestamp() - start;
            TakePictures();
        }
        catch (DecodeException refused)
        {
            Volatile.Write(ref _trouble, refused.Message);
            Interlocked.Increment(ref _decodeErrors);
            _awaitsKey = true;
            _decoder?.Flush();
        }
    }

    /// <summary>Nobody has been seen for a while: all tracks end.</summary>
    public void EndTracks() => _pipeline.End(_observer);

    /// <summary>No more access units come: the last pictures are analysed and all tracks end.</summary>
    public void Finish()
    {
        Drain();
        _pipeline.End(_observer);
    }

    /// <inheritdoc/>
    public void Dispose() => _decoder?.Dispose();

    private void Reopen(VideoFormat format)
    {
        Drain();
        _decoder?.Dispose();
        _decoder = null;
        _format = null;
        _awaitsKey = true; // where it cannot be opened it is tried again at the next keyframe, not at each picture
        _decoder = _openDecoder(format);
        _format = format;
        _awaitsKey = false;
    }

    // Units that come but cannot be decoded keep nobody present, and damaged ones for one GOP only.
    private void EndTracksWithoutPictures(long dts, bool isAnalyzed)
    {
        if (isAnalyzed || _analyzedAt is not { } analyzedAt || dts < analyzedAt)
        {
            _analyzedAt = dts;
            return;
        }

        // The first pictures after the damage may yet be in the decoder.
        bool isOneDamagedGop = !_awaitsKey && (_isGopDamaged ? _keysSinceAnalyzed <= 1 : _wasGopDamaged && _keysSinceAnalyzed <= 2);
        TimeSpan patience = isOneDamagedGop ? LongestDamage : PresenceWithoutPictures;
        long longest = Math.Max((long)(patience.TotalSeconds * AccessUnit.TicksPerSecond), 2 * _interval);
        if (dts - analyzedAt <= longest)
            return;
        _analyzedAt = dts;
        EndTracks();
    }

    private void Drain()
    {
        if (_decoder is null)
            return;
        _decoder.Drain();
        TakePictures();
    }

    private void TakePictures()
    {
        while (true)
        {
            long start = Stopwatch.GetTimestamp();
            bool received = _decoder!.TryReceive(out DecodedPicture picture);
            long decoded = Stopwatch.GetTimestamp();
            _decodeTicks += decoded - start;
            if (!received)
                return;
            Interlocked.Increment(ref _framesDecoded);
            if (!IsDue(picture.Pts))
                continue;
            (DateTime capturedAt, bool damaged) = Remembered(picture.Pts);
            if (damaged || picture.IsDamaged)
            {
                _pipeline.Overlook(picture.Pts);
                continue;
            }

            _pipeline.Analyze(picture.Pixels, picture.Pts, capturedAt, _observer);
            // Those before the newest keyframe come out of the decoder after it went in.
            _keysSinceAnalyzed = picture.Pts >= _keyPts ? 0 : 1;
            _analysisTicks += Stopwatch.GetTimestamp() - decoded;
            Interlocked.Increment(ref _framesAnalyzed);
            Volatile.Write(ref _trouble, null);
        }
    }

    // The grid of due times stays fixed, so that 10 of 24 pictures a second are taken and not 8.
    private bool IsDue(long pts)
    {
        if (_nextDue != long.MinValue && pts < _nextDue && _nextDue - pts <= _interval)
            return false;
        long missed = _nextDue == long.MinValue || _nextDue - pts > _interval ? long.MaxValue : (pts - _nextDue) / _interval;
        _nextDue = missed > 4 ? pts + _interval : _nextDue + (missed + 1) * _interval;
        return true;
    }

    private (DateTime CapturedAt, bool Damaged) Remembered(long pts)
    {
        foreach ((long fedPts, DateTime capturedAt, bool damaged) in _fed)
        {
            if (fedPts == pts)
                return (capturedAt, damaged);
        }

        return (_fed[(int)((_nextFed - 1) % RememberedUnits)].CapturedAt, true);
    }
}
