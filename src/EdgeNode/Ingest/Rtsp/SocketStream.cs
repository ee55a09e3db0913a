using System.Net.Sockets;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>
/// A blocking socket as a stream for TLS to run on. Within <see cref="SetDeadline"/> all reads together end in time, however
/// slowly the other side trickles; after <see cref="SetTick"/> each read ends with the socket's own time-out, and may be made again.
/// </summary>
internal sealed class SocketStream(Socket socket) : Stream
{
    private long? _deadline;

    /// <summary>Whether the last failed read failed for lack of data, not for the connection's end.</summary>
    public bool TimedOut { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>From now on reads end in that time, all together.</summary>
    public void SetDeadline(TimeSpan within) => _deadline = Environment.TickCount64 + (long)within.TotalMilliseconds;

    /// <summary>From now on each read ends after <paramref name="milliseconds"/>.</summary>
    public void SetTick(int milliseconds)
    {
        _deadline = null;
        socket.ReceiveTimeout = milliseconds;
    }

    public override int Read(Span<byte> buffer)
    {
        TimedOut = false;
        if (buffer.IsEmpty)
            return 0;
        if (_deadline is { } deadline)
        {
            long left = deadline - Environment.TickCount64;
            if (left <= 0)
                throw Failed(SocketError.TimedOut);
            socket.ReceiveTimeout = (int)Math.Min(left, int.MaxValue);
        }

        int count = socket.Receive(buffer, SocketFlags.None, out SocketError error);
        return error == SocketError.Success ? count : throw Failed(error);
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            int count = socket.Send(buffer, SocketFlags.None, out SocketError error);
            if (error != SocketError.Success)
                throw new IOException("Nothing can be sent any more.");
            buffer = buffer[count..];
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private IOException Failed(SocketError error)
    {
        TimedOut = error is SocketError.TimedOut or SocketError.WouldBlock or SocketError.Interrupted;
        return new IOException("Nothing was received.");
    }
}
