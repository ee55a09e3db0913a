using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using EdgeNode.Tests.Ingest.H264;

namespace EdgeNode.Tests.Ingest.Rtsp;

/// <summary>An RTSP camera on loopback that does as the test says and remembers what it was asked.</summary>
internal sealed class StubCamera : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentQueue<string> _requests = new();
    private readonly BlockingCollection<byte[]> _received = new();
    private readonly ConcurrentBag<TcpClient> _clients = [];
    private readonly Lock _sendLock = new();

    private readonly ConcurrentDictionary<int, IPEndPoint> _udpClients = new();
    private readonly Socket[] _udp = new Socket[4];
    private readonly X509Certificate2? _certificate;
    private volatile Stream? _playing;

    /// <summary>With a certificate, of rtsps.</summary>
    public StubCamera(X509Certificate2? certificate = null)
    {
        _certificate = certificate;
        for (int i = 0; i < _udp.Length; i++)
        {
            _udp[i] = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            _udp[i].Bind(new IPEndPoint(IPAddress.Loopback, 0));
        }

        _listener.Start();
        new Thread(Accept) { IsBackground = true }.Start();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public string Url => $"{(_certificate is null ? "rtsp" : "rtsps")}://127.0.0.1:{Port}/main";

    /// <summary>Our UDP socket for RTCP of the video.</summary>
    public Socket UdpControl => _udp[1];

    /// <summary>Connections that were made to us.</summary>
    public int Connections => _clients.Count;

    /// <summary>All requests, whole, in their order.</summary>
    public IReadOnlyList<string> Requests => [.. _requests];

    /// <summary>Interleaved frames that the client sent, without their header.</summary>
    public BlockingCollection<byte[]> Received => _received;

    /// <summary>Answers a request in the camera's stead: the whole text; null for the usual answer, empty for none.</summary>
    public Func<string, string?> Answer { get; set; } = _ => null;

    /// <summary>What goes out directly before or after PLAY's answer.</summary>
    public Func<IEnumerable<byte[]>> FramesBeforePlayAnswer { get; set; } = () => [];

    public Func<IEnumerable<byte[]>> FramesAfterPlayAnswer { get; set; } = () => [];

    /// <summary>Frames sent without end after PLAY, one every 10 ms.</summary>
    public Func<byte[]>? Stream { get; set; }

    public string Description { get; set; } =
        "v=0\r\ns=x\r\nm=audio 0 RTP/AVP 0\r\na=control:audio\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
        + "a=fmtp:96 packetization-mode=1;sprop-parameter-sets=" + Sprop + "\r\na=control:video\r\n";

    public string Public { get; set; } = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER";

    public string SessionHeader { get; set; } = "42;timeout=60";

    private static string Sprop
    {
        get
        {
            (byte[] sps, byte[] pps) = ParameterSetVectors.Sets(ParameterSetVectors.Main720p12);
            return Convert.ToBase64String(sps) + "," + Convert.ToBase64String(pps);
        }
    }

    /// <summary>A response to a request.</summary>
    public static string Respond(string request, string status, params string[] headers)
    {
        string sequence = request.Split("CSeq: ")[1].Split("\r\n")[0];
        return $"RTSP/1.0 {status}\r\nCSeq: {sequence}\r\n{string.Concat(headers.Select(header => header + "\r\n"))}\r\n";
    }

    /// <summary>First lines of the requests so far, methods only.</summary>
    public IEnumerable<string> Methods() => Requests.Select(request => request.Split(' ')[0]);

    /// <summary>Waits until a request of that method came; its text.</summary>
    public string WaitFor(string method)
    {
        string? found = null;
        Assert.True(SpinWait.SpinUntil(() => (found = Requests.FirstOrDefault(request => request.StartsWith(method + " ", StringComparison.Ordinal))) is not null, TimeSpan.FromSeconds(20)), $"No {method} came.");
        return found!;
    }

    public void Dispose()
    {
        _listener.Stop();
        foreach (TcpClient client in _clients)
            client.Dispose();
        foreach (Socket socket in _udp)
            socket.Dispose();
    }

    /// <summary>Sends bytes to the one who plays, now.</summary>
    public void Push(params byte[][] pieces) => Send(_playing!, pieces);

    /// <summary>Sends a datagram to the client: 0 and 1 are the video's RTP and RTCP, 2 and 3 the audio's.</summary>
    public void PushUdp(int channel, byte[] datagram)
    {
        IPEndPoint client = _udpClients[channel / 2];
        _udp[channel].SendTo(datagram, new IPEndPoint(client.Address, client.Port + channel % 2));
    }

    /// <summary>Where the client receives a stream.</summary>
    public IPEndPoint UdpClientOf(int stream) => _udpClients[stream];

    /// <summary>Hangs up on everybody.</summary>
    public void HangUp()
    {
        foreach (TcpClient client in _clients)
            client.Close();
    }

    private void Accept()
    {
        try
        {
            while (true)
            {
                TcpClient client = _listener.AcceptTcpClient();
                client.NoDelay = true;
                _clients.Add(client);
                new Thread(() => Serve(client)) { IsBackground = true }.Start();
            }
        }
        catch (Exception exception) when (exception is SocketException or InvalidOperationException)
        {
        }
    }

    private void Serve(TcpClient client)
    {
        try
        {
            Stream stream = client.GetStream();
            if (_certificate is not null)
            {
                var tls = new SslStream(stream);
                tls.AuthenticateAsServer(_certificate);
                stream = tls;
            }

            while (ReadRequest(stream) is { } request)
            {
                _requests.Enqueue(request);
                string method = request.Split(' ')[0];
                string? answer = Answer(request) ?? Usual(method, request);
                bool plays = method == "PLAY" && answer.StartsWith("RTSP/1.0 200", StringComparison.Ordinal);
                if (plays)
                    _playing = stream;
                if (plays)
                    Send(stream, FramesBeforePlayAnswer());
                Send(stream, [Encoding.ASCII.GetBytes(answer)]);
                if (!plays)
                    continue;
                Send(stream, FramesAfterPlayAnswer());
                if (Stream is not null)
                    new Thread(() => Pump(stream)) { IsBackground = true }.Start();
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or InvalidOperationException or System.Security.Authentication.AuthenticationException)
        {
        }
    }

    private void Pump(Stream stream)
    {
        try
        {
            while (true)
            {
                Send(stream, [Stream!()]);
                // The pace of a camera, not a wait: no test depends on how long it is.
                Thread.Sleep(10);
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
        }
    }

    private void Send(Stream stream, IEnumerable<byte[]> pieces)
    {
        lock (_sendLock)
        {
            foreach (byte[] piece in pieces)
                stream.Write(piece);
        }
    }

    private string Usual(string method, string request) => method switch
    {
        "OPTIONS" => Respond(request, "200 OK", "Public: " + Public),
        "DESCRIBE" => Respond(request, "200 OK", $"Content-Base: {Url}/", "Content-Type: application/sdp", $"Content-Length: {Description.Length}") + Description,
        "SETUP" => Respond(request, "200 OK", "Session: " + SessionHeader, "Transport: " + Transport(request)),
        _ => Respond(request, "200 OK"),
    };

    private string Transport(string request)
    {
        int stream = request.Split('\r')[0].Contains("audio", StringComparison.Ordinal) ? 1 : 0;
        if (!request.Contains("client_port=", StringComparison.Ordinal))
            return $"RTP/AVP/TCP;unicast;interleaved={4 + 2 * stream}-{5 + 2 * stream}";
        string client = request.Split("client_port=")[1].Split('\r')[0];
        _udpClients[stream] = new IPEndPoint(IPAddress.Loopback, int.Parse(client.Split('-')[0], System.Globalization.CultureInfo.InvariantCulture));
        int Port(int at) => ((IPEndPoint)_udp[2 * stream + at].LocalEndPoint!).Port;
        return $"RTP/AVP;ssrc=0000CAFE;unicast;client_port={client};server_port={Port(0)}-{Port(1)}";
    }

    private string? ReadRequest(Stream stream)
    {
        var text = new StringBuilder();
        while (true)
        {
            int value = stream.ReadByte();
            if (value < 0)
                return null;
            if (text.Length == 0 && value == '$')
            {
                stream.ReadByte();
                byte[] frame = new byte[(stream.ReadByte() << 8) | stream.ReadByte()];
                stream.ReadExactly(frame);
                _received.Add(frame);
                continue;
            }

            text.Append((char)value);
            if (text.Length > 4 && text.ToString(text.Length - 4, 4) == "\r\n\r\n")
                return text.ToString();
        }
    }
}
