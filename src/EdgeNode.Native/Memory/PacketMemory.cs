using System.Collections.Concurrent;
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
    private const int StepsAnOctave = 4;
    private const int ClassCount = (27 - SmallestClassLog2) * StepsAnOctave;
    private const long PooledBytesAtMost = 4 << 20;

    private static readonly ConcurrentBag<PacketMemory>[] Pools = CreatePools();
    private static long s_pooledBytes;
    private static long s_rentedBytes;

    private readonly byte* _data;
    private readonly int _class;
    private int _references;

    private PacketMemory(int sizeClass, int capacity)
    {
        _class = sizeClass;
        Capacity = capacity;
        _data = (byte*)NativeMemory.Alloc((nuint)capacity + Padding);
    }

    /// <summary>Usable bytes, at least as many as were asked for.</summary>
    public int Capacity { get; }

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
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minimumBytes, 1 << 27);
        int sizeClass = ClassOf(minimumBytes);
        int capacity = CapacityOf(sizeClass);
        if (Pools[sizeClass].TryTake(out PacketMemory? memory))
            Interlocked.Add(ref s_pooledBytes, -capacity);
        else
            memory = new PacketMemory(sizeClass, capacity);
        memory._references = 1;
        Interlocked.Add(ref s_rentedBytes, capacity);
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

    /// <summary>Lets go; the last one gives the block back to the pool, or to the system when the pool is full.</summary>
    public void Release()
    {
        int left = Interlocked.Decrement(ref _references);
        if (left > 0)
            return;
        ObjectDisposedException.ThrowIf(left < 0, this);
        Interlocked.Add(ref s_rentedBytes, -Capacity);
        if (Interlocked.Add(ref s_pooledBytes, Capacity) <= PooledBytesAtMost)
        {
            Pools[_class].Add(this);
            return;
        }

        Interlocked.Add(ref s_pooledBytes, -Capacity);
        NativeMemory.Free(_data);
    }

    // Four classes an octave: at most a quarter of a block is wasted, an eighth on average.
    private static int ClassOf(int bytes)
    {
        if (bytes <= 1 << SmallestClassLog2)
            return 0;
        int octave = BitOperations.Log2((uint)(bytes - 1));
        int step = (bytes - 1 - (1 << octave)) >> (octave - 2);
        return (octave - SmallestClassLog2) * StepsAnOctave + step + 1;
    }

    private static int CapacityOf(int sizeClass)
    {
        int octave = SmallestClassLog2 + sizeClass / StepsAnOctave;
        int step = sizeClass % StepsAnOctave;
        return (1 << octave) + (step << (octave - 2));
    }

    private static ConcurrentBag<PacketMemory>[] CreatePools()
    {
        var pools = new ConcurrentBag<PacketMemory>[ClassCount + 1];
        for (int i = 0; i < pools.Length; i++)
            pools[i] = [];
        return pools;
    }
}
