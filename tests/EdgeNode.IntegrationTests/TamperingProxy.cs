using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace EdgeNode.IntegrationTests;

/// <summary>
/// Stands between the node and a real RTSP server, and makes of its stream what cameras and links make of theirs: it may lose,
/// change or hold back interleaved packets, change answers, refuse requests, and hang up.
/// </summary>
internal sealed class TamperingProxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly int _server;
    private int _connections;

    public TamperingProxy(int server)
    {
        _server = server;
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Connections that were made so far.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Packets of channel 0 that the newest connection carried.</summary>
    public int Packets { get; private set; }

    /// <summary>Methods that the node asked for, in order, over all connections.</summary>
    public List<string> Requests { get; } = [];

    /// <summary>Changes or swallows (false) a packet of the video: its RTP bytes, and its number within the connection.</summary>
    public Func<Memory<byte>, int, bool>? Video { get; set; }

    /// <summary>Changes a text that the server sends; the body follows the empty line.</summary>
    public Func<string, string>? Answer { get; set; }

    /// <summary>Answers a request in the server's place: status line such as <c>501 Not Implemented</c>; null lets it through.</summary>
    public Func<string, string?>? Refuse { get; set; }

    /// <summary>True: the connection stays open and nothing comes through it.</summary>
    public volatile bool IsSilent;

    /// <summary>After how many packets of video the connection is closed; 0: never.</summary>
    public int CloseAfter { get; set; }

    public void Dispose()
    {
        _end.Cancel();
        _listener.Stop();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                TcpClient client = await _listener.AcceptTcpClientAsync(_end.Token);
                Interlocked.Increment(ref _connections);
                _ = ServeAsync(client);
            }
        }
        catch (Exception fault) when (fault is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var server = new TcpClient { NoDelay = true };
        client.NoDelay = true;
        using (client)
        {
            try
            {
                await server.ConnectAsync(IPAddress.Loopback, _server, _end.Token);
                await Task.WhenAny(ForwardAsync(client.GetStream(), server.GetStream()), ReturnAsync(server.GetStream(), client.GetStream()));
            }
            catch (SocketException)
            {
                // The server is away: so is the camera.
            }
        }
    }

    private async Task ForwardAsync(NetworkStream from, NetworkStream to)
    {
        var reader = new Reader(from, _end.Token);
        while (await reader.NextAsync() is byte[] piece)
        {
            if (piece[0] != '$')
            {
                string text = Encoding.Latin1.GetString(piece);
                string method = text[..text.IndexOf(' ')];
                lock (Requests)
                    Requests.Add(method);
                if (Refuse?.Invoke(method) is string status)
                {
                    string sequence = text.Split("\r\n").First(line => line.StartsWith("CSeq", StringComparison.OrdinalIgnoreCase));
                    await from.WriteAsync(Encoding.Latin1.GetBytes($"RTSP/1.0 {status}\r\n{sequence}\r\n\r\n"), _end.Token);
                    continue;
                }
            }

            await to.WriteAsync(piece, _end.Token);
        }
    }

    private async Task ReturnAsync(NetworkStream from, NetworkStream to)
    {
        int number = 0;
        var reader = new Reader(from, _end.Token);
        while (await reader.NextAsync() is byte[] piece)
        {
            if (piece[0] != '$')
            {
                if (Answer is not null)
                    piece = Encoding.Latin1.GetBytes(Answer(Encoding.Latin1.GetString(piece)));
            }
            else if (piece[1] == 0)
            {
                Packets = ++number;
                if (Video?.Invoke(piece.AsMemory(4), number) == false)
                    continue;
                if (CloseAfter > 0 && number >= CloseAfter)
                    return;
            }

            if (!IsSilent)
                await to.WriteAsync(piece, _end.Token);
        }
    }

    /// <summary>Splits an RTSP connection into messages with their bodies, and interleaved packets (RFC 2326 §10.12).</summary>
    private sealed class Reader(NetworkStream stream, CancellationToken end)
    {
        private byte[] _buffer = new byte[256 << 10];
        private int _start;
        private int _count;

        public async Task<byte[]?> NextAsync()
        {
            try
            {
                while (true)
                {
                    int length = Measure(_buffer.AsSpan(_start, _count));
                    if (length > 0 && length <= _count)
                    {
                        byte[] piece = _buffer.AsSpan(_start, length).ToArray();
                        _start += length;
                        _count -= length;
                        return piece;
                    }

                    _buffer.AsSpan(_start, _count).CopyTo(_buffer);
                    _start = 0;
                    int received = await stream.ReadAsync(_buffer.AsMemory(_count), end);
                    if (received == 0)
                        return null;
                    _count += received;
                }
            }
            catch (Exception fault) when (fault is IOException or OperationCanceledException or ObjectDisposedException)
            {
                return null;
            }
        }

        private static int Measure(ReadOnlySpan<byte> bytes)
        {
            if (bytes.Length < 4)
                return 0;
            if (bytes[0] == '$')
                return 4 + BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
            int head = bytes.IndexOf("\r\n\r\n"u8);
            if (head < 0)
                return 0;
            string text = Encoding.Latin1.GetString(bytes[..head]);
            string? length = text.Split("\r\n").FirstOrDefault(line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase));
            return head + 4 + (length is null ? 0 : int.Parse(length.Split(':')[1]));
        }
    }
}
