using EdgeNode.Gallery;

namespace EdgeNode.Tests.Gallery;

public class CosineTests
{
    [Fact]
    public void A_dot_product_of_any_length_is_the_sum_of_products()
    {
        var random = new Random(1);
        for (int length = 1; length <= 70; length++)
        {
            float[] a = [.. Enumerable.Range(0, length).Select(_ => random.NextSingle() - 0.5f)];
            float[] b = [.. Enumerable.Range(0, length).Select(_ => random.NextSingle() - 0.5f)];
            Assert.Equal(a.Zip(b, (x, y) => (double)x * y).Sum(), Cosine.Dot(a, b), 1e-5);
        }
    }

    [Fact]
    public void Vectors_of_different_length_are_not_compared() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Cosine.Dot(new float[3], new float[4]));

    [Fact]
    public void A_vector_without_direction_is_left_alone()
    {
        float[] zero = new float[8];
        Assert.False(Cosine.Normalize(zero));
        Assert.Equal(new float[8], zero);
        Assert.False(Cosine.Normalize([float.NaN, 1]));

        float[] vector = [3, 4];
        Assert.True(Cosine.Normalize(vector));
        Assert.Equal([0.6f, 0.8f], vector);
    }
}
