using System.Runtime.InteropServices;

namespace EdgeNode.Native.Linux;

/// <summary>
/// Receives what datagrams are there with one system call (recvmmsg(2)), where a video stream brings hundreds a second, in bursts.
/// Its memory is bounded and its own. Not thread-safe.
/// </summary>
public sealed unsafe partial class DatagramBatch : IDisposable
{
    private const int DontWait = 0x40;
    private const int WaitForOne = 0x10000;
    private const int Truncated = 0x20;
    private const int InterNetwork = 2;
    private const int InterNetworkV6 = 10;
    private const int NameSize = 28; // struct sockaddr_in6, the larger one

    private readonly int _count;
    private readonly int _size;
    private Message* _messages;
    private Vector* _vectors;
    private byte* _names;
    private byte* _bytes;

    /// <summary>Room for <paramref name="count"/> datagrams of <paramref name="size"/> bytes each; what is longer is cut and says so.</summary>
    public DatagramBatch(int count, int size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        _count = count;
        _size = size;
        _messages = (Message*)NativeMemory.AllocZeroed((nuint)count, (nuint)sizeof(Message));
        _vectors = (Vector*)NativeMemory.AllocZeroed((nuint)count, (nuint)sizeof(Vector));
        _names = (byte*)NativeMemory.AllocZeroed((nuint)count, NameSize);
        _bytes = (byte*)NativeMemory.Alloc((nuint)count, (nuint)size);
        for (int i = 0; i < count; i++)
        {
            _vectors[i] = new Vector { Base = _bytes + (nint)i * size, Length = (nuint)size };
            _messages[i].Header.Name = _names + (nint)i * NameSize;
            _messages[i].Header.Vectors = _vectors + i;
            _messages[i].Header.VectorCount = 1;
        }
    }

    /// <summary>Gives the memory back.</summary>
    ~DatagramBatch() => Free();

    /// <summary>
    /// Receives into the batch, whose earlier datagrams are gone; how many came. With <paramref name="wait"/> it blocks for the first
    /// one as long as the socket's receive time-out allows. 0: none came, or the call was interrupted.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The socket or the batch is closed.</exception>
    public int Receive(SafeHandle socket, bool wait)
    {
        ObjectDisposedException.ThrowIf(_messages is null, this);
        for (int i = 0; i < _count; i++)
        {
            _messages[i].Header.NameLength = NameSize;
            _messages[i].Header.Flags = 0;
        }

        return Math.Max(0, ReceiveMessages(socket, _messages, (uint)_count, wait ? WaitForOne : DontWait, null));
    }

    /// <summary>The bytes of a datagram, until the next <see cref="Receive"/>.</summary>
    public ReadOnlySpan<byte> Bytes(int index) => new(At(index).Base, (int)Math.Min((uint)_size, _messages[index].Length));

    /// <summary>Whether a datagram was longer than the room for it.</summary>
    public bool IsTruncated(int index)
    {
        At(index);
        return (_messages[index].Header.Flags & Truncated) != 0;
    }

    /// <summary>The sender's address: 4 bytes, or 16 for IPv6; none where it is not known.</summary>
    public ReadOnlySpan<byte> Sender(int index)
    {
        At(index);
        byte* name = _names + (nint)index * NameSize;
        return *(ushort*)name switch
        {
            InterNetwork when _messages[index].Header.NameLength >= 8 => new(name + 4, 4),
            InterNetworkV6 when _messages[index].Header.NameLength >= 24 => new(name + 8, 16),
            _ => default,
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private ref Vector At(int index)
    {
        ObjectDisposedException.ThrowIf(_messages is null, this);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)_count, nameof(index));
        return ref _vectors[index];
    }

    private void Free()
    {
        NativeMemory.Free(_messages);
        NativeMemory.Free(_vectors);
        NativeMemory.Free(_names);
        NativeMemory.Free(_bytes);
        _messages = null;
        _vectors = null;
        _names = null;
        _bytes = null;
    }

    [LibraryImport("libc", EntryPoint = "recvmmsg")]
    private static partial int ReceiveMessages(SafeHandle socket, Message* messages, uint count, int flags, void* timeout);

    // struct iovec, struct msghdr and struct mmsghdr of 64-bit Linux.
    [StructLayout(LayoutKind.Sequential)]
    private struct Vector
    {
        public byte* Base;
        public nuint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct MessageHeader
    {
        public byte* Name;
        public uint NameLength;
        public Vector* Vectors;
        public nuint VectorCount;
        public byte* Control;
        public nuint ControlLength;
        public int Flags;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Message
    {
        public MessageHeader Header;
        public uint Length;
    }
}
