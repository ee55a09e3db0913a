using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using EdgeNode.Access;
using EdgeNode.Http;
using EdgeNode.Tests.Media;
using EdgeNode.Tests.Streaming;

namespace EdgeNode.Tests.Http;

/// <summary>What HTTP adds to a live stream.</summary>
[Collection("clips")]
public sealed class LiveRoutesTests(SharedClips clips) : IAsyncLifetime
{
    private NodeServer _node = null!;
    private HttpClient _client = null!;

    public async Task InitializeAsync()
    {
        _node = await NodeServer.StartAsync($"file:{clips.WithoutBFrames}");
        _client = _node.Client(null);
        _client.BaseAddress = new Uri(_client.BaseAddress!, $"live/{_node.Token(Role.Viewer)}/{NodeServer.FileCamera}/");
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        await _node.DisposeAsync();
    }

    [Fact]
    public async Task Playlists_are_compressed_for_those_who_ask_and_for_nobody_else()
    {
        foreach (string file in (string[])["index.m3u8", "media.m3u8"])
        {
            using HttpResponseMessage plain = await SendAsync(HttpMethod.Get, file);
            Assert.Empty(plain.Content.Headers.ContentEncoding);
            Assert.Contains("Accept-Encoding", plain.Headers.Vary);
            using HttpResponseMessage compressed = await SendAsync(HttpMethod.Get, file, ("Accept-Encoding", "br, gzip;q=0.5"));
            Assert.Equal(["gzip"], compressed.Content.Headers.ContentEncoding);
            Assert.Contains("Accept-Encoding", compressed.Headers.Vary);
            using var gzip = new GZipStream(await compressed.Content.ReadAsStreamAsync(), CompressionMode.Decompress);
            Assert.StartsWith("#EXTM3U\n", await new StreamReader(gzip, Encoding.UTF8).ReadToEndAsync());
        }

        ParsedPlaylist playlist = ParsedPlaylist.Parse(await _client.GetStringAsync("media.m3u8"));
        using HttpResponseMessage media = await SendAsync(HttpMethod.Get, playlist.Complete.Last().Uri!, ("Accept-Encoding", "gzip"));
        Assert.Empty(media.Content.Headers.ContentEncoding);
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData("", false)]
    [InlineData("*", false)]
    [InlineData("identity", false)]
    [InlineData("gzip", true)]
    [InlineData("GZIP ; q=0.1", true)]
    [InlineData("br,x-gzip", true)]
    [InlineData("gzip;q=0", false)]
    [InlineData("gzip;q=0.000, deflate", false)]
    [InlineData("gzip;q=often", false)]
    public void Gzip_is_asked_for_by_name(string? header, bool expected) => Assert.Equal(expected, AcceptedEncoding.HasGzip(header));

    [Fact]
    public async Task Media_come_whole_in_ranges_or_as_headers_alone()
    {
        ParsedPlaylist playlist = ParsedPlaylist.Parse(await _client.GetStringAsync("media.m3u8"));
        foreach (string file in (string[])[playlist.Complete.Last().Uri!, playlist.Parts.First().Uri, playlist.Segments[0].Map!])
        {
            byte[] whole = await _client.GetByteArrayAsync(file);
            using HttpResponseMessage head = await SendAsync(HttpMethod.Head, file, ("Range", "bytes=0-3"));
            Assert.Equal((HttpStatusCode.OK, whole.Length), (head.StatusCode, head.Content.Headers.ContentLength));
            Assert.Equal(["bytes"], head.Headers.AcceptRanges);
            Assert.Empty(await head.Content.ReadAsByteArrayAsync());
            foreach ((string asked, int first, int last) in ((string, int, int)[])
                [("0-0", 0, 0), ("5-99", 5, 99), ("40-", 40, whole.Length - 1), ("-7", whole.Length - 7, whole.Length - 1), ($"8-{whole.Length + 50}", 8, whole.Length - 1)])
            {
                using HttpResponseMessage piece = await SendAsync(HttpMethod.Get, file, ("Range", $"bytes={asked}"));
                Assert.Equal(HttpStatusCode.PartialContent, piece.StatusCode);
                Assert.Equal(new ContentRangeHeaderValue(first, last, whole.Length), piece.Content.Headers.ContentRange);
                Assert.Equal(whole[first..(last + 1)], await piece.Content.ReadAsByteArrayAsync());
            }

            using HttpResponseMessage beyond = await SendAsync(HttpMethod.Get, file, ("Range", $"bytes={whole.Length}-"));
            Assert.Equal((HttpStatusCode.RequestedRangeNotSatisfiable, new ContentRangeHeaderValue(whole.Length)), (beyond.StatusCode, beyond.Content.Headers.ContentRange));
            foreach (string not in (string[])["bytes=0-1,4-5", "bytes=9-2", "bytes=x-", "items=0-1"])
            {
                using HttpResponseMessage all = await SendAsync(HttpMethod.Get, file, ("Range", not));
                Assert.Equal((HttpStatusCode.OK, whole.Length), (all.StatusCode, (await all.Content.ReadAsByteArrayAsync()).Length));
            }
        }
    }

    [Fact]
    public async Task A_stream_without_sound_has_no_playlist_of_it()
    {
        using HttpResponseMessage answer = await SendAsync(HttpMethod.Get, "audio.m3u8");
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.DoesNotContain("AUDIO", await _client.GetStringAsync("index.m3u8"));
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string file, (string Name, string Value)? header = null)
    {
        using var request = new HttpRequestMessage(method, file);
        if (header is { } extra)
            request.Headers.TryAddWithoutValidation(extra.Name, extra.Value);
        return await _client.SendAsync(request);
    }
}
