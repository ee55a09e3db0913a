using EdgeNode.Ingest.Rtsp;

namespace EdgeNode.Tests.Ingest.Rtsp;

public class RtpPacketTests
{
    [Fact]
    public void Steps_over_contributing_sources_extension_and_padding()
    {
        byte[] bytes =
        [
            0xB1, 0xE0, 0x12, 0x34, 0, 0, 0, 9, 0, 0, 0, 7, // version 2, padding, extension, one source
            1, 1, 1, 1,
            0xBE, 0xDE, 0, 1, 2, 2, 2, 2,
            0x41, 0x42, 0x43,
            0, 0, 3,
        ];

        Assert.True(RtpPacket.TryParse(bytes, out RtpPacket packet));
        Assert.Equal([0x41, 0x42, 0x43], packet.Payload.ToArray());
        Assert.Equal((true, 96, (ushort)0x1234, 9u, 7u), (packet.Marker, packet.PayloadType, packet.SequenceNumber, packet.Timestamp, packet.Source));
    }

    [Theory]
    [InlineData("80600001000000000000")] // too short
    [InlineData("406000010000000000000000aa")] // version 1
    [InlineData("8f6000010000000000000000aa")] // sources that are not there
    [InlineData("906000010000000000000000bede00ff")] // extension that is not there
    [InlineData("a06000010000000000000000aa0009")] // padding longer than the payload
    [InlineData("a06000010000000000000000aa0000")] // padding of nothing
    public void Refuses_what_does_not_add_up(string hex)
    {
        Assert.False(RtpPacket.TryParse(Convert.FromHexString(hex), out _));
    }
}
