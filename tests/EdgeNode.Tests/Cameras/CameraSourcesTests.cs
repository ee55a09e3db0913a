using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using EdgeNode.Cameras;
using EdgeNode.Configuration;
using EdgeNode.Ingest;
using EdgeNode.Ingest.Rtsp;

namespace EdgeNode.Tests.Cameras;

public class CameraSourcesTests
{
    [Theory]
    [InlineData("rtsp://door/main", RtspClient.Own, typeof(RtspSource))]
    [InlineData("rtsp://door/main", RtspClient.Ffmpeg, typeof(LiveUrlSource))]
    [InlineData("rtsps://door/main", RtspClient.Ffmpeg, typeof(LiveUrlSource))]
    [InlineData("HTTP://door/flv", RtspClient.Own, typeof(LiveUrlSource))]
    [InlineData("https://door/flv", RtspClient.Own, typeof(LiveUrlSource))]
    [InlineData("file:/films/demo.mp4", RtspClient.Own, typeof(FileSource))]
    public void The_url_and_the_client_choose_the_source(string url, RtspClient client, Type expected)
    {
        using IVideoSource source = CameraSources.Open(new CameraConfiguration { Id = "door", Name = "Door", Url = new Secret(url), Client = client }, TimeProvider.System);
        Assert.IsType(expected, source);
    }

    [Fact]
    public void An_http_camera_gets_the_login_of_the_configuration_and_no_message_has_it()
    {
        using var server = new LoginServer();
        var camera = new CameraConfiguration
        {
            Id = "door",
            Name = "Door",
            Url = new Secret($"http://127.0.0.1:{server.Port}/clip.mp4"),
            Username = "us er",
            Password = new Secret("p@secret/w:1%"),
        };
        using IVideoSource source = CameraSources.Open(camera, TimeProvider.System);

        SourceException refused = Assert.Throws<SourceException>(source.Open);

        Assert.Equal(SourceTrouble.NotFound, refused.Trouble);
        Assert.DoesNotContain("secret", refused.ToString(), StringComparison.Ordinal);
        Assert.Contains("Authorization: Basic " + Convert.ToBase64String("us er:p@secret/w:1%"u8), server.Requests.Last(), StringComparison.Ordinal);
    }

    /// <summary>Asks for a login, and has nothing for those who have one.</summary>
    private sealed class LoginServer : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

        public LoginServer()
        {
            _listener.Start();
            _ = ServeAsync();
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public ConcurrentQueue<string> Requests { get; } = [];

        public void Dispose() => _listener.Stop();

        private async Task ServeAsync()
        {
            byte[] request = new byte[8192];
            while (true)
            {
                try
                {
                    using TcpClient client = await _listener.AcceptTcpClientAsync();
                    string text = Encoding.ASCII.GetString(request, 0, await client.GetStream().ReadAsync(request));
                    Requests.Enqueue(text);
                    string status = text.Contains("Authorization:", StringComparison.Ordinal) ? "404 Not Found" : "401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"";
                    await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
                }
                catch (IOException)
                {
                    // FFmpeg has hung up.
                }
                catch (Exception over) when (over is SocketException or ObjectDisposedException)
                {
                    return;
                }
            }
        }
    }
}
