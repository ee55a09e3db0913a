using System.Diagnostics.CodeAnalysis;
using EdgeNode.Ingest.H264;
using EdgeNode.Native.FFmpeg;
using EdgeNode.Native.Memory;

namespace EdgeNode.Ingest;

/// <summary>How a <see cref="FileSource"/> reads.</summary>
public sealed class FileSourceOptions
{
    /// <summary>Give pictures at the speed at which they were taken, as a camera does; false: as fast as they are read.</summary>
    public bool Paced { get; init; }

    /// <summary>Start over at the end, on the same timeline.</summary>
    public bool Loop { get; init; }

    /// <summary>The longest that <see cref="FileSource.Open"/> or the reading of one picture may take.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>
/// The first H.264 video of a file, or of an http(s) URL, read by libavformat (MP4, Matroska, AVI, FLV, MPEG-TS, raw H.264).
/// The file's own timestamps are kept, at 90 kHz; a picture without one gets one.
/// </summary>
public sealed class FileSource : IVideoSource
{
    // What the demuxers call themselves. Playlists (concat, HLS) are left out: they open other files and addresses.
    private const string Containers = "mov,matroska,avi,flv,mpegts,mpeg,h264";
    private const string VideoCodecName = "h264";

    // Behind by more than this, pictures go on at their own speed from now rather than in a rush.
    private static readonly TimeSpan LatestRush = TimeSpan.FromSeconds(1);

    private readonly string _url;
    private readonly string _name;
    private readonly bool _isNetwork;
    private readonly FileSourceOptions _options;
    private readonly TimeProvider _time;
    private readonly Func<bool> _interrupted;
    private readonly Pacer? _pacer;

    private FormatContext? _context;
    private Packet? _packet;
    private MediaStream? _stream;
    private H264Packetizer? _packetizer;
    private FileTimeline? _timeline;
    private VideoFormat? _sent;
    private long _deadline;
    private DateTime _startedAt;
    private volatile bool _aborted;

    /// <summary>Prepares to read <paramref name="pathOrUrl"/>; nothing is opened yet.</summary>
    public FileSource(string pathOrUrl, FileSourceOptions? options = null, TimeProvider? time = null)
    {
        _options = options ?? new FileSourceOptions();
        _time = time ?? TimeProvider.System;
        _interrupted = () => _aborted || _time.GetTimestamp() > Volatile.Read(ref _deadline);
        _isNetwork = pathOrUrl.StartsWith("http://", StringComparison.OrdinalIgnoreCase) || pathOrUrl.StartsWith("https://", StringComparison.OrdinalIgnoreCase);
        _url = _isNetwork ? pathOrUrl : $"file:{pathOrUrl}";
        _name = _isNetwork ? HostOf(pathOrUrl) : pathOrUrl;
        if (_options.Paced)
            _pacer = new Pacer(_time);
    }

    /// <summary>The parameters of the pictures that are read now; known after <see cref="Open"/>, for raw streams after the first picture.</summary>
    public VideoFormat? Format => _packetizer?.Format;

    /// <summary>How long the file is, or null when that is not known. Valid while it is open.</summary>
    public TimeSpan? Duration => _context is { DurationMicroseconds: >= 0 } context ? TimeSpan.FromMicroseconds(context.DurationMicroseconds) : null;

    /// <inheritdoc/>
    public void Open()
    {
        StartDeadline();
        if (!_isNetwork)
            CheckFile();
        try
        {
            _packet ??= new Packet();
            _context = FormatContext.Open(
                _url,
                [("protocol_whitelist", _isNetwork ? "http,https,tls,tcp" : "file"), ("format_whitelist", Containers)],
                _interrupted);
        }
        catch (FFmpegException e)
        {
            throw OpenFailed(e);
        }

        _stream = PickVideo(_context);
        _context.KeepOnly(_stream.Index);
        _packetizer ??= new H264Packetizer();
        _timeline ??= new FileTimeline(_stream);
        try
        {
            _packetizer.SetParameters(_stream.Extradata);
        }
        catch (InvalidDataException e)
        {
            throw new SourceException(SourceTrouble.Unsupported, $"The H.264 video of {_name} cannot be read: {e.Message}", e);
        }
    }

    /// <inheritdoc/>
    public AccessUnit? Read()
    {
        FormatContext context = _context ?? throw new InvalidOperationException("Open comes first.");
        bool startedOver = false;
        while (true)
        {
            StartDeadline();
            int result = context.Read(_packet!);
            if (result == FFmpegError.EndOfFile)
            {
                // A file whose whole length held no picture would be read for ever.
                if (!_options.Loop || startedOver || _sent is null)
                    return _sent is null ? throw NoPicture() : null;
                startedOver = true;
                context = StartOver(context);
                continue;
            }

            ThrowIfStopped(result);
            if (_packet!.StreamIndex == _stream!.Index && TryMakeUnit(_packet, out AccessUnit? unit))
                return unit;
        }
    }

    /// <inheritdoc/>
    public void Abort()
    {
        _aborted = true;
        _pacer?.Abort();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _context?.Dispose();
        _context = null;
        _packet?.Dispose();
        _packet = null;
        _pacer?.Dispose();
    }

    private static string HostOf(string url) => Uri.TryCreate(url, UriKind.Absolute, out Uri? uri) ? $"{uri.Scheme}://{uri.Authority}" : "the URL";

    private void StartDeadline() =>
        Volatile.Write(ref _deadline, _time.GetTimestamp() + (long)(_options.Deadline.TotalSeconds * _time.TimestampFrequency));

    private void CheckFile()
    {
        if (Directory.Exists(_name))
            throw new SourceException(SourceTrouble.NotFound, $"{_name} is a folder: name a video file.");
        var file = new FileInfo(_name);
        if (!file.Exists)
            throw new SourceException(SourceTrouble.NotFound, $"There is no file {_name}.");
        if (file.Length == 0)
            throw new SourceException(SourceTrouble.Unsupported, $"The file {_name} is empty.");
    }

    private SourceException OpenFailed(FFmpegException e)
    {
        const int NoAccess = -13;
        if (_aborted)
            return new SourceException(SourceTrouble.Closed, $"{_name} was closed.", e);
        if (e.Code == FFmpegError.Exit)
            return new SourceException(SourceTrouble.Stalled, $"{_name} did not answer within {_options.Deadline.TotalSeconds:0.#} s.", e);
        if (e.Code == 0)
            return new SourceException(SourceTrouble.Unsupported, e.Message, e);
        if (e.Code == FFmpegError.HttpUnauthorized || e.Code == FFmpegError.HttpForbidden)
            return new SourceException(SourceTrouble.Unauthorized, $"{_name} refuses the user name or password.", e);
        if (e.Code == FFmpegError.HttpNotFound || e.Code == FFmpegError.NoEntry)
            return new SourceException(SourceTrouble.NotFound, $"{_name} has no such video.", e);
        if (e.Code == NoAccess)
            return new SourceException(SourceTrouble.NotFound, $"The file {_name} may not be read: give the node's user the right to.", e);
        return _isNetwork && e.Code is < 0 and > -200
            ? new SourceException(SourceTrouble.Unreachable, $"{_name} cannot be reached: {FFmpegError.Describe(e.Code)}.", e)
            : new SourceException(SourceTrouble.Unsupported, $"{_name} is no video file that the node can read (MP4, Matroska, AVI, FLV, MPEG-TS).", e);
    }

    private MediaStream PickVideo(FormatContext context)
    {
        string? other = null;
        for (int i = 0; i < context.StreamCount; i++)
        {
            MediaStream stream = context.Stream(i);
            if (!stream.IsVideo)
                continue;
            if (stream.CodecName == VideoCodecName)
                return stream;
            other ??= stream.CodecName;
        }

        throw new SourceException(SourceTrouble.Unsupported, other is null
            ? $"{_name} has no video in it: H.264 video is needed."
            : $"The video of {_name} is {other}: H.264 video is needed.");
    }

    private FormatContext StartOver(FormatContext context)
    {
        context.Dispose();
        _context = null;
        _timeline!.StartOver();
        Open();
        return _context!;
    }

    private void ThrowIfStopped(int result)
    {
        if (_aborted)
            throw new SourceException(SourceTrouble.Closed, $"{_name} was closed.");
        if (result == FFmpegError.Exit)
            throw new SourceException(SourceTrouble.Stalled, $"Nothing came from {_name} for {_options.Deadline.TotalSeconds:0.#} s.");
        if (result < 0)
            throw new SourceException(SourceTrouble.Closed, $"{_name} cannot be read on: {FFmpegError.Describe(result)}.");
    }

    private SourceException NoPicture() => new(SourceTrouble.Unsupported, $"{_name} has no picture in it at which decoding can begin.");

    private bool TryMakeUnit(Packet packet, [NotNullWhen(true)] out AccessUnit? unit)
    {
        unit = null;
        PacketMemory? memory;
        int length;
        AccessUnitFlags flags;
        try
        {
            if (!packet.NewParameters.IsEmpty)
                _packetizer!.SetParameters(packet.NewParameters);
            memory = _packetizer!.Packetize(packet.Data, out length, out flags);
        }
        catch (InvalidDataException)
        {
            // One broken packet in the middle of a file: the next ones are marked, up to the next keyframe.
            _packetizer!.MarkDamaged();
            return false;
        }

        if (memory is null)
            return false;
        if (packet.IsCorrupt)
        {
            flags |= AccessUnitFlags.Damaged;
            _packetizer.MarkDamaged();
        }

        // A recording may be cut in the middle of a GOP.
        if (_sent is null && (flags & AccessUnitFlags.Key) == 0)
        {
            memory.Release();
            return false;
        }

        (long dts, long pts) = _timeline!.Place(packet, _packetizer.Format!.ReorderDepth);
        if (_sent is null)
        {
            flags |= AccessUnitFlags.StartsTimeline;
            _startedAt = _time.GetUtcNow().UtcDateTime;
            _timeline.FirstPts = pts;
        }

        DateTime capturedAt;
        if (_pacer is null)
        {
            capturedAt = _startedAt + FromTicks(pts - _timeline.FirstPts);
        }
        else
        {
            TimeSpan late = _pacer.WaitUntil(FromTicks(dts - _timeline.FirstDts), LatestRush);
            if (_aborted)
            {
                memory.Release();
                ThrowIfStopped(0);
            }

            // By the clock as it is now, which may have been set since the start; B-frames were taken before the frames they follow.
            capturedAt = _time.GetUtcNow().UtcDateTime - late + FromTicks(pts - dts - (_timeline.FirstPts - _timeline.FirstDts));
        }

        VideoFormat format = _packetizer.Format!;
        unit = AccessUnit.Create(memory, length, format, new AccessUnitTiming(dts, pts, capturedAt), flags);
        _sent = format;
        return true;
    }

    private static TimeSpan FromTicks(long ticks) => TimeSpan.FromTicks(ticks * (TimeSpan.TicksPerSecond / 10_000) / (AccessUnit.TicksPerSecond / 10_000));

    /// <summary>Puts a stream's timestamps at 90 kHz on one rising line, over as many rounds as it is read.</summary>
    private sealed class FileTimeline(MediaStream stream)
    {
        private readonly long _usualStep = stream.FrameRate is >= 1 and <= 240
            ? (long)Math.Round(AccessUnit.TicksPerSecond / stream.FrameRate)
            : AccessUnit.TicksPerSecond / 25;

        private long _offset;
        private long _last;
        private long _lastStep;
        private bool _isFirstEver = true;
        private bool _isFirstOfRound = true;

        public long FirstDts { get; private set; }

        public long FirstPts { get; set; }

        public void StartOver() => _isFirstOfRound = true;

        public (long Dts, long Pts) Place(Packet packet, int reorderDepth)
        {
            long? stampedPts = ToTicks(packet.Pts) + _offset;
            long dts = ToTicks(packet.Dts) + _offset ?? Missing(stampedPts, reorderDepth);
            if (_isFirstOfRound && !_isFirstEver)
            {
                long shift = _last + _lastStep - dts;
                _offset += shift;
                stampedPts += shift;
                dts += shift;
            }

            if (!_isFirstEver && dts <= _last)
                dts = _last + 1;
            long pts = Math.Max(stampedPts ?? dts, dts);

            long step = packet.Duration > 0 ? ToTicks(packet.Duration)!.Value : _usualStep;
            _lastStep = Math.Clamp(step, 1, 10 * AccessUnit.TicksPerSecond);
            _last = dts;
            if (_isFirstEver)
                FirstDts = dts;
            _isFirstEver = false;
            _isFirstOfRound = false;
            return (dts, pts);
        }

        // Matroska stores presentation times only, and libavformat leaves the first decoding times open where there are B-frames.
        private long Missing(long? stampedPts, int reorderDepth)
        {
            if (stampedPts is { } pts && (reorderDepth == 0 || _isFirstOfRound))
                return pts - reorderDepth * _usualStep;
            return _isFirstEver ? 0 : _last + _lastStep;
        }

        private long? ToTicks(long stamp)
        {
            if (stamp == Packet.NoTimestamp)
                return null;
            Int128 scaled = (Int128)stamp * stream.TimeBaseNumerator * AccessUnit.TicksPerSecond;
            return (long)(scaled / stream.TimeBaseDenominator);
        }
    }
}
