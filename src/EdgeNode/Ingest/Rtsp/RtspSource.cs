using EdgeNode.Configuration;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>
/// A camera's stream by RTSP 1.0 (RFC 2326), its RTP interleaved on the connection or by UDP: OPTIONS, DESCRIBE, SETUP of the first video
/// stream that can be read and of the first such audio stream, PLAY; a keep-alive when half of the session's time-out has passed; TEARDOWN at
/// every close. All of it on the thread that calls <see cref="Open"/> and <see cref="Read"/>; only <see cref="Abort"/> may come from
/// another. After an abort both throw <see cref="SourceException"/> with <see cref="SourceTrouble.Closed"/>.
/// </summary>
public sealed class RtspSource : IVideoSource
{
    private const int RedirectsAtMost = 5;

    private readonly TimeProvider _clock;
    private readonly RtspConversation _conversation;

    private RtspSourceOptions _options;
    private readonly List<RtspStream> _streams = [];
    private readonly Lock _counting = new();
    private RtspStream? _video;
    private long _lostBefore;
    private AudioClock? _audioClock;
    private UdpReceiver? _udp;
    private RtspStream? _fed;
    private AccessUnit? _ready;
    private bool _withoutAudio;
    private bool _disposed;
    private int _redirects;

    private RtspSession? _session;
    private string _controlUri = "";
    private int _playSequence = -1;
    private KeepAlive _keepAlive = new(null);
    private RtspRequest? _keepAliveRequest;
    private int _keepAliveSequence = -1;
    private bool _keepAliveRepeated;

    private long _lastVideoAt;
    private long _lastKeepAliveAt;
    private long _lastReportAt;
    private bool _anyVideo;
    private bool _videoSinceReceive;
    private long _lastPictureAt;
    private bool _pictureSinceReceive;
    private bool _remarked;

    /// <summary>Makes a source; nothing is connected yet.</summary>
    public RtspSource(RtspUrl url, RtspSourceOptions? options = null, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(url);
        _options = options ?? new RtspSourceOptions();
        _clock = clock ?? TimeProvider.System;
        _conversation = new RtspConversation(url, _clock) { Options = _options };
    }

    /// <summary>Video packets that never came, redirects included. From any thread.</summary>
    public long LostPackets
    {
        get
        {
            lock (_counting)
                return _lostBefore + (_video?.LostPackets ?? 0);
        }
    }

    /// <summary>Pictures not handed out: before the first keyframe, or unusable.</summary>
    public long SkippedPictures => _video?.SkippedUnits ?? 0;

    /// <summary>The codec of an audio stream that is left out, such as <c>G.711 A-law</c>, while none is taken; else null. It never costs the video.</summary>
    public string? LeftOutAudio { get; private set; }

    /// <inheritdoc/>
    public void GrantPatience(int failedStarts) => _conversation.Options = _options = _options.After(failedStarts);

    private string Address => _conversation.Url.Address;

    private bool IsUdp => _options.Transport == RtpTransport.Udp;

    /// <inheritdoc/>
    public void Open()
    {
        try
        {
            while (Start() is { } location)
                Follow(location);
        }
        catch (InvalidDataException exception)
        {
            throw Broken(exception);
        }
    }

    /// <inheritdoc/>
    public AccessUnit? Read()
    {
        // Letting the rest of a begun picture gather (a millisecond's sleep) was measured: the kernel gathers it anyway, and the sleep costs more.
        try
        {
            while (true)
            {
                if (TryTakeUnit(out AccessUnit? unit))
                    return unit;
                if (_conversation.RedirectedTo is { } location)
                    GoTo(location);
                RtspConnection connection = _conversation.Connection;
                InterleavedFramer framer = connection.Framer;
                switch (framer.Next(out ReadOnlySpan<byte> payload))
                {
                    case InterleavedFrameKind.Data:
                        HandleData(framer.Channel, payload);
                        break;
                    case InterleavedFrameKind.Message:
                        HandleMessage(framer.Message!);
                        break;
                    case var _ when _udp is not null && _udp.TryNext(out RtspStream stream, out payload):
                        Feed(stream, payload);
                        break;
                    default:
                        CheckClocks();
                        if (_udp is null)
                            connection.Receive();
                        else
                            _udp.Receive(connection);
                        break;
                }
            }
        }
        catch (InvalidDataException exception)
        {
            throw Broken(exception);
        }
    }

    /// <inheritdoc/>
    public void Abort() => _conversation.Abort();

    /// <summary>Ends the session with TEARDOWN and closes the connection.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        Close();
    }

    private void Close()
    {
        RtspRequest? teardown = null;
        try
        {
            teardown = _session is null ? null : SessionRequest("TEARDOWN");
        }
        catch (InvalidDataException)
        {
            // What the camera gave cannot be sent back; its session times out.
        }

        try
        {
            _conversation.Close(teardown);
        }
        finally
        {
            _session = null;
            _ready?.Release();
            _ready = null;
            _fed = null;
            _audioClock = null;
            foreach (RtspStream stream in _streams)
                stream.Dispose();
            _streams.Clear();
            _udp?.Dispose();
            _udp = null;
        }
    }

    /// <summary>Opens the session; null: it plays, else where the camera sends us.</summary>
    private string? Start()
    {
        bool asksForAudio = false;
        try
        {
            return Start(ref asksForAudio);
        }
        catch (SourceException exception) when (asksForAudio && exception.Trouble is SourceTrouble.Closed or SourceTrouble.Stalled && !_conversation.IsAborted)
        {
            // It did not stand being asked for its audio.
            _withoutAudio = true;
            Close();
            return Start(ref asksForAudio);
        }
    }

    private string? Start(ref bool asksForAudio)
    {
        if (IsUdp && _conversation.Url.IsTls)
            throw new SourceException(SourceTrouble.Unsupported, $"By UDP the pictures of {Address} would travel in the clear, which rtsps promises not to do: set transport: tcp.");
        _conversation.Connect();

        // Cameras that do not know OPTIONS still stream: its answer only tells how to keep the session alive.
        RtspMessage options = Exchange(new RtspRequest("OPTIONS", _conversation.Url.RequestUri));
        _keepAlive = new KeepAlive(options.Header("Public"));
        _keepAliveRequest = null;
        _keepAliveSequence = -1;

        RtspMessage described = Exchange(new RtspRequest("DESCRIBE", _conversation.Url.RequestUri).With("Accept", "application/sdp"));
        if (IsRedirect(described))
            return Location(described);
        ThrowUnlessOk("DESCRIBE", described);
        var description = SessionDescription.Parse(described.Body);
        string Resolve(string? control) =>
            SessionDescription.ResolveControl(control, described.Header("Content-Base"), described.Header("Content-Location"), _conversation.Url.RequestUri);

        RtspStream video = ChooseVideo(description, Resolve);
        lock (_counting)
        {
            // A redirect leads to another session; what was lost in the last one stays lost.
            _lostBefore += _video?.LostPackets ?? 0;
            _video = video;
        }

        _streams.Add(video);
        _controlUri = Resolve(description.Control);
        RtspMessage setUp = SetUp(video);
        if (IsRedirect(setUp))
            return Location(setUp);
        Accept(video, setUp);

        LeftOutAudio = null;
        RtspStream? audio = ChooseAudio(description, Resolve);
        if (audio is not null)
        {
            _streams.Add(audio);
            asksForAudio = true;
            TakeAudio(video, audio);
            asksForAudio = false;
        }

        if (IsUdp)
            _udp = new UdpReceiver(_streams);
        return Play(video);
    }

    private void Follow(string location)
    {
        string from = Address;
        Close();
        if (++_redirects > RedirectsAtMost)
            throw new SourceException(SourceTrouble.Unsupported, $"The camera at {from} redirects more than {RedirectsAtMost} times.");
        _conversation.Redirect(location);
    }

    // The camera sends us elsewhere while it plays, or away.
    private void GoTo(string location)
    {
        if (location.Length == 0)
            throw new SourceException(SourceTrouble.Closed, $"The camera at {Address} ended the session.");
        for (string? next = location; next is not null; next = Start())
            Follow(next);
    }

    private RtspStream ChooseVideo(SessionDescription description, Func<string?, string> resolve)
    {
        string? unreadable = null;
        foreach (MediaDescription media in description.Media.Where(media => media.IsVideo && media.IsForUs))
        {
            foreach (MediaFormat format in media.Formats)
            {
                if (CreateDepacketizer(format, ref unreadable) is { } depacketizer)
                    return new RtspStream(isVideo: true, resolve(media.Control), format, depacketizer, _clock);
            }
        }

        if (unreadable is not null)
            throw new SourceException(SourceTrouble.Unsupported, unreadable);

        string offered = string.Join(", ", description.Media.Where(media => media.IsVideo).SelectMany(media => media.Formats).Select(format => format.Name).Distinct().Take(8));
        throw new SourceException(
            SourceTrouble.Unsupported,
            offered.Length > 0
                ? $"The camera at {Address} offers {offered}, but neither H.264 nor H.265: set its stream to one of them, or use another of its streams."
                : $"The camera at {Address} offers no video at this URL.");
    }

    private RtspStream? ChooseAudio(SessionDescription description, Func<string?, string> resolve)
    {
        string? unreadable = null;
        foreach (MediaDescription media in description.Media.Where(media => media.IsAudio && media.IsForUs))
        {
            foreach (MediaFormat format in media.Formats)
            {
                LeftOutAudio ??= media.NameOf(format);
                if (!_withoutAudio && CreateDepacketizer(format, ref unreadable) is { } depacketizer)
                {
                    LeftOutAudio = null;
                    return new RtspStream(isVideo: false, resolve(media.Control), format, depacketizer, _clock) { Name = media.NameOf(format), OtherPayloadType = _video!.PayloadType };
                }
            }
        }

        return null;
    }

    /// <summary>What reads a format; null for one that the node does not read, or not in the way in which it is sent, which <paramref name="unreadable"/> then says.</summary>
    private IDepacketizer? CreateDepacketizer(MediaFormat format, ref string? unreadable)
    {
        try
        {
            return Depacketizer.For(format, _clock);
        }
        catch (InvalidDataException exception)
        {
            unreadable ??= exception.Message;
            return null;
        }
    }

    private void TakeAudio(RtspStream video, RtspStream audio)
    {
        RtspMessage answer = SetUp(audio);
        var transport = TransportAnswer.Read(answer.Header("Transport"));
        bool sharesChannel = !IsUdp && (transport.Channels?.Data ?? RequestedChannel(audio)) == video.DataChannel;
        if (answer.Status is >= 200 and < 300 && !sharesChannel)
        {
            Accept(audio, answer);
            video.OtherPayloadType = audio.PayloadType;
            _audioClock = new AudioClock(video.Clock, audio.Clock, _clock);
            return;
        }

        _streams.Remove(audio);
        audio.Dispose();
        LeftOutAudio = audio.Name;
    }

    /// <summary>Asks for a stream; where the camera does not know it by the host that it named itself, by the one we reach it at.</summary>
    private RtspMessage SetUp(RtspStream stream)
    {
        string transport = "RTP/AVP/TCP;unicast;interleaved=" + (stream.IsVideo ? "0-1" : "2-3");
        if (IsUdp)
        {
            stream.Udp ??= new UdpPath(RtpSockets.Bind(_conversation.Connection.LocalAddress!), _clock);
            transport = $"RTP/AVP;unicast;client_port={stream.Udp.Sockets.Port}-{stream.Udp.Sockets.Port + 1}";
        }

        RtspRequest Request(string uri) =>
            (_session?.Id is { } id ? new RtspRequest("SETUP", uri).With("Session", id) : new RtspRequest("SETUP", uri)).With("Transport", transport);

        RtspMessage answer = Exchange(Request(stream.Uri));
        if (IsUnknownThere(answer) && OtherHost(stream.Uri) is { } uri)
        {
            RtspMessage second = Exchange(Request(uri));
            if (second.Status < 400)
            {
                stream.Uri = uri;
                return second;
            }
        }

        return answer;
    }

    private void Accept(RtspStream stream, RtspMessage setUp)
    {
        ThrowUnlessOk("SETUP", setUp);
        var session = RtspSession.Read(setUp);
        _session = _session is null ? session : _session.With(session);
        var transport = TransportAnswer.Read(setUp.Header("Transport"));
        if (IsUdp)
        {
            if (transport.IsTcp || transport.Channels is not null)
                throw new SourceException(SourceTrouble.Unsupported, $"The camera at {Address} sends over TCP only: set transport: tcp.");
            stream.Udp!.Aim(_conversation.Connection.RemoteAddress!, transport);
            return;
        }

        if (transport is { ServerPorts: not null, IsTcp: false, Channels: null })
            throw new SourceException(SourceTrouble.Unsupported, $"The camera at {Address} sends by UDP only: set transport: udp.");
        byte requested = RequestedChannel(stream);
        (stream.DataChannel, stream.ControlChannel) = transport.Channels ?? (requested, (byte)(requested + 1));
    }

    private static byte RequestedChannel(RtspStream stream) => stream.IsVideo ? (byte)0 : (byte)2;

    private string? Play(RtspStream video)
    {
        long now = _clock.GetTimestamp();
        _lastVideoAt = _lastPictureAt = _lastKeepAliveAt = _lastReportAt = now;
        _anyVideo = _videoSinceReceive = _pictureSinceReceive = _remarked = false;
        foreach (RtspStream stream in _streams)
            stream.Udp?.Punch();

        RtspMessage? answer = ExchangePlay();
        if (answer is not null && IsUnknownThere(answer))
        {
            string first = _controlUri;
            string[] others = [OtherHost(first) ?? first, video.Uri];
            foreach (string uri in others.Where(uri => uri != first).Distinct())
            {
                _controlUri = uri;
                RtspMessage? second = ExchangePlay();
                if (second is null || second.Status < 400)
                {
                    answer = second;
                    break;
                }

                _controlUri = first;
            }
        }

        if (answer is null)
            return null;
        if (IsRedirect(answer))
            return Location(answer);
        ThrowUnlessOk("PLAY", answer);
        Played(answer);
        return null;
    }

    // Pictures may come before the answer does; with the first of them the stream has begun.
    private RtspMessage? ExchangePlay()
    {
        RtspRequest play = SessionRequest("PLAY").With("Range", "npt=0.000-");
        _playSequence = _conversation.Sequence + 1;
        RtspMessage? answer = _conversation.Exchange(play, inSession: true, (channel, payload) =>
        {
            HandleData(channel, payload);
            return TryTakeUnit(out _ready);
        });
        _playSequence = answer is null ? _conversation.Sequence : -1;
        return answer;
    }

    private void Played(RtspMessage answer)
    {
        _playSequence = -1;
        foreach (RtspStream stream in _streams)
            stream.Clock.Start = RtpInfo.TimestampOf(answer.Header("RTP-Info"), stream.Uri);
    }

    private RtspRequest SessionRequest(string method)
    {
        var request = new RtspRequest(method, _controlUri);
        return _session?.Id is { } id ? request.With("Session", id) : request;
    }

    private RtspMessage Exchange(RtspRequest request) => _conversation.Exchange(request, inSession: _session is not null)!;

    private bool TryTakeUnit(out AccessUnit? unit)
    {
        unit = _ready;
        _ready = null;
        if (unit is not null)
            return true;
        while (_fed is not null)
        {
            if (!_fed.TryTake(out unit))
            {
                _fed = null;
                break;
            }

            if (_fed.IsVideo)
            {
                _pictureSinceReceive = true;
                return true;
            }

            if (_audioClock!.Place(unit))
                return true;
            unit.Release();
        }

        unit = null;
        return false;
    }

    private void HandleData(byte channel, ReadOnlySpan<byte> payload)
    {
        foreach (RtspStream stream in _streams)
        {
            if (channel == stream.DataChannel)
            {
                Feed(stream, payload);
                return;
            }

            if (channel == stream.ControlChannel)
            {
                stream.ReceiveControl(payload);
                return;
            }
        }
    }

    private void Feed(RtspStream stream, ReadOnlySpan<byte> packet)
    {
        if (!stream.Feed(packet))
            return;
        _fed = stream;
        _videoSinceReceive |= stream.IsVideo;
    }

    private void HandleMessage(RtspMessage message)
    {
        if (message.Method is not null)
        {
            _conversation.Answer(message);
        }
        else if (_playSequence >= 0 && (message.Sequence == _playSequence || (message.Sequence < 0 && _keepAliveSequence < 0)))
        {
            if (message.Status >= 400 && !_anyVideo)
                ThrowUnlessOk("PLAY", message); // it answered after its first packets
            Played(message);
        }
        else if (_keepAliveSequence >= 0)
        {
            HandleKeepAliveAnswer(message); // whatever number it has: there is no other request
        }
    }

    private void HandleKeepAliveAnswer(RtspMessage answer)
    {
        _keepAliveSequence = -1;
        switch (answer.Status)
        {
            case < 400:
                break;
            case 401 when !_keepAliveRepeated && _conversation.Url.User is not null:
                _conversation.AcceptChallenge(answer); // its nonce ran out
                SendKeepAlive();
                _keepAliveRepeated = true;
                break;
            case 401 or 454:
                throw new SourceException(SourceTrouble.Closed, $"The camera at {Address} ended the session.");
            case var _ when _keepAlive.Refuse():
                _keepAliveRequest = null; // it lists what it does not do
                SendKeepAlive();
                break;
            default:
                _keepAliveRequest = null;
                break;
        }
    }

    private void CheckClocks()
    {
        long now = _clock.GetTimestamp();
        if (_videoSinceReceive)
        {
            _videoSinceReceive = false;
            _anyVideo = true;
            _lastVideoAt = now;
        }
        else if (_clock.GetElapsedTime(_lastVideoAt, now) > (_anyVideo ? _options.StallAfter : _options.FirstPacketWithin))
        {
            throw new SourceException(
                SourceTrouble.Stalled,
                IsUdp && !_anyVideo
                    ? $"The camera at {Address} plays, but nothing of it arrives by UDP, which something between seems to block: set transport: tcp."
                    : $"The camera at {Address} is connected but sends no video.");
        }

        if (_pictureSinceReceive)
        {
            _pictureSinceReceive = _remarked = false;
            _lastPictureAt = now;
        }
        else if (_anyVideo && !_remarked && _clock.GetElapsedTime(_lastPictureAt, now) > _options.RemarkWithoutPictureAfter)
        {
            _remarked = true;
            _options.Remark?.Invoke($"The camera at {Address} sends video, but no keyframe that can be decoded has come for {_options.RemarkWithoutPictureAfter.TotalSeconds:0} s: set the camera's keyframe interval to 2 s.");
        }

        if (_clock.GetElapsedTime(_lastKeepAliveAt, now) >= _session!.Timeout / 2)
        {
            _lastKeepAliveAt = now;
            _keepAliveRepeated = false;
            SendKeepAlive();
        }

        if (_anyVideo && _clock.GetElapsedTime(_lastReportAt, now) >= _options.ReportEvery)
        {
            _lastReportAt = now;
            foreach (RtspStream stream in _streams)
                SendReport(stream);
        }
    }

    private void SendReport(RtspStream stream)
    {
        ReadOnlySpan<byte> report = stream.WriteReport();
        if (report.IsEmpty)
            return;
        if (stream.Udp is { } udp)
            udp.SendControl(report[ReceiverReport.InterleavedHeader..]);
        else
            _conversation.Connection.Send(report);
    }

    private void SendKeepAlive()
    {
        _keepAliveRequest ??= SessionRequest(_keepAlive.Method);
        _keepAliveSequence = _conversation.Send(_keepAliveRequest);
    }

    private string? OtherHost(string uri)
    {
        string other = _conversation.Url.OnThisHost(uri);
        return other.Equals(uri, StringComparison.OrdinalIgnoreCase) ? null : other;
    }

    private static bool IsRedirect(RtspMessage answer) => answer.Status is >= 300 and < 400;

    private static bool IsUnknownThere(RtspMessage answer) => answer.Status is 400 or 404 or 454 or 459 or 500;

    private static string Location(RtspMessage answer) => answer.Header("Location") ?? "";

    private void ThrowUnlessOk(string method, RtspMessage answer)
    {
        if (answer.Status is >= 200 and < 300)
            return;
        string said = answer.Reason.Length > 0 ? $"{answer.Status} {answer.Reason}" : $"{answer.Status}";
        (SourceTrouble trouble, string what) = answer.Status switch
        {
            401 or 403 => (SourceTrouble.Unauthorized, "does not let this user in"),
            404 or 410 => (SourceTrouble.NotFound, "has no such stream: look at the URL's path"),
            461 => (SourceTrouble.Unsupported, IsUdp ? "does not send by UDP: set transport: tcp" : "does not send over TCP: set transport: udp"),
            400 or 405 or 406 or 415 or 501 or 505 or 551 => (SourceTrouble.Unsupported, "does not understand us"),
            _ => (SourceTrouble.Refused, "refuses a session, as it does when it serves too many"),
        };
        throw new SourceException(trouble, $"The camera at {Address} {what} ({method}: {said}).");
    }

    private SourceException Broken(InvalidDataException exception) =>
        new(SourceTrouble.Unsupported, $"The camera at {Address} sends what cannot be read. {exception.Message}", exception);
}
