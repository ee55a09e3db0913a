using System.Net;
using System.Net.Sockets;
using System.Text;
using EdgeNode.Ingest;
using EdgeNode.Tests.Media;
using Microsoft.Extensions.Time.Testing;

namespace EdgeNode.Tests.Ingest;

/// <summary>A <see cref="FileSource"/> that reads from a web server.</summary>
[Collection("clips")]
public sealed class HttpSourceTests(SharedClips clips)
{
    [Fact]
    public void A_clip_is_read_from_a_web_server()
    {
        byte[] clip = File.ReadAllBytes(clips.Remuxed("http.mkv"));
        using var server = new Server([.. Head("200 OK", clip.Length), .. clip]);
        using var source = new FileSource(server.Url("clip.mkv"));
        source.Open();
        int count = 0;
        while (source.Read() is { } unit)
        {
            count++;
            unit.Release();
        }

        Assert.Equal(SharedClips.Pictures, count);
    }

    [Theory]
    [InlineData("401 Unauthorized", SourceTrouble.Unauthorized)]
    [InlineData("403 Forbidden", SourceTrouble.Unauthorized)]
    [InlineData("404 Not Found", SourceTrouble.NotFound)]
    public void A_refusal_is_told_without_the_password(string status, SourceTrouble trouble)
    {
        using var server = new Server(Head(status, 0));
        using var source = new FileSource(server.Url("secretpath?token=secrettoken", "user:secretword@"));

        var refused = Assert.Throws<SourceException>(source.Open);

        Assert.Equal(trouble, refused.Trouble);
        Assert.DoesNotContain("secret", refused.ToString(), StringComparison.Ordinal);
        Assert.Contains($"127.0.0.1:{server.Port}", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nobody_at_the_address_is_unreachable()
    {
        int port;
        using (var server = new Server([]))
            port = server.Port;
        using var source = new FileSource($"http://127.0.0.1:{port}/clip.mp4");

        Assert.Equal(SourceTrouble.Unreachable, Assert.Throws<SourceException>(source.Open).Trouble);
    }

    [Fact]
    public async Task A_server_that_falls_silent_at_the_start_is_left_after_the_deadline()
    {
        using var server = new Server([]);
        var time = new FakeTimeProvider();
        using var source = new FileSource(server.Url("clip.mp4"), time: time);
        Task opening = Task.Factory.StartNew(source.Open, TaskCreationOptions.LongRunning);
        server.WaitForRequest();

        time.Advance(TimeSpan.FromSeconds(5.1));

        SourceException stalled = await ThrownBy(opening);
        Assert.Equal(SourceTrouble.Stalled, stalled.Trouble);
        Assert.Equal($"http://127.0.0.1:{server.Port} did not answer within 5 s.", stalled.Message);
    }

    [Fact]
    public async Task A_server_that_falls_silent_in_the_middle_is_left_after_the_deadline()
    {
        byte[] clip = File.ReadAllBytes(clips.Remuxed("http.mkv"));
        using var server = new Server([.. Head("200 OK", clip.Length), .. clip[..(clip.Length * 2 / 3)]]);
        var time = new FakeTimeProvider();
        using var source = new FileSource(server.Url("clip.mkv"), time: time);
        source.Open();
        Task reading = Task.Factory.StartNew(
            () =>
            {
                while (source.Read() is { } unit)
                    unit.Release();
            },
            TaskCreationOptions.LongRunning);

        // The deadline begins anew with each picture, so time goes on until the wait for one is over.
        for (int i = 0; i < 1000 && !reading.IsCompleted; i++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(reading, Task.Delay(30));
        }

        SourceException stalled = await ThrownBy(reading);
        Assert.Equal(SourceTrouble.Stalled, stalled.Trouble);
        Assert.Equal($"Nothing came from http://127.0.0.1:{server.Port} for 5 s.", stalled.Message);
    }

    [Fact]
    public async Task Abort_ends_the_wait_for_a_silent_server()
    {
        using var server = new Server([]);
        using var source = new FileSource(server.Url("clip.mp4"), time: new FakeTimeProvider());
        Task opening = Task.Factory.StartNew(source.Open, TaskCreationOptions.LongRunning);
        server.WaitForRequest();

        source.Abort();

        Assert.Equal(SourceTrouble.Closed, (await ThrownBy(opening)).Trouble);
    }

    private static Task<SourceException> ThrownBy(Task task) =>
        Assert.ThrowsAsync<SourceException>(() => task.WaitAsync(TimeSpan.FromSeconds(30)));

    private static byte[] Head(string status, int length) =>
        Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Length: {length}\r\nContent-Type: video/x-matroska\r\n\r\n");

    /// <summary>Answers every request with the same bytes, then keeps the connection open and says nothing.</summary>
    private sealed class Server : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly List<TcpClient> _clients = [];
        private readonly SemaphoreSlim _requests = new(0);

        public Server(byte[] answer)
        {
            _listener.Start();
            _ = ServeAsync(answer);
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public string Url(string path, string user = "") => $"http://{user}127.0.0.1:{Port}/{path}";

        public void WaitForRequest() => Assert.True(_requests.Wait(TimeSpan.FromSeconds(30)));

        public void Dispose()
        {
            _listener.Stop();
            foreach (TcpClient client in _clients)
                client.Dispose();
        }

        private async Task ServeAsync(byte[] answer)
        {
            try
            {
                byte[] request = new byte[8192];
                while (true)
                {
                    TcpClient client = await _listener.AcceptTcpClientAsync();
                    _clients.Add(client);
                    _ = await client.GetStream().ReadAsync(request);
                    _requests.Release();
                    await client.GetStream().WriteAsync(answer);
                }
            }
            catch (Exception e) when (e is SocketException or IOException or ObjectDisposedException)
            {
                // The test is over, or FFmpeg has hung up.
            }
        }
    }
}
