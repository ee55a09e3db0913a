using EdgeNode.Streaming;

namespace EdgeNode.Tests.Streaming;

public sealed class MediaNameTests
{
    [Theory]
    [InlineData("init-1.mp4", MediaKind.Initialization, 1, 0)]
    [InlineData("seg-12.m4s", MediaKind.Segment, 12, 0)]
    [InlineData("part-12-0.m4s", MediaKind.Part, 12, 0)]
    [InlineData("part-9223372036854775807-2147483647.m4s", MediaKind.Part, long.MaxValue, int.MaxValue)]
    public void Names_of_a_playlist_are_read(string name, MediaKind kind, long number, int part)
    {
        Assert.True(MediaName.TryParse(name, out MediaName media));
        Assert.Equal(new MediaName(kind, number, part), media);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".m4s")]
    [InlineData("init-.mp4")]
    [InlineData("init-1.m4s")]
    [InlineData("seg-01.m4s")]
    [InlineData("seg--1.m4s")]
    [InlineData("seg-+1.m4s")]
    [InlineData("seg- 1.m4s")]
    [InlineData("part-1.m4s")]
    [InlineData("part-1-2-3.m4s")]
    [InlineData("part-1-.m4s")]
    [InlineData("part-9223372036854775808-0.m4s")]
    [InlineData("../seg-1.m4s")]
    [InlineData("init-.m4s")]
    [InlineData("init.mp4")]
    [InlineData("seg-1.m4s.m4s")]
    public void Other_names_are_not(string name) => Assert.False(MediaName.TryParse(name, out _));
}
