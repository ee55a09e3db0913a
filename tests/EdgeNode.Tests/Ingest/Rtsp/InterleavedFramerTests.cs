using System.Text;
using EdgeNode.Ingest.Rtsp;

namespace EdgeNode.Tests.Ingest.Rtsp;

public class InterleavedFramerTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1000)]
    [InlineData(int.MaxValue)]
    public void Finds_frames_and_messages_however_the_bytes_arrive(int piece)
    {
        byte[] large = new byte[65535];
        large.AsSpan().Fill((byte)'$');
        byte[] stream =
        [
            .. RtpBytes.Interleave(0, [1, 2, 3]),
            .. Encoding.ASCII.GetBytes("RTSP/1.0 200 OK\r\nCSeq: 4\r\nContent-Length: 4\r\n\r\n$abc"),
            .. RtpBytes.Interleave(1, []),
            .. RtpBytes.Interleave(2, large),
            .. Encoding.ASCII.GetBytes("OPTIONS rtsp://node RTSP/1.0\r\nCSeq: 1\r\n\r\n"),
            .. RtpBytes.Interleave(0, [4]),
        ];

        Assert.Equal(["0:3", "200:4", "1:0", "2:65535", "OPTIONS:0", "0:1"], ReadAll(new InterleavedFramer(), stream, piece));
    }

    [Fact]
    public void Steps_over_garbage_to_the_next_frame()
    {
        var framer = new InterleavedFramer();
        byte[] stream = [0, 1, 2, .. "AB junk "u8, .. RtpBytes.Interleave(0, [0x80]), 0xFF, .. "RTSP/1.0 200 OK\r\n\r\n"u8];

        Assert.Equal(["0:1", "200:0"], ReadAll(framer, stream, int.MaxValue));
        Assert.Equal(12, framer.SkippedBytes);
    }

    [Fact]
    public void Endless_garbage_is_refused()
    {
        Assert.Throws<InvalidDataException>(() => ReadAll(new InterleavedFramer(), new byte[1 << 20], 60_000));
    }

    [Fact]
    public void An_answer_larger_than_the_buffer_is_refused()
    {
        byte[] stream = Encoding.ASCII.GetBytes("RTSP/1.0 200 OK\r\nContent-Length: 100000\r\n\r\n");

        Assert.Throws<InvalidDataException>(() => ReadAll(new InterleavedFramer(), stream, int.MaxValue));
    }

    private static List<string> ReadAll(InterleavedFramer framer, ReadOnlySpan<byte> stream, int piece)
    {
        var found = new List<string>();
        while (!stream.IsEmpty)
        {
            Span<byte> free = framer.Free();
            Assert.False(free.IsEmpty);
            int count = Math.Min(Math.Min(piece, stream.Length), free.Length);
            stream[..count].CopyTo(free);
            stream = stream[count..];
            framer.Received(count);
            while (framer.Next(out ReadOnlySpan<byte> payload) is var kind && kind != InterleavedFrameKind.None)
            {
                found.Add(kind == InterleavedFrameKind.Data
                    ? $"{framer.Channel}:{payload.Length}"
                    : $"{framer.Message!.Method ?? framer.Message.Status.ToString()}:{framer.Message.Body.Length}");
            }
        }

        return found;
    }
}
