using System.Text;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>
/// Requests to a camera and their answers, one at a time, with the login that it asks for; on one thread, only <see cref="Abort"/> may
/// come from another. One connection at most is open at any time.
/// </summary>
internal sealed class RtspConversation(RtspUrl url, TimeProvider clock)
{
    private readonly Lock _connectionLock = new();
    private RtspConnection? _connection;
    private DigestAuthentication? _authentication;
    private bool _aborted;
    private int _sequence;

    /// <summary>Takes interleaved data that comes while an answer is awaited; true ends the wait.</summary>
    public delegate bool DataHandler(byte channel, ReadOnlySpan<byte> payload);

    /// <summary>Where the camera is: changes with a redirect.</summary>
    public RtspUrl Url { get; private set; } = url;

    /// <summary>The deadlines.</summary>
    public required RtspSourceOptions Options { get; set; }

    /// <summary>The open connection.</summary>
    public RtspConnection Connection => _connection ?? throw new InvalidOperationException("The source is not open.");

    /// <summary>CSeq of the last request.</summary>
    public int Sequence => _sequence;

    /// <summary>Where a REDIRECT of the camera's sends us (RFC 2326 §10.10), empty where it did not say; null: nowhere.</summary>
    public string? RedirectedTo { get; private set; }

    /// <summary>Whether it was aborted.</summary>
    public bool IsAborted => _aborted;

    /// <summary>Connects anew; an earlier connection is closed first.</summary>
    public void Connect()
    {
        Close(null);
        var connection = RtspConnection.Create(Url.Address);
        lock (_connectionLock)
        {
            _connection = connection;
            if (_aborted)
                throw new SourceException(SourceTrouble.Closed, "The source was stopped.");
        }

        TimeSpan tick = Options.StallAfter < Options.AnswerWithin ? Options.StallAfter : Options.AnswerWithin;
        connection.Connect(Url.Host, Url.Port, Options.ConnectWithin, tick, Url.IsTls);
    }

    /// <summary>Closes the connection; with <paramref name="teardown"/> the camera is told, and given a moment to read it.</summary>
    public void Close(RtspRequest? teardown)
    {
        RtspConnection? connection = _connection;
        if (connection is null)
            return;
        try
        {
            if (teardown is not null)
                connection.Finish(teardown.Write(++_sequence, Authorization(teardown)), _sequence, Options.TeardownWithin);
        }
        catch (InvalidDataException)
        {
            // What the camera gave cannot be sent back; its session times out.
        }
        finally
        {
            lock (_connectionLock)
            {
                _connection = null;
                connection.Dispose();
            }
        }
    }

    /// <summary>Ends whatever blocks.</summary>
    public void Abort()
    {
        lock (_connectionLock)
        {
            _aborted = true;
            _connection?.Abort();
        }
    }

    /// <summary>The next connection goes where the camera says.</summary>
    /// <exception cref="SourceException">That is no RTSP URL.</exception>
    public void Redirect(string location)
    {
        RedirectedTo = null;
        try
        {
            Url = Url.Redirect(location);
        }
        catch (FormatException exception)
        {
            throw new SourceException(SourceTrouble.Unsupported, $"The camera at {Url.Address} redirects to something that is no RTSP URL.", exception);
        }

        _authentication = null;
    }

    /// <summary>Sends a request whose answer is not awaited; its CSeq.</summary>
    public int Send(RtspRequest request)
    {
        Connection.Send(request.Write(++_sequence, Authorization(request)));
        return _sequence;
    }

    /// <summary>Sends a request and waits for its answer, authenticating where asked.</summary>
    /// <param name="request">The request.</param>
    /// <param name="inSession">Whether a session exists, which a new connection would lose.</param>
    /// <param name="onData">Takes what comes meanwhile.</param>
    /// <returns>The answer; null only where <paramref name="onData"/> ended the wait.</returns>
    public RtspMessage? Exchange(RtspRequest request, bool inSession, DataHandler? onData = null)
    {
        for (bool reconnected = false; ;)
        {
            RtspMessage? answer;
            try
            {
                Send(request);
                answer = AwaitAnswer(request.Method, onData);
            }
            catch (SourceException exception) when (exception.Trouble == SourceTrouble.Closed && _authentication is not null && !inSession && !reconnected && !_aborted)
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

    /// <summary>Takes the challenge of a 401; the same request may be sent again then.</summary>
    /// <exception cref="SourceException">User or password are missing, wrong, or of no use.</exception>
    public void AcceptChallenge(RtspMessage answer)
    {
        List<AuthenticationChallenge> challenges = AuthenticationChallenge.ParseAll(answer.Headers("WWW-Authenticate"));
        if (Url.User is null)
            throw new SourceException(SourceTrouble.Unauthorized, $"The camera at {Url.Address} asks for a user and a password: set both.");
        bool first = _authentication is null;
        _authentication ??= new DigestAuthentication(Url.User, Url.Password ?? "");
        if (_authentication.Accept(challenges))
            return;
        throw first
            ? new SourceException(SourceTrouble.Unauthorized, $"The camera at {Url.Address} asks for a kind of login that the node does not know.")
            : new SourceException(SourceTrouble.Unauthorized, $"The camera at {Url.Address} refuses this user and password.");
    }

    /// <summary>A request of the camera's own is answered, politely: it waits for that.</summary>
    public void Answer(RtspMessage request)
    {
        if (request.Method == "REDIRECT")
            RedirectedTo = request.Header("Location") ?? "";
        string status = request.Method is "OPTIONS" or "GET_PARAMETER" or "SET_PARAMETER" or "REDIRECT" ? "200 OK" : "501 Not Implemented";
        Connection.Send(Encoding.ASCII.GetBytes($"RTSP/1.0 {status}\r\nCSeq: {Math.Max(0, request.Sequence)}\r\n\r\n"));
    }

    private string? Authorization(RtspRequest request) => _authentication?.Authorize(request.Method, request.Uri);

    private RtspMessage? AwaitAnswer(string method, DataHandler? onData)
    {
        RtspConnection connection = Connection;
        InterleavedFramer framer = connection.Framer;
        long asked = clock.GetTimestamp();
        RtspMessage? misnumbered = null;
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
                    else if (message.Status >= 200)
                        misnumbered = message;
                    break;
                case InterleavedFrameKind.Data:
                    if (onData is not null && onData(framer.Channel, payload))
                        return null;
                    break;
                default:
                    bool late = clock.GetElapsedTime(asked) > Options.AnswerWithin;
                    if (late && misnumbered is null)
                        throw new SourceException(SourceTrouble.Stalled, $"The camera at {Url.Address} does not answer {method}.");

                    // Firmware exists that counts its answers by itself: with no better one by the time that the line falls silent, it is ours.
                    if ((!connection.Receive() || late) && misnumbered is not null)
                        return misnumbered;
                    break;
            }
        }
    }
}
