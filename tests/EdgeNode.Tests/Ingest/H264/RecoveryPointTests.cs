using EdgeNode.Ingest.H264;

namespace EdgeNode.Tests.Ingest.H264;

public class RecoveryPointTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(11)]
    [InlineData(250)]
    [InlineData(0xFFFF)]
    public void What_is_written_is_read_again(int frames)
    {
        byte[] bytes = new byte[16];
        int length = new RecoveryPoint(frames).Write(bytes);

        Assert.Equal(length - 4, bytes[3]);
        Assert.True(RecoveryPoint.TryRead(bytes.AsSpan(4, length - 4), out RecoveryPoint point));
        Assert.Equal(frames, point.Frames);
        Assert.True(bytes.AsSpan(4, length - 4).IndexOf([(byte)0, (byte)0, (byte)1]) < 0);
    }

    [Fact]
    public void It_is_found_behind_other_messages_and_not_sought_without_end()
    {
        byte[] vendor = [5, 0xFF, 45, .. Enumerable.Repeat((byte)0xAB, 300)];
        Assert.True(RecoveryPoint.TryRead([6, .. vendor, 6, 1, 0x40, 0x80], out RecoveryPoint point));
        Assert.Equal(1, point.Frames);
        Assert.False(RecoveryPoint.TryRead([6, .. vendor, 0x80], out _));
        Assert.False(RecoveryPoint.TryRead([6, .. Enumerable.Repeat(vendor, 100).SelectMany(bytes => bytes), 6, 1, 0x40, 0x80], out _));
        Assert.False(RecoveryPoint.TryRead([6, .. Enumerable.Repeat((byte)0xFF, 10_000)], out _));
    }
}
