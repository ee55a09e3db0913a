using System.Text;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>
/// A camera's H.264 stream by RTSP 1.0 (RFC 2326) with RTP interleaved on the TCP connection: OPTIONS, DESCRIBE, SETUP of
/// the first H.264 stream, PLAY; a keep-alive when half of the session's time-out has passed; TEARDOWN at every close.
/// All of it on the thread that calls <see cref="Open"/> and <see cref="Read"/>; only <see cref="Abort"/> may come from another.
/// After an abort both throw <see cref="SourceException"/> with <see cref="SourceTrouble.Closed"/>.
/// </summary>
public sealed class RtspSource : IVideoSource
{
    private const int RedirectsAtMost = 5;
    private const int ForeignPacketsAtMost = 50;

    private readonly RtspSourceOptions _options;
    private readonly TimeProvider _clock;
    private readonly H264Depacketizer _depacketizer;
    private readonly ReceiverReport _report;
    private readonly Lock _connectionLock = new();

    private RtspUrl _url;
    private RtspConnection? _connection;
    private DigestAuthentication? _authentication;
    private bool _aborted;
    private bool _disposed;
    private int _sequence;

    private RtspSession? _session;
    private string _controlUri = "";
    private int _payloadType;
    private int _foreignPackets;
    private bool _canGetParameter;
    private RtspRequest? _keepAlive;
    private int _keepAliveSequence = -1;
    private bool _keepAliveRepeated;

    private long _lastVideoAt;
    private long _lastKeepAliveAt;
    private long _lastReportAt;
    private bool _anyVideo;
    private bool _videoSinceReceive;
    private long _lastUnitAt;
    private bool _unitSinceReceive;

    /// <summary>Makes a source; nothing is connected yet.</summary>
    public RtspSource(RtspUrl url, RtspSourceOptions? options = null, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(url);
        _url = url;
        _options = options ?? new RtspSourceOptions();
        _clock = clock ?? TimeProvider.System;
        _depacketizer = new H264Depacketizer(_clock);
        _report = new ReceiverReport(_clock);
    }

    /// <summary>RTP packets that never came.</summary>
    public long LostPackets => _depacketizer.LostPackets;

    /// <summary>Pictures not handed out: before the first keyframe, or unusable.</summary>
    public long SkippedPictures => _depacketizer.SkippedUnits;

    /// <inheritdoc/>
    public void Open()
    {
        try
        {
            for (int redirects = 0; ; redirects++)
            {
                Connect();
                RtspMessage answer = Describe();
                if (answer.Status is < 300 or >= 400)
                {
                    Start(answer);
                    return;
                }

                if (redirects == RedirectsAtMost)
                    throw new SourceException(SourceTrouble.Unsupported, $"The camera at {_url.Address} redirects more than {RedirectsAtMost} times.");
                Redirect(answer);
            }
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
        RtspConnection connection = _connection ?? throw new InvalidOperationException("The source is not open.");
        InterleavedFramer framer = connection.Framer;
        try
        {
            while (true)
            {
                if (_depacketizer.TryTake(out AccessUnit unit))
                {
                    _unitSinceReceive = true;
                    return unit;
                }

                switch (framer.Next(out ReadOnlySpan<byte> payload))
                {
                    case InterleavedFrameKind.Data:
                        HandleData(framer.Channel, payload);
                        break;
                    case InterleavedFrameKind.Message:
                        HandleMessage(framer.Message!);
                        break;
                    default:
                        CheckClocks();
                        connection.Receive();
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
    public void Abort()
    {
        lock (_connectionLock)
        {
            _aborted = true;
            _connection?.Abort();
        }
    }

    /// <summary>Ends the session with TEARDOWN and closes the connection.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        CloseConnection();
        _depacketizer.Dispose();
    }

    private void Connect()
    {
        CloseConnection();
        var connection = RtspConnection.Create(_url.Address);
        lock (_connectionLock)
        {
            _connection = connection;
            if (_aborted)
                throw new SourceException(SourceTrouble.Closed, "The source was stopped.");
        }

        TimeSpan tick = _options.StallAfter < _options.AnswerWithin ? _options.StallAfter : _options.AnswerWithin;
        connection.Connect(_url.Host, _url.Port, _options.ConnectWithin, tick);
    }

    private void CloseConnection()
    {
        RtspConnection? connection = _connection;
        if (connection is null)
            return;
        try
        {
            if (_session is not null)
                SayGoodbye(connection);
        }
        finally
        {
            _session = null;
            lock (_connectionLock)
            {
                _connection = null;
                connection.Dispose();
            }
        }
    }

    private void SayGoodbye(RtspConnection connection)
    {
        byte[] bytes;
        try
        {
            RtspRequest teardown = SessionRequest("TEARDOWN");
            bytes = teardown.Write(++_sequence, _authentication?.Authorize(teardown.Method, teardown.Uri));
        }
        catch (InvalidDataException)
        {
            return; // what the camera gave cannot be sent back; its session times out
        }

        connection.Finish(bytes, _sequence, _options.TeardownWithin);
    }

    private RtspMessage Describe()
    {
        // Cameras that do not know OPTIONS still stream: its answer only tells how to keep the session alive.
        RtspMessage options = Exchange(new RtspRequest("OPTIONS", _url.RequestUri));
        _canGetParameter = (options.Header("Public") ?? "").Contains("GET_PARAMETER", StringComparison.OrdinalIgnoreCase);
        RtspMessage answer = Exchange(new RtspRequest("DESCRIBE", _url.RequestUri).With("Accept", "application/sdp"));
        if (answer.Status is < 300 or >= 400)
            ThrowUnlessOk("DESCRIBE", answer);
        return answer;
    }

    private void Redirect(RtspMessage answer)
    {
        try
        {
            _url = _url.Redirect(answer.Header("Location") ?? "");
        }
        catch (FormatException exception)
        {
            throw new SourceException(SourceTrouble.Unsupported, $"The camera at {_url.Address} redirects to something that is no RTSP URL.", exception);
        }

        _authentication = null;
    }

    private void Start(RtspMessage described)
    {
        var description = SessionDescription.Parse(described.Body);
        MediaDescription media = ChooseVideo(description);
        MediaFormat format = media.H264!;
        if (format.PacketizationMode > 1)
            throw new SourceException(SourceTrouble.Unsupported, $"The camera at {_url.Address} sends H.264 in RTP's interleaved mode, which the node does not read.");
        _payloadType = format.PayloadType;
        _depacketizer.AddParameterSets(format.ReadParameterSets());

        string? contentBase = described.Header("Content-Base");
        string? contentLocation = described.Header("Content-Location");
        _controlUri = SessionDescription.ResolveControl(description.Control, contentBase, contentLocation, _url.RequestUri);
        string mediaUri = SessionDescription.ResolveControl(media.Control, contentBase, contentLocation, _url.RequestUri);

        RtspMessage setUp = Exchange(new RtspRequest("SETUP", mediaUri).With("Transport", "RTP/AVP/TCP;unicast;interleaved=0-1"));
        ThrowUnlessOk("SETUP", setUp);
        _session = RtspSession.Read(setUp);

        Play();
    }

    private void Play()
    {
        long now = _clock.GetTimestamp();
        _lastVideoAt = _lastUnitAt = _lastKeepAliveAt = _lastReportAt = now;
        RtspRequest play = SessionRequest("PLAY").With("Range", "npt=0.000-");

        // Pictures may come before the answer does; with the first of them the stream has begun.
        RtspMessage? answer = Exchange(play, untilPicture: true);
        if (answer is not null)
            ThrowUnlessOk("PLAY", answer);
    }

    private MediaDescription ChooseVideo(SessionDescription description)
    {
        MediaDescription? chosen = description.Media.Find(media => media.IsVideo && media.H264 is not null);
        if (chosen is not null)
            return chosen;
        string offered = string.Join(", ", description.Media.Where(media => media.IsVideo).SelectMany(media => media.Formats).Select(format => format.Name).Distinct().Take(8));
        throw new SourceException(
            SourceTrouble.Unsupported,
            offered.Length > 0
                ? $"The camera at {_url.Address} offers {offered} and no H.264: set its stream to H.264, or use another of its streams."
                : $"The camera at {_url.Address} offers no video at this URL.");
    }

    private RtspRequest SessionRequest(string method)
    {
        var request = new RtspRequest(method, _controlUri);
        return _session?.Id is { } id ? request.With("Session", id) : request;
    }

    private RtspMessage Exchange(RtspRequest request) => Exchange(request, untilPicture: false)!;

    /// <summary>Sends a request and waits for its answer, authenticating where asked; null only where a picture came first.</summary>
    private RtspMessage? Exchange(RtspRequest request, bool untilPicture)
    {
        for (bool reconnected = false; ;)
        {
            RtspMessage? answer;
            try
            {
                _connection!.Send(request.Write(++_sequence, _authentication?.Authorize(request.Method, request.Uri)));
                answer = AwaitAnswer(request.Method, untilPicture);
            }
            catch (SourceException exception) when (exception.Trouble == SourceTrouble.Closed && _authentication is not null && _session is null && !reconnected && !_connection!.IsAborted)
            {
                // Some cameras hang up with their 401.
                reconnected = true;
                Connect();
                continue;
            }

            if (answer is null || answer.Status != 401)
                return answer;
            AcceptChallenge(answer);
        }
    }

    private void AcceptChallenge(RtspMessage answer)
    {
        List<AuthenticationChallenge> challenges = AuthenticationChallenge.ParseAll(answer.Headers("WWW-Authenticate"));
        if (_url.User is null)
            throw new SourceException(SourceTrouble.Unauthorized, $"The camera at {_url.Address} asks for a user and a password: set both.");
        bool first = _authentication is null;
        _authentication ??= new DigestAuthentication(_url.User, _url.Password ?? "");
        if (_authentication.Accept(challenges))
            return;
        throw first
            ? new SourceException(SourceTrouble.Unauthorized, $"The camera at {_url.Address} asks for a kind of login that the node does not know.")
            : new SourceException(SourceTrouble.Unauthorized, $"The camera at {_url.Address} refuses this user and password.");
    }

    private RtspMessage? AwaitAnswer(string method, bool untilPicture)
    {
        RtspConnection connection = _connection!;
        InterleavedFramer framer = connection.Framer;
        long asked = _clock.GetTimestamp();
        while (true)
        {
            switch (framer.Next(out ReadOnlySpan<byte> payload))
            {
                case InterleavedFrameKind.Message:
                    RtspMessage message = framer.Message!;
                    if (message.Method is not null)
                        Answer(message);
                    else if (message.Status >= 200 && (message.Sequence == _sequence || message.Sequence == -1))
                        return message;
                    break;
                case InterleavedFrameKind.Data when untilPicture:
                    HandleData(framer.Channel, payload);
                    if (_depacketizer.HasUnit)
                        return null;
                    break;
                case InterleavedFrameKind.Data:
                    break;
                default:
                    if (_clock.GetElapsedTime(asked) > _options.AnswerWithin)
                        throw new SourceException(SourceTrouble.Stalled, $"The camera at {_url.Address} does not answer {method}.");
                    connection.Receive();
                    break;
            }
        }
    }

    private void HandleData(byte channel, ReadOnlySpan<byte> payload)
    {
        RtspSession session = _session!;
        if (channel == session.DataChannel)
        {
            if (!RtpPacket.TryParse(payload, out RtpPacket packet) || !IsOurs(packet.PayloadType))
                return;
            _videoSinceReceive = true;
            _depacketizer.Feed(packet);
        }
        else if (channel == session.ControlChannel)
        {
            _report.Receive(payload);
        }
    }

    private bool IsOurs(int payloadType)
    {
        if (payloadType == _payloadType)
        {
            _foreignPackets = -1;
            return true;
        }

        // Firmware exists whose SDP tells another payload type than its packets.
        if (_foreignPackets < 0 || payloadType < 96 || ++_foreignPackets < ForeignPacketsAtMost)
            return false;
        _payloadType = payloadType;
        return true;
    }

    private void HandleMessage(RtspMessage message)
    {
        if (message.Method is not null)
        {
            Answer(message);
        }
        else if (message.Sequence == _keepAliveSequence)
        {
            HandleKeepAliveAnswer(message);
        }
        else if (message.Status >= 400 && !_anyVideo)
        {
            ThrowUnlessOk("PLAY", message); // it answered after its first packets
        }
    }

    private void HandleKeepAliveAnswer(RtspMessage answer)
    {
        _keepAliveSequence = -1;
        switch (answer.Status)
        {
            case < 300:
                break;
            case 401 when !_keepAliveRepeated && _url.User is not null:
                AcceptChallenge(answer); // its nonce ran out
                SendKeepAlive();
                _keepAliveRepeated = true;
                break;
            case 401 or 454:
                throw new SourceException(SourceTrouble.Closed, $"The camera at {_url.Address} ended the session.");
            case >= 400 when _canGetParameter:
                _canGetParameter = false; // it lists what it does not do
                _keepAlive = null;
                SendKeepAlive();
                break;
        }
    }

    /// <summary>A request of the camera's own is refused, politely: it waits for an answer.</summary>
    private void Answer(RtspMessage request)
    {
        string status = request.Method is "OPTIONS" or "GET_PARAMETER" or "SET_PARAMETER" ? "200 OK" : "501 Not Implemented";
        _connection!.Send(Encoding.ASCII.GetBytes($"RTSP/1.0 {status}\r\nCSeq: {Math.Max(0, request.Sequence)}\r\n\r\n"));
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
            throw new SourceException(SourceTrouble.Stalled, $"The camera at {_url.Address} is connected but sends no video.");
        }

        if (_unitSinceReceive)
        {
            _unitSinceReceive = false;
            _lastUnitAt = now;
        }
        else if (_anyVideo && _clock.GetElapsedTime(_lastUnitAt, now) > _options.KeyframeWithin)
        {
            throw new SourceException(SourceTrouble.Stalled, $"The camera at {_url.Address} sends video, but no keyframe that can be decoded within {_options.KeyframeWithin.TotalSeconds:0} s: set the camera's keyframe interval to 2 s.");
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
            _connection!.Send(_report.Write(_session.ControlChannel, _depacketizer.Source, _depacketizer.HighestSequence, _depacketizer.LostPackets));
        }
    }

    private void SendKeepAlive()
    {
        _keepAlive ??= SessionRequest(_canGetParameter ? "GET_PARAMETER" : "OPTIONS");
        _keepAliveSequence = ++_sequence;
        _connection!.Send(_keepAlive.Write(_keepAliveSequence, _authentication?.Authorize(_keepAlive.Method, _keepAlive.Uri)));
    }

    private void ThrowUnlessOk(string method, RtspMessage answer)
    {
        if (answer.Status is >= 200 and < 300)
            return;
        string said = answer.Reason.Length > 0 ? $"{answer.Status} {answer.Reason}" : $"{answer.Status}";
        (SourceTrouble trouble, string what) = answer.Status switch
        {
            401 or 403 => (SourceTrouble.Unauthorized, "does not let this user in"),
            404 or 410 => (SourceTrouble.NotFound, "has no such stream: look at the URL's path"),
            461 => (SourceTrouble.Unsupported, "does not send over TCP"),
            400 or 405 or 406 or 415 or 501 or 505 or 551 => (SourceTrouble.Unsupported, "does not understand us"),
            _ => (SourceTrouble.Refused, "refuses a session, as it does when it serves too many"),
        };
        throw new SourceException(trouble, $"The camera at {_url.Address} {what} ({method}: {said}).");
    }

    private SourceException Broken(InvalidDataException exception) =>
        new(SourceTrouble.Unsupported, $"The camera at {_url.Address} sends what cannot be read. {exception.Message}", exception);
}
