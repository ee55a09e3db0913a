using EdgeNode.Native.Linux;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>
/// Reads all sockets of a session over UDP on one thread: it blocks for the pictures, takes each burst of them with one system call,
/// and looks at everything else some fifty times a second, without waiting. What does not come from the camera's address is dropped.
/// </summary>
internal sealed class UdpReceiver : IDisposable
{
    private const int DatagramsAtOnce = 24;
    private const int LargestDatagram = 9000; // a jumbo frame
    private const int LookEveryMilliseconds = 20;

    private readonly DatagramBatch _batch = new(DatagramsAtOnce, LargestDatagram);
    private readonly List<RtspStream> _streams;
    private RtspStream _of;
    private int _next;
    private int _count;
    private long _lookedAt;

    /// <summary>Reads the given streams, each with an <see cref="UdpPath"/>; the first is the one to wait for.</summary>
    public UdpReceiver(List<RtspStream> streams)
    {
        _streams = streams;
        _of = streams[0];
    }

    /// <summary>Datagrams from others than the camera.</summary>
    public long Strangers { get; private set; }

    /// <summary>The next RTP packet in order; false when more must be received. It lives until the next call.</summary>
    public bool TryNext(out RtspStream stream, out ReadOnlySpan<byte> packet)
    {
        foreach (RtspStream each in _streams)
        {
            stream = each;
            if (each.Udp!.Order.TryTake(out packet))
                return true;
        }

        stream = _of;
        while (_next < _count)
        {
            int at = _next++;
            if (!IsWhole(at, _of))
                continue;
            packet = _batch.Bytes(at);
            if (_of.Udp!.Order.Offer(packet) || _of.Udp.Order.TryTake(out packet))
                return true;
        }

        packet = default;
        return false;
    }

    /// <summary>Waits a moment for more, after <see cref="TryNext"/> said false.</summary>
    /// <exception cref="SourceException">The RTSP connection ended.</exception>
    public void Receive(RtspConnection connection)
    {
        long now = Environment.TickCount64;
        if (now - _lookedAt >= LookEveryMilliseconds)
        {
            _lookedAt = now;
            if (LookAround(connection))
                return;
        }

        Fill(_streams[0], wait: true);
    }

    /// <inheritdoc/>
    public void Dispose() => _batch.Dispose();

    private bool LookAround(RtspConnection connection)
    {
        if (connection.IsReadable)
            connection.Receive();
        foreach (RtspStream stream in _streams)
        {
            int count = _batch.Receive(stream.Udp!.Sockets.Control.SafeHandle, wait: false);
            for (int i = 0; i < count; i++)
            {
                if (IsWhole(i, stream))
                    stream.ReceiveControl(_batch.Bytes(i));
            }
        }

        for (int i = 1; i < _streams.Count; i++)
        {
            Fill(_streams[i], wait: false);
            if (_count > 0)
                return true;
        }

        return false;
    }

    private void Fill(RtspStream stream, bool wait)
    {
        _of = stream;
        _next = 0;
        _count = _batch.Receive(stream.Udp!.Sockets.Data.SafeHandle, wait);
    }

    private bool IsWhole(int index, RtspStream stream)
    {
        if (!stream.Udp!.IsFromCamera(_batch.Sender(index)))
        {
            Strangers++;
            return false;
        }

        return !_batch.IsTruncated(index);
    }
}
