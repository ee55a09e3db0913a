using EdgeNode.Ingest.Rtsp;

namespace EdgeNode.Tests.Ingest.Rtsp;

public sealed class AccessUnitBuilderTests : IDisposable
{
    private readonly AccessUnitBuilder _builder = new();

    public void Dispose() => _builder.Dispose();

    [Fact]
    public void One_huge_picture_does_not_hold_its_memory_for_ever()
    {
        Picture(8 << 20);
        Assert.True(_builder.Capacity >= 8 << 20);
        for (int i = 0; i < 1500; i++)
            Picture(20_000);

        Assert.InRange(_builder.Capacity, 20_000, 512 * 1024);
    }

    [Fact]
    public void A_picture_that_outgrew_all_bounds_does_not_either()
    {
        byte[] fill = new byte[60_000];
        Assert.True(_builder.Begin([0x65]));
        while (_builder.Append(fill))
        {
        }

        _builder.Clear();
        for (int i = 0; i < 1500; i++)
            Picture(20_000);

        Assert.InRange(_builder.Capacity, 20_000, 512 * 1024);
    }

    [Fact]
    public void Groups_of_a_large_keyframe_and_small_pictures_keep_their_block()
    {
        Picture(600_000);
        int capacity = _builder.Capacity;
        for (int i = 1; i < 1000; i++)
        {
            Picture(i % 250 == 0 ? 600_000 : 5_000);
            Assert.Equal(capacity, _builder.Capacity);
        }
    }

    private void Picture(int bytes)
    {
        Assert.True(_builder.Begin([0x65]));
        Assert.True(_builder.Append(new byte[bytes]));
        _builder.End();
        _builder.Take([], out _).Release();
    }
}
