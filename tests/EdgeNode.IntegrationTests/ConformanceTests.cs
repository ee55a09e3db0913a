namespace EdgeNode.IntegrationTests;

/// <summary>A live stream of an ordinary film, held against the standard rule by rule.</summary>
public sealed class ConformanceTests
{
    [Fact]
    public async Task An_ordinary_stream_keeps_every_rule()
    {
        using var node = new NodeUnderTest($"  - {{ id: film, url: \"file:{Given.Films}/demo.mp4\", analytics: {{ enabled: false }} }}");
        await node.StartAsync();
        using var client = new HttpClient();
        (Uri video, _, _) = await StreamConformance.OpenAsync(client, new Uri((await node.TokenAsync("film")).ViewUrl));
        var stream = new StreamConformance(client, video);
        await stream.WalkAsync(90);
        Assert.True(stream.Media >= 90, $"{stream.Media} parts");
        Assert.True(stream.AskedAfterLeaving > 0, "segments left and were asked for");
    }
}
