using System.Diagnostics.CodeAnalysis;
using EdgeNode.Ingest.Libav;

namespace EdgeNode.Ingest;

/// <summary>How a <see cref="FileSource"/> reads.</summary>
public sealed class FileSourceOptions
{
    /// <summary>Give pictures at the speed at which they were taken, as a camera does; false: as fast as they are read.</summary>
    public bool Paced { get; init; }

    /// <summary>Start over at the end, on the same timeline.</summary>
    public bool Loop { get; init; }

    /// <summary>Give the AAC audio, too. Audio is not paced: it comes when its container has it, beside the pictures.</summary>
    public bool WithAudio { get; init; }

    /// <summary>The longest that <see cref="FileSource.Open"/> or the reading of one picture may take.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>
/// The first video (H.264 or H.265) of a film: a file, or an http(s) URL that is read once, by libavformat (MP4, Matroska, AVI, FLV, MPEG-TS, raw video).
/// The film's own timestamps are kept, at 90 kHz; a picture without one gets one. What is live comes by <see cref="LiveUrlSource"/>.
/// </summary>
public sealed class FileSource : IVideoSource
{
    // Behind by more than this, pictures go on at their own speed from now rather than in a rush.
    private static readonly TimeSpan LatestRush = TimeSpan.FromSeconds(1);

    private readonly DemuxerInput _input;
    private readonly FileSourceOptions _options;
    private readonly TimeProvider _time;
    private readonly Demuxer _demuxer;
    private readonly Pacer? _pacer;

    private FilmTimeline? _timeline;
    private VideoFormat? _sent;
    private DateTime _startedAt;

    /// <summary>Prepares to read <paramref name="pathOrUrl"/>; nothing is opened yet.</summary>
    /// <exception cref="SourceException">The URL makes no sense.</exception>
    public FileSource(string pathOrUrl, FileSourceOptions? options = null, TimeProvider? time = null)
    {
        _options = options ?? new FileSourceOptions();
        _time = time ?? TimeProvider.System;
        try
        {
            _input = Configuration.CameraUrl.IsHttp(pathOrUrl) ? DemuxerInput.HttpFilm(pathOrUrl) : DemuxerInput.File(pathOrUrl);
        }
        catch (FormatException fault)
        {
            throw new SourceException(SourceTrouble.Unsupported, fault.Message, fault);
        }

        _demuxer = new Demuxer(_input, _options.WithAudio, _time);
        if (_options.Paced)
            _pacer = new Pacer(_time);
    }

    /// <summary>The parameters of the pictures that are read now; known after <see cref="Open"/>, for raw streams after the first picture.</summary>
    public VideoFormat? Format => _demuxer.Format;

    /// <summary>How long the film is, or null when that is not known. Valid while it is open.</summary>
    public TimeSpan? Duration => _demuxer.Duration;

    /// <inheritdoc/>
    public string? LeftOutAudio => _demuxer.LeftOutAudio;

    /// <inheritdoc/>
    public void Open()
    {
        if (!_input.IsNetwork)
            CheckFile();
        _demuxer.Open(_options.Deadline);
        _timeline ??= new FilmTimeline(new FrameClock(_demuxer.Video));
    }

    /// <inheritdoc/>
    public AccessUnit? Read()
    {
        bool startedOver = false;
        while (true)
        {
            _demuxer.StartDeadline(_options.Deadline);
            if (!_demuxer.Read(out DemuxedFrame frame))
            {
                // A film whose whole length held no picture would be read for ever.
                if (!_options.Loop || startedOver || _sent is null)
                    return _sent is null ? throw DemuxerTrouble.OfNoPicture(_input) : null;
                startedOver = true;
                _timeline!.StartOver();
                Open();
                continue;
            }

            if (frame.Memory is not null && (frame.IsPicture ? TryMakePicture(frame, out AccessUnit? unit) : TryMakeAudio(frame, out unit)))
                return unit;
        }
    }

    /// <inheritdoc/>
    public void Abort()
    {
        _demuxer.Abort();
        _pacer?.Abort();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _demuxer.Dispose();
        _pacer?.Dispose();
    }

    private void CheckFile()
    {
        string path = _input.Name;
        if (Directory.Exists(path))
            throw new SourceException(SourceTrouble.NotFound, $"{path} is a folder: name a video file.");
        var file = new FileInfo(path);
        if (!file.Exists)
            throw new SourceException(SourceTrouble.NotFound, $"There is no file {path}.");
        if (file.Length == 0)
            throw new SourceException(SourceTrouble.Unsupported, $"The file {path} is empty.");
    }

    private bool TryMakePicture(in DemuxedFrame frame, [NotNullWhen(true)] out AccessUnit? unit)
    {
        unit = null;
        AccessUnitFlags flags = frame.Flags;

        // A recording may be cut in the middle of a GOP.
        if (_sent is null && (flags & AccessUnitFlags.Key) == 0)
        {
            frame.Memory!.Release();
            return false;
        }

        (long dts, long pts) = _timeline!.Place(frame, frame.Video!.ReorderDepth);
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
            if (_demuxer.IsAborted)
            {
                frame.Memory!.Release();
                throw DemuxerTrouble.OfReading(_input, 0, isAborted: true, default);
            }

            // By the clock as it is now, which may have been set since the start.
            capturedAt = _time.GetUtcNow().UtcDateTime - late;
        }

        _sent = frame.Video;
        unit = AccessUnit.Create(frame.Memory!, frame.Length, frame.Video, new AccessUnitTiming(dts, pts, capturedAt), flags);
        return true;
    }

    private bool TryMakeAudio(in DemuxedFrame frame, [NotNullWhen(true)] out AccessUnit? unit)
    {
        unit = null;
        if (_sent is null || !_timeline!.TryPlaceAudio(frame.Pts ?? frame.Dts, out long at))
        {
            frame.Memory!.Release();
            return false;
        }

        DateTime capturedAt = _pacer is null ? _startedAt + FromTicks(at - _timeline.FirstPts) : _time.GetUtcNow().UtcDateTime;
        unit = AccessUnit.CreateAudio(frame.Memory!, frame.Length, frame.Audio!, new AccessUnitTiming(at, at, capturedAt));
        return true;
    }

    private static TimeSpan FromTicks(long ticks) => TimeSpan.FromTicks(ticks * (TimeSpan.TicksPerSecond / 10_000) / (AccessUnit.TicksPerSecond / 10_000));

    /// <summary>Puts a film's timestamps on one rising line, over as many rounds as it is read.</summary>
    private sealed class FilmTimeline(FrameClock clock)
    {
        private long _offset;
        private long _last;
        private long? _lastAudio;
        private bool _isFirstEver = true;
        private bool _isFirstOfRound = true;

        public long FirstDts { get; private set; }

        public long FirstPts { get; set; }

        public void StartOver()
        {
            _isFirstOfRound = true;
            clock.Begin();
        }

        public (long Dts, long Pts) Place(in DemuxedFrame frame, int reorderDepth)
        {
            long lastStep = clock.Step;
            (long dts, long pts) = clock.Next(frame, reorderDepth);
            if (_isFirstOfRound && !_isFirstEver)
                _offset = _last + lastStep - dts;
            dts += _offset;
            pts += _offset;
            if (!_isFirstEver && dts <= _last)
                dts = _last + 1;
            _last = dts;
            if (_isFirstEver)
                FirstDts = dts;
            _isFirstEver = false;
            _isFirstOfRound = false;
            return (dts, Math.Max(pts, dts));
        }

        // Before a round's first picture nobody knows where the round lies; what reaches into the next one is cut.
        public bool TryPlaceAudio(long? stamp, out long at)
        {
            at = stamp + _offset ?? 0;
            if (stamp is null || _isFirstOfRound || at <= _lastAudio)
                return false;
            _lastAudio = at;
            return true;
        }
    }
}
