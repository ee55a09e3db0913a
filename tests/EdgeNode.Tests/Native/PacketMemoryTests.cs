using EdgeNode.Native.Memory;

namespace EdgeNode.Tests.Native;

[Collection("counts of the process")]
public class PacketMemoryTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(512)]
    [InlineData(513)]
    [InlineData(1024)]
    [InlineData(1025)]
    [InlineData(100_000)]
    [InlineData(1 << 20)]
    public void A_block_is_large_enough_and_not_much_larger(int bytes)
    {
        PacketMemory memory = PacketMemory.Rent(bytes);
        Assert.InRange(memory.Capacity, Math.Max(bytes, 512), Math.Max(512, bytes + bytes / 16));
        memory.Span.Fill(0xAB);
        memory.ClearPadding(memory.Capacity);
        memory.Release();
    }

    [Fact]
    public void Nothing_is_allocated_although_the_pool_is_full_of_other_sizes()
    {
        PacketMemory[] others = [.. Enumerable.Range(0, 100).Select(_ => PacketMemory.Rent(100_000))];
        foreach (PacketMemory other in others)
            other.Release();
        PacketMemory.Rent(3_000).Release();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
            PacketMemory.Rent(3_000).Release();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void The_last_reference_gives_the_block_back()
    {
        long before = PacketMemory.RentedBytes;
        PacketMemory memory = PacketMemory.Rent(1000);
        memory.AddReference();
        memory.Release();
        Assert.Equal(before + memory.Capacity, PacketMemory.RentedBytes);
        memory.Release();
        Assert.Equal(before, PacketMemory.RentedBytes);
        Assert.Throws<ObjectDisposedException>(memory.Release);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData((1 << 27) + 1)]
    public void A_nonsensical_size_is_refused(int bytes) => Assert.Throws<ArgumentOutOfRangeException>(() => PacketMemory.Rent(bytes));
}
