using System.Net;
using System.Net.Sockets;
using EdgeNode.Native.Linux;

namespace EdgeNode.Tests.Native;

public sealed class DatagramBatchTests : IDisposable
{
    private readonly DatagramBatch _batch = new(count: 3, size: 100);
    private readonly Socket _receiver = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly Socket _sender = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);

    public DatagramBatchTests()
    {
        _receiver.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _receiver.ReceiveTimeout = 20_000;
        _sender.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.3"), 0));
    }

    public void Dispose()
    {
        _batch.Dispose();
        _receiver.Dispose();
        _sender.Dispose();
    }

    [Fact]
    public void Takes_what_is_there_up_to_its_room_and_says_who_sent_it()
    {
        for (byte i = 1; i <= 4; i++)
            Send(new byte[i]);
        Assert.Equal(3, _batch.Receive(_receiver.SafeHandle, wait: true));
        Assert.Equal([1, 2, 3], Enumerable.Range(0, 3).Select(at => _batch.Bytes(at).Length));
        Assert.Equal([127, 0, 0, 3], _batch.Sender(2).ToArray());
        Assert.Equal(1, _batch.Receive(_receiver.SafeHandle, wait: true));
        Assert.Equal(4, _batch.Bytes(0).Length);
    }

    [Fact]
    public void What_is_too_long_is_cut_and_says_so()
    {
        Send(new byte[101]);
        Send(new byte[100]);
        Assert.Equal(2, _batch.Receive(_receiver.SafeHandle, wait: true));
        Assert.Equal((true, 100, false, 100), (_batch.IsTruncated(0), _batch.Bytes(0).Length, _batch.IsTruncated(1), _batch.Bytes(1).Length));
    }

    [Fact]
    public void Without_waiting_there_may_be_none() => Assert.Equal(0, _batch.Receive(_receiver.SafeHandle, wait: false));

    [Fact]
    public void A_closed_batch_or_socket_is_an_error()
    {
        SafeSocketHandle closed = _receiver.SafeHandle;
        _receiver.Dispose();
        Assert.Throws<ObjectDisposedException>(() => _batch.Receive(closed, wait: true));
        _batch.Dispose();
        Assert.Throws<ObjectDisposedException>(() => _batch.Receive(_sender.SafeHandle, wait: false));
    }

    private void Send(byte[] bytes) => _sender.SendTo(bytes, _receiver.LocalEndPoint!);
}
