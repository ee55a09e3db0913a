using EdgeNode.Ingest.H264;
using EdgeNode.Native.FFmpeg;
using EdgeNode.Native.Memory;

namespace EdgeNode.Ingest.Libav;

/// <summary>
/// libavformat over one input: picks its video and AAC audio, and reads their frames. What is live paces and places them otherwise than
/// what is a film (<see cref="LiveUrlSource"/>, <see cref="FileSource"/>). One reader; <see cref="Abort"/> from any thread.
/// </summary>
internal sealed class Demuxer : IDisposable
{
    private static readonly TimeSpan CloseWithin = TimeSpan.FromSeconds(0.5);

    private readonly DemuxerInput _input;
    private readonly bool _withAudio;
    private readonly TimeProvider _time;
    private readonly Func<bool> _interrupted;
    private readonly ManualResetEventSlim _abort = new();
    private IDisposable? _knownSecrets;
    private FormatContext? _context;
    private Packet? _packet;
    private IPacketizer? _packetizer;
    private string? _codec;
    private AacPacketizer? _audioPacketizer;
    private int _audioIndex = -1;
    private TimeSpan _within;
    private long _deadline;
    private bool _isClosing;

    /// <summary>Prepares to read; nothing is opened yet.</summary>
    public Demuxer(DemuxerInput input, bool withAudio, TimeProvider time)
    {
        _input = input;
        _withAudio = withAudio;
        _time = time;
        _interrupted = () => (IsAborted && !Volatile.Read(ref _isClosing)) || IsLate;
    }

    /// <summary><see cref="Abort"/> was called.</summary>
    public bool IsAborted => _abort.IsSet;

    /// <summary>The deadline has passed.</summary>
    public bool IsLate => _time.GetTimestamp() > Volatile.Read(ref _deadline);

    /// <summary>How the video stream is described; known after <see cref="Open"/>.</summary>
    public MediaStream Video { get; private set; } = null!;

    /// <summary>The audio stream that is read; null when there is none.</summary>
    public MediaStream? Audio { get; private set; }

    /// <summary>The parameters of the pictures that are read now.</summary>
    public VideoFormat? Format => _packetizer?.Format;

    /// <summary>The first audio that is there and left out; null when there is none.</summary>
    public string? LeftOutAudio { get; private set; }

    /// <summary>Whose lines are ours in FFmpeg's log; 0 while nothing is open.</summary>
    public nint Identity => _context?.Identity ?? 0;

    /// <summary>How long it is, or null when that is not known. Valid while it is open.</summary>
    public TimeSpan? Duration => _context is { DurationMicroseconds: >= 0 } context ? TimeSpan.FromMicroseconds(context.DurationMicroseconds) : null;

    /// <summary>Opens the input, for the first time or anew, within the deadline.</summary>
    /// <exception cref="SourceException">It cannot be had; the message says why in one sentence, without secrets.</exception>
    public void Open(TimeSpan within)
    {
        StartDeadline(within);
        Close();
        _knownSecrets ??= CredentialScrubber.Shared.Know(_input.Secrets);
        if (_input.Host is { } host)
            NameLookup.Await(host, within, _abort, _time, _input.Name);
        try
        {
            _packet ??= new Packet();
            _context = FormatContext.Open(_input.Url, _input.Options, _interrupted);
        }
        catch (FFmpegException e)
        {
            throw DemuxerTrouble.OfOpening(_input, IsLate ? null : e, IsAborted, _within);
        }

        // Looking for streams, FFmpeg takes an interruption for the end, with an error (-1) or without.
        if (IsAborted || IsLate)
            throw DemuxerTrouble.OfOpening(_input, null, IsAborted, _within);
        PickStreams(_context);
    }

    /// <summary>Gives whatever blocks next so long.</summary>
    public void StartDeadline(TimeSpan within)
    {
        _within = within;
        Volatile.Write(ref _deadline, _time.GetTimestamp() + (long)(within.TotalSeconds * _time.TimestampFrequency));
    }

    /// <summary>Says that something before the next picture was lost.</summary>
    public void MarkDamaged() => _packetizer?.MarkDamaged();

    /// <summary>
    /// Blocks for the next packet. False at the end. Otherwise <paramref name="frame"/> is a picture or an audio frame, whose memory the caller releases, or
    /// empty (<see cref="DemuxedFrame.Memory"/> is null) for a packet that came but gave none.
    /// </summary>
    /// <exception cref="SourceException">The connection broke, or the deadline passed.</exception>
    public bool Read(out DemuxedFrame frame)
    {
        frame = default;
        Packet packet = _packet!;
        int result = (_context ?? throw new InvalidOperationException("Open comes first.")).Read(packet);
        if (result == FFmpegError.EndOfFile && !IsAborted)
            return false;
        if (IsAborted || result < 0)
            throw DemuxerTrouble.OfReading(_input, result, IsAborted, _within);
        if (packet.StreamIndex == Video.Index)
            ReadPicture(packet, out frame);
        else if (packet.StreamIndex == _audioIndex)
            ReadAudio(packet, out frame);
        return true;
    }

    /// <summary>Makes whatever blocks return at once.</summary>
    public void Abort() => _abort.Set();

    /// <inheritdoc/>
    public void Dispose()
    {
        Close();
        _packet?.Dispose();
        _packet = null;
        _knownSecrets?.Dispose();
        _knownSecrets = null;
    }

    // RTSP says TEARDOWN, for which an aborted or late source has a little time of its own: cameras have few sessions.
    private void Close()
    {
        if (_context is null)
            return;
        TimeSpan before = _within;
        StartDeadline(CloseWithin);
        Volatile.Write(ref _isClosing, true);
        _context.Dispose();
        _context = null;
        Volatile.Write(ref _isClosing, false);
        StartDeadline(before);
    }

    private void PickStreams(FormatContext context)
    {
        MediaStream? video = null, audio = null;
        string? otherVideo = null;
        LeftOutAudio = null;
        for (int i = 0; i < context.StreamCount; i++)
        {
            MediaStream stream = context.Stream(i);
            if (stream.IsVideo && stream.CodecName is "h264" or "hevc")
                video ??= stream;
            else if (stream.IsVideo)
                otherVideo ??= stream.CodecName;
            else if (stream.IsAudio && stream.CodecName == "aac")
                audio ??= stream;
            else if (stream.IsAudio)
                LeftOutAudio ??= AudioName(stream.CodecName);
        }

        Video = video ?? throw DemuxerTrouble.OfVideo(_input, otherVideo);
        Audio = _withAudio ? audio : null;
        if (audio is not null)
            LeftOutAudio = null;
        if (Audio is not null)
        {
            _audioPacketizer ??= new AacPacketizer();
            _audioPacketizer.SetParameters(Audio.Extradata);
            if (Audio.Extradata.Length > 0 && _audioPacketizer.Format is null)
            {
                LeftOutAudio = "AAC of a kind that the node does not read";
                Audio = null;
            }
        }

        _audioIndex = Audio?.Index ?? -1;
        context.KeepOnly(Video.Index, _audioIndex);

        if (_packetizer is null || _codec != Video.CodecName)
            _packetizer = Video.CodecName == "hevc" ? new H265Packetizer() : new H264Packetizer();
        _codec = Video.CodecName;
        try
        {
            _packetizer.SetParameters(Video.Extradata);
        }
        catch (InvalidDataException e)
        {
            throw DemuxerTrouble.OfParameters(_input, e);
        }
    }

    private static string AudioName(string codec) => codec switch
    {
        "pcm_alaw" => "G.711 A-law",
        "pcm_mulaw" => "G.711 µ-law",
        "adpcm_g722" => "G.722",
        "adpcm_g726" or "adpcm_g726le" => "G.726",
        "opus" => "Opus",
        "mp2" or "mp3" => "MPEG audio",
        "aac_latm" => "AAC in LATM",
        _ => codec,
    };

    private void ReadPicture(Packet packet, out DemuxedFrame frame)
    {
        frame = new DemuxedFrame { IsPicture = true };
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
            // One broken packet in the middle of a stream: the next ones are marked, up to the next keyframe.
            _packetizer!.MarkDamaged();
            return;
        }

        if (memory is null)
            return;
        if (packet.IsCorrupt)
        {
            flags |= AccessUnitFlags.Damaged;
            _packetizer.MarkDamaged();
        }

        frame = new DemuxedFrame
        {
            IsPicture = true,
            Memory = memory,
            Length = length,
            Video = _packetizer.Format!,
            Flags = flags,
            Dts = ToTicks(packet.Dts, Video),
            Pts = ToTicks(packet.Pts, Video),
            Duration = ToTicks(packet.Duration, Video) ?? 0,
        };
    }

    private void ReadAudio(Packet packet, out DemuxedFrame frame)
    {
        frame = default;
        if (!packet.NewParameters.IsEmpty)
            _audioPacketizer!.SetParameters(packet.NewParameters);
        if (packet.IsCorrupt || _audioPacketizer!.Packetize(packet.Data, out int length) is not { } memory)
            return;
        frame = new DemuxedFrame
        {
            Memory = memory,
            Length = length,
            Audio = _audioPacketizer.Format!,
            Dts = ToTicks(packet.Dts, Audio!),
            Pts = ToTicks(packet.Pts, Audio!),
            Duration = ToTicks(packet.Duration, Audio!) ?? 0,
        };
    }

    private static long? ToTicks(long stamp, MediaStream stream)
    {
        if (stamp == Packet.NoTimestamp)
            return null;
        Int128 scaled = (Int128)stamp * stream.TimeBaseNumerator * AccessUnit.TicksPerSecond;
        return (long)(scaled / stream.TimeBaseDenominator);
    }
}

/// <summary>A frame as it came out of a container. Stamps: 90 kHz, the container's own, null where it has none.</summary>
internal readonly struct DemuxedFrame
{
    /// <summary>The packet was the video stream's.</summary>
    public bool IsPicture { get; init; }

    /// <summary>The coded bytes, which the receiver releases; null: the packet gave no frame.</summary>
    public PacketMemory? Memory { get; init; }

    /// <summary>Coded bytes.</summary>
    public int Length { get; init; }

    /// <summary>The parameters of a picture.</summary>
    public VideoFormat? Video { get; init; }

    /// <summary>The parameters of an audio frame.</summary>
    public AudioFormat? Audio { get; init; }

    /// <summary>What is known of a picture.</summary>
    public AccessUnitFlags Flags { get; init; }

    /// <summary>Decoding time.</summary>
    public long? Dts { get; init; }

    /// <summary>Presentation time.</summary>
    public long? Pts { get; init; }

    /// <summary>0 when not known.</summary>
    public long Duration { get; init; }
}
