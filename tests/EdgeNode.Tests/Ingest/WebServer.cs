using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace EdgeNode.Tests.Ingest;

/// <summary>A web server on loopback: each request gets what the test answers, as bytes on the wire.</summary>
internal sealed class WebServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentBag<TcpClient> _clients = [];
    private readonly ConcurrentQueue<string> _requests = [];
    private readonly Func<string, NetworkStream, Task> _answer;

    /// <summary><paramref name="answer"/> gets the request's head and the connection, which is closed when it has ended.</summary>
    public WebServer(Func<string, NetworkStream, Task> answer)
    {
        _answer = answer;
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Heads of all requests so far.</summary>
    public string[] Requests => [.. _requests];

    /// <summary>Whole answers by path; 404 for others.</summary>
    public static WebServer Of(params (string Path, string Type, byte[] Body)[] files) => new(async (request, connection) =>
    {
        string path = request.Split(' ')[1];
        (_, string type, byte[]? body) = files.FirstOrDefault(file => file.Path == path);
        await connection.WriteAsync(body is null ? Head("404 Not Found", "text/plain", 0) : [.. Head("200 OK", type, body.Length), .. body]);
    });

    public static byte[] Head(string status, string type, int? length = null) =>
        Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Type: {type}\r\n{(length is null ? "" : $"Content-Length: {length}\r\n")}Connection: close\r\n\r\n");

    public string Url(string path) => $"http://127.0.0.1:{Port}{path}";

    public void Dispose()
    {
        _listener.Stop();
        foreach (TcpClient client in _clients)
            client.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                TcpClient client = await _listener.AcceptTcpClientAsync();
                _clients.Add(client);
                _ = ServeAsync(client);
            }
        }
        catch (Exception over) when (over is SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            using (client)
            {
                NetworkStream connection = client.GetStream();
                byte[] request = new byte[8192];
                string head = Encoding.Latin1.GetString(request, 0, await connection.ReadAsync(request));
                _requests.Enqueue(head);
                await _answer(head, connection);
                client.Client.Shutdown(SocketShutdown.Send);
                while (await connection.ReadAsync(request) > 0)
                {
                }
            }
        }
        catch (Exception over) when (over is SocketException or IOException or ObjectDisposedException)
        {
            // The test is over, or FFmpeg has hung up.
        }
    }
}
