using System.Globalization;
using EdgeNode.Configuration;
using EdgeNode.Ingest.Libav;
using EdgeNode.Native.FFmpeg;

namespace EdgeNode.Ingest;

/// <summary>Deadlines of a <see cref="LiveUrlSource"/>.</summary>
public sealed record LiveUrlOptions
{
    /// <summary>Until name, connection, answer and the first packets are there: cameras wake their encoder first. Doubled at each start that came to nothing, up to <see cref="OpenWithinAtMost"/>.</summary>
    public TimeSpan OpenWithin { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The most that <see cref="OpenWithin"/> grows to.</summary>
    public TimeSpan OpenWithinAtMost { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Longest time without a video packet after that.</summary>
    public TimeSpan StallAfter { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest time with video packets but without a picture at which decoding can begin.</summary>
    public TimeSpan KeyframeWithin { get; init; } = TimeSpan.FromSeconds(70);

    /// <summary>How much of the stream libavformat may look at to learn what is in it.</summary>
    public TimeSpan Analyze { get; init; } = TimeSpan.FromSeconds(2);
}

/// <summary>
/// A live stream by libavformat: HTTP-FLV and MPEG-TS over HTTP(S), and RTSP of cameras for which <c>client: ffmpeg</c> is the way out. One connection;
/// stamps are the camera's own.
/// </summary>
public sealed class LiveUrlSource : IVideoSource
{
    private readonly DemuxerInput _input;
    private readonly LiveUrlOptions _options;
    private readonly TimeProvider _time;
    private readonly Demuxer _demuxer;
    private TimeSpan _openWithin;
    private FrameClock? _clock;
    private IDisposable? _log;
    private bool _hasBegun;
    private long _openedAt;
    private long _lostPackets;

    private LiveUrlSource(DemuxerInput input, LiveUrlOptions options, TimeProvider time)
    {
        _input = input;
        _options = options;
        _time = time;
        _openWithin = options.OpenWithin;
        _demuxer = new Demuxer(input, withAudio: true, time);
    }

    /// <summary>The parameters of the pictures that are read now; null before they are known.</summary>
    public VideoFormat? Format => _demuxer.Format;

    /// <inheritdoc/>
    public string? LeftOutAudio => _demuxer.LeftOutAudio;

    /// <inheritdoc/>
    public long LostPackets => Interlocked.Read(ref _lostPackets);

    /// <summary>A stream over http or https. User and password, where given, replace those inside the URL; any printable character is taken in both.</summary>
    /// <exception cref="SourceException">The URL makes no sense.</exception>
    public static LiveUrlSource Http(string url, string? user = null, string? password = null, LiveUrlOptions? options = null, TimeProvider? time = null)
    {
        options ??= new LiveUrlOptions();
        return Make(() => DemuxerInput.HttpStream(url, user, password, options.Analyze), options, time);
    }

    /// <summary>A stream over rtsp or rtsps. See <see cref="Http"/>.</summary>
    /// <exception cref="SourceException">The URL makes no sense.</exception>
    public static LiveUrlSource Rtsp(
        string url, string? user = null, string? password = null, RtpTransport transport = RtpTransport.Tcp, LiveUrlOptions? options = null, TimeProvider? time = null)
    {
        options ??= new LiveUrlOptions();
        return Make(() => DemuxerInput.Rtsp(url, user, password, transport, options.Analyze, options.StallAfter), options, time);
    }

    /// <inheritdoc/>
    public void GrantPatience(int failedStarts)
    {
        double seconds = _options.OpenWithin.TotalSeconds * Math.Pow(2, Math.Clamp(failedStarts, 0, 16));
        _openWithin = TimeSpan.FromSeconds(Math.Min(seconds, Math.Max(_options.OpenWithin.TotalSeconds, _options.OpenWithinAtMost.TotalSeconds)));
    }

    /// <inheritdoc/>
    public void Open()
    {
        _log ??= FFmpegLog.Listen(OnLogLine);
        _demuxer.Open(_openWithin);
        _clock = new FrameClock(_demuxer.Video);
        _openedAt = _time.GetTimestamp();
        _demuxer.StartDeadline(_options.StallAfter);
    }

    /// <inheritdoc/>
    public AccessUnit? Read()
    {
        while (true)
        {
            long lost = LostPackets;
            if (!_demuxer.Read(out DemuxedFrame frame))
                return _hasBegun ? null : throw DemuxerTrouble.OfNoPicture(_input);

            // A stall is a matter of video packets: a camera whose picture stands still may well go on talking.
            if (frame.IsPicture)
                _demuxer.StartDeadline(_options.StallAfter);
            else if (_demuxer.IsLate)
                throw Late(frame);
            if (frame.Memory is null)
                continue;
            AccessUnit? unit = frame.IsPicture ? MakePicture(frame, isDamaged: LostPackets != lost) : MakeAudio(frame);
            if (unit is not null)
                return unit;
        }
    }

    /// <inheritdoc/>
    public void Abort() => _demuxer.Abort();

    /// <inheritdoc/>
    public void Dispose()
    {
        _demuxer.Dispose();
        _log?.Dispose();
        _log = null;
    }

    private static LiveUrlSource Make(Func<DemuxerInput> input, LiveUrlOptions options, TimeProvider? time)
    {
        try
        {
            return new LiveUrlSource(input(), options, time ?? TimeProvider.System);
        }
        catch (FormatException fault)
        {
            throw new SourceException(SourceTrouble.Unsupported, fault.Message, fault);
        }
    }

    private SourceException Late(in DemuxedFrame frame)
    {
        frame.Memory?.Release();
        return DemuxerTrouble.OfReading(_input, FFmpegError.Exit, isAborted: false, _options.StallAfter);
    }

    private AccessUnit? MakePicture(in DemuxedFrame frame, bool isDamaged)
    {
        AccessUnitFlags flags = frame.Flags;
        if (isDamaged)
        {
            flags |= AccessUnitFlags.Damaged;
            _demuxer.MarkDamaged();
        }

        if (!_hasBegun)
        {
            if ((flags & AccessUnitFlags.Key) == 0)
            {
                frame.Memory!.Release();
                return _time.GetElapsedTime(_openedAt) > _options.KeyframeWithin ? throw DemuxerTrouble.OfNoPicture(_input) : null;
            }

            _hasBegun = true;
            flags |= AccessUnitFlags.StartsTimeline;
        }

        (long dts, long pts) = _clock!.Next(frame, frame.Video!.ReorderDepth);
        return AccessUnit.Create(frame.Memory!, frame.Length, frame.Video, new AccessUnitTiming(dts, pts, _time.GetUtcNow().UtcDateTime), flags);
    }

    private AccessUnit? MakeAudio(in DemuxedFrame frame)
    {
        if (_hasBegun && (frame.Pts ?? frame.Dts) is { } at)
            return AccessUnit.CreateAudio(frame.Memory!, frame.Length, frame.Audio!, new AccessUnitTiming(at, at, _time.GetUtcNow().UtcDateTime));
        frame.Memory!.Release();
        return null;
    }

    // libavformat tells of lost RTP packets in its log alone ("RTP: missed 3 packets"; "bad cseq" where it does not reorder). It says so on our thread, before the
    // picture that lacks them comes.
    private void OnLogLine(FFmpegLogLine line)
    {
        const string Missed = "RTP: missed ";
        if (line.Context == 0 || line.Context != _demuxer.Identity)
            return;
        int at = line.Text.IndexOf(Missed, StringComparison.Ordinal);
        if (at >= 0)
        {
            ReadOnlySpan<char> rest = line.Text.AsSpan(at + Missed.Length);
            int end = rest.IndexOf(' ');
            Interlocked.Add(ref _lostPackets, end > 0 && int.TryParse(rest[..end], NumberStyles.None, CultureInfo.InvariantCulture, out int count) ? count : 1);
        }
        else if (line.Text.Contains("bad cseq", StringComparison.Ordinal))
        {
            Interlocked.Increment(ref _lostPackets);
        }
    }
}
