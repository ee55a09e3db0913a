using System.Numerics;
using System.Runtime.InteropServices;

namespace EdgeNode.Native.Memory;

/// <summary>
/// A pooled, reference-counted block of native memory for one coded picture or audio frame. Behind the
/// <see cref="Capacity"/> bytes lie <see cref="Padding"/> more, as libavcodec's readers overrun their input
/// (AV_INPUT_BUFFER_PADDING_SIZE). Thread-safe counts; the content belongs to whoever fills it before it is shared.
/// </summary>
public sealed unsafe class PacketMemory
{
    /// <summary>Bytes that lie behind <see cref="Capacity"/> for libavcodec (AV_INPUT_BUFFER_PADDING_SIZE).</summary>
    public const int Padding = 64;

    private const int SmallestClassLog2 = 9;
    private const int LargestLog2 = 27;
    private const int StepsLog2 = 4;
    private const int StepsAnOctave = 1 << StepsLog2;
    private const int ClassCount = (LargestLog2 - SmallestClassLog2) * StepsAnOctave + 1;
    private const long IdleBytesAtMost = 4 << 20;

    // One lock for all: it is held for a few instructions, once a picture.
    private static readonly Lock Gate = new();
    private static readonly Stack<PacketMemory>[] Idle = [.. Enumerable.Range(0, ClassCount).Select(_ => new Stack<PacketMemory>())];
    private static readonly Stack<PacketMemory> Empty = new();
    private static long s_idleBytes;
    private static long s_rentedBytes;

    private byte* _data;
    private int _class;
    private int _references;

    private PacketMemory()
    {
    }

    /// <summary>Usable bytes, at least as many as were asked for.</summary>
    public int Capacity { get; private set; }

    /// <summary>The whole block. Valid while a reference is held.</summary>
    public Span<byte> Span => new(_data, Capacity);

    /// <summary>Bytes now rented in the whole process: what live pictures hold.</summary>
    public static long RentedBytes => Volatile.Read(ref s_rentedBytes);

    internal byte* Pointer => _data;

    /// <summary>Takes a block of at least <paramref name="minimumBytes"/>, with one reference held by the caller.</summary>
    /// <exception cref="ArgumentOutOfRangeException">More than 128 MiB or less than 0 bytes were asked for.</exception>
    public static PacketMemory Rent(int minimumBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(minimumBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minimumBytes, 1 << LargestLog2);
        int sizeClass = ClassOf(minimumBytes);
        int capacity = CapacityOf(sizeClass);
        PacketMemory? memory;
        lock (Gate)
        {
            s_rentedBytes += capacity;
            if (Idle[sizeClass].TryPop(out memory))
                s_idleBytes -= capacity;
            else
                Empty.TryPop(out memory);
        }

        memory ??= new PacketMemory();
        if (memory._data is null)
        {
            memory._data = (byte*)NativeMemory.Alloc((nuint)capacity + Padding);
            memory._class = sizeClass;
            memory.Capacity = capacity;
        }

        memory._references = 1;
        return memory;
    }

    /// <summary>Zeroes the padding behind <paramref name="length"/> bytes of content, as libavcodec asks.</summary>
    public void ClearPadding(int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)Capacity);
        new Span<byte>(_data + length, Padding).Clear();
    }

    /// <summary>Holds the block once more.</summary>
    public void AddReference() => Interlocked.Increment(ref _references);

    /// <summary>Lets go; the last one gives the block back to the pool, or its bytes to the system when the pool is full.</summary>
    public void Release()
    {
        int left = Interlocked.Decrement(ref _references);
        if (left > 0)
            return;
        ObjectDisposedException.ThrowIf(left < 0, this);
        byte* surplus = null;
        lock (Gate)
        {
            s_rentedBytes -= Capacity;
            if (s_idleBytes + Capacity <= IdleBytesAtMost)
            {
                s_idleBytes += Capacity;
                Idle[_class].Push(this);
            }
            else
            {
                // The object stays, so that a pool full of other sizes never means garbage a picture.
                surplus = _data;
                _data = null;
                Empty.Push(this);
            }
        }

        NativeMemory.Free(surplus);
    }

    // Sixteen classes an octave: a sixteenth of a block is wasted at most.
    private static int ClassOf(int bytes)
    {
        if (bytes <= 1 << SmallestClassLog2)
            return 0;
        int octave = BitOperations.Log2((uint)(bytes - 1));
        int step = (bytes - 1 - (1 << octave)) >> (octave - StepsLog2);
        return (octave - SmallestClassLog2) * StepsAnOctave + step + 1;
    }

    private static int CapacityOf(int sizeClass)
    {
        int octave = SmallestClassLog2 + sizeClass / StepsAnOctave;
        int step = sizeClass % StepsAnOctave;
        return (1 << octave) + (step << (octave - StepsLog2));
    }
}
