using EdgeNode.Ingest;
using EdgeNode.Ingest.Aac;
using EdgeNode.Native.Memory;
using EdgeNode.Streaming.Fmp4;

namespace EdgeNode.Streaming;

/// <summary>
/// The sound of a live stream: segments with the numbers, places and discontinuities of the video's, cut at the nearest audio frame, and
/// parts of a whole number of frames. Where a camera sends no sound for a while, silence is packaged: the playlist stays gapless (players
/// stall at an EXT-X-GAP of one rendition, and a rendition that comes and goes needs a reload). Guarded by its owner's lock.
/// </summary>
internal sealed class AudioTrack : IDisposable
{
    private const long Second = AccessUnit.TicksPerSecond;
    // Frames are put one behind the other while they are not further than this from where they belong.
    private const double Tolerance = 0.1;
    // Sound may come this much later than the picture; silence takes its place after that. It grows with what was too late.
    private const double ShortestPatience = 0.5;
    private const double LongestPatience = 1.5;

    private readonly Func<int> _nextInitialization;
    private readonly Mp4BoxWriter _writer = new(512);
    private readonly Queue<Boundary> _boundaries = new();

    private AudioFormat _format;
    private AudioFormat? _nextFormat;
    private InitializationSegment _initialization;
    private AccessUnit _silence;
    private int _rate;
    private int _frame;
    private AccessUnit[] _pending = [];
    private PartSample[] _samples = [];
    private int _pendingCount;
    private long _start;
    private long _end;
    private double _patience = ShortestPatience;
    private uint _fragment;
    private Boundary _current;
    private bool _isStarted;
    private bool _disposed;

    public AudioTrack(PackagingOptions options, AudioFormat format, Func<int> nextInitialization, long discontinuitySequence)
    {
        _nextInitialization = nextInitialization;
        Window = new MediaWindow(options, discontinuitySequence);
        _format = format;
        (_initialization, _silence) = Use(format);
    }

    public MediaWindow Window { get; }

    public AudioFormat Format => _format;

    /// <summary>AAC LC, plain or as the core of HE-AAC, of one or two channels: what players play and silence is known of.</summary>
    public static bool IsSupported(AudioFormat format)
    {
        if (format.Codec != AudioCodec.Aac)
            return false;
        var config = AudioSpecificConfig.Parse(format.DecoderConfiguration);
        return config.ObjectType == 2 && config.Channels is 1 or 2;
    }

    /// <summary>The video opened a segment.</summary>
    public void Cut(long sequence, long presentationTime, DateTime programDateTime, bool isDiscontinuity, FrameCadence video, int targetDuration)
    {
        var boundary = new Boundary(sequence, presentationTime, programDateTime, isDiscontinuity);
        Window.TargetDuration = targetDuration;
        if (_isStarted)
        {
            _boundaries.Enqueue(boundary);
            return;
        }

        _isStarted = true;
        Follow(video);
        _end = Samples(presentationTime);
        Open(boundary);
    }

    /// <summary>The video's parts are of this kind from now on.</summary>
    public void Follow(FrameCadence video)
    {
        long frameTicks = Ticks(_frame);
        int frames = Math.Max(1, (int)Math.Round((double)(video.PartTargetTicks > 0 ? video.PartTargetTicks : Second) * _rate / Second / _frame));
        if (_pending.Length < frames)
        {
            Array.Resize(ref _pending, frames);
            Array.Resize(ref _samples, frames);
        }

        long target = video.PartTargetTicks > 0 ? (frames * (long)_frame * Second + _rate - 1) / _rate + 1 : 0;
        Window.Cadence = new FrameCadence(frameTicks, target, frames);
    }

    /// <summary>One frame, at a place in the packaged timeline that the video has passed.</summary>
    public void Take(AccessUnit unit, long presentationTime)
    {
        if (!_isStarted)
            return;
        if (!IsSame(unit.Audio!, _format))
        {
            if (!ReferenceEquals(unit.Audio, _nextFormat) && IsSupported(unit.Audio!))
                _nextFormat = unit.Audio;
            if (!MayBeginAnew())
                return;
        }

        double off = (double)(Samples(presentationTime) - _end) / _rate;
        if (off < -Tolerance)
        {
            _patience = Math.Min(LongestPatience, _patience - off);
            return;
        }

        if (off > Tolerance)
            FillTo(presentationTime);
        Append(unit);
    }

    /// <summary>The video is at this place: what is missing too far behind it becomes silence.</summary>
    public void Advance(long decodeTime)
    {
        if (_isStarted)
            FillTo(decodeTime - (long)(_patience * Second));
    }

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        for (int i = 0; i < _pendingCount; i++)
            _pending[i].Release();
        _pendingCount = 0;
        _silence.Release();
        Window.Clear();
        _writer.Dispose();
    }

    private void FillTo(long ticks)
    {
        // In ticks, as the rate may change on the way.
        while (Samples(ticks) - _end >= _frame)
            Append(null);
    }

    // Null: silence.
    private void Append(AccessUnit? unit)
    {
        // A part is closed by the frame that begins the next one: so the hint to the next is always true.
        if (_boundaries.TryPeek(out Boundary boundary) && (_pendingCount > 0 || Window.Current!.Parts.Count > 0) &&
            _end + _frame / 2 >= Samples(boundary.PresentationTime))
        {
            _boundaries.Dequeue();
            ClosePart();
            Window.CompleteCurrent();
            Open(boundary);
        }
        else if (_pendingCount == (int)Window.Cadence.CloseTicks)
        {
            ClosePart();
        }

        if (_pendingCount == 0)
            _start = _end;
        if (unit is null || !IsSame(unit.Audio!, _format))
            unit = _silence;
        unit.AddReference();
        _pending[_pendingCount++] = unit;
        _end += _frame;
    }

    private void Open(Boundary boundary)
    {
        // Another codec configuration needs another map, which stands at a discontinuity only (§4.4.4.3).
        if (boundary.IsDiscontinuity && _nextFormat is not null)
            ChangeFormat(_nextFormat, Ticks(_end));
        _current = boundary;
        Window.Open(NewSegment());
        Window.Trim();
    }

    // The first frame of another kind comes a little behind the discontinuity. Nobody has seen anything of that segment before its first part.
    private bool MayBeginAnew()
    {
        if (_nextFormat is null || Window.Current is not { IsDiscontinuity: true, Parts.Count: 0 } current)
            return false;
        for (int i = 0; i < _pendingCount; i++)
            _pending[i].Release();
        Array.Clear(_pending, 0, _pendingCount);
        _pendingCount = 0;
        ChangeFormat(_nextFormat, current.DecodeTime);
        Window.ReplaceCurrent(NewSegment());
        return true;
    }

    private void ChangeFormat(AudioFormat format, long at)
    {
        _silence.Release();
        (_initialization, _silence) = Use(format);
        _format = format;
        _nextFormat = null;
        _end = Samples(at);
        // A time between two samples is not gone back behind.
        if (Ticks(_end) < at)
            _end++;
        Follow(Window.Cadence);
    }

    private Segment NewSegment()
    {
        long start = Ticks(_end);
        DateTime date = _current.ProgramDateTime + TimeSpan.FromSeconds((double)(start - _current.PresentationTime) / Second);
        return new Segment(_current.Sequence, _initialization, date, start, startsWithKey: true, _current.IsDiscontinuity);
    }

    private void ClosePart()
    {
        if (_pendingCount == 0)
            return;
        AccessUnit[] units = _pending[.._pendingCount];
        for (int i = 0; i < units.Length; i++)
            _samples[i] = new PartSample((uint)_frame, (uint)units[i].Length, PartSample.KeyFlags, 0);
        Segment segment = Window.Current!;
        _writer.Clear();
        PartHeader.Write(_writer, ++_fragment, _start, _samples.AsSpan(0, units.Length));
        long start = Ticks(_start);
        Window.Add(new Part(segment.Sequence, segment.Parts.Count, start, Ticks(_end) - start, _writer.Written.ToArray(), units));
        Array.Clear(_pending, 0, _pendingCount);
        _pendingCount = 0;
    }

    private (InitializationSegment Initialization, AccessUnit Silence) Use(AudioFormat format)
    {
        var config = AudioSpecificConfig.Parse(format.DecoderConfiguration);
        _rate = config.CoreRate;
        _frame = config.FrameLength;
        byte[] frame = AacSilence.Frame(config.HasParametricStereo ? 1 : config.Channels);
        PacketMemory memory = PacketMemory.Rent(frame.Length);
        frame.CopyTo(memory.Span);
        return (new InitializationSegment(_nextInitialization(), format), AccessUnit.CreateAudio(memory, frame.Length, format, default));
    }

    private static bool IsSame(AudioFormat a, AudioFormat b) => ReferenceEquals(a, b) || a.DecoderConfiguration.AsSpan().SequenceEqual(b.DecoderConfiguration);

    private long Samples(long ticks) => ticks * _rate / Second;

    private long Ticks(long samples) => samples * Second / _rate;

    private readonly record struct Boundary(long Sequence, long PresentationTime, DateTime ProgramDateTime, bool IsDiscontinuity);
}
