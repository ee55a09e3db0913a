using EdgeNode.Ingest;

namespace EdgeNode.Tests.Ingest;

public class BackoffTests
{
    private readonly Backoff _backoff = new(new Random(1));

    [Fact]
    public void Waits_double_from_half_a_second_to_ten_with_jitter()
    {
        double[] nominal = [0.5, 1, 2, 4, 8, 10, 10, 10];
        foreach (double seconds in nominal)
            Assert.InRange(_backoff.Next(SourceTrouble.Closed).TotalSeconds, 0.75 * seconds, seconds);
    }

    [Fact]
    public void A_source_that_worked_is_tried_soon_again()
    {
        for (int i = 0; i < 6; i++)
            _backoff.Next(SourceTrouble.Unreachable);
        _backoff.Reset();
        Assert.InRange(_backoff.Next(SourceTrouble.Unreachable).TotalSeconds, 0.375, 0.5);
    }

    [Theory]
    [InlineData(SourceTrouble.Refused)]
    [InlineData(SourceTrouble.Unauthorized)]
    public void After_a_refusal_the_wait_lets_sessions_time_out(SourceTrouble trouble)
    {
        Assert.InRange(_backoff.Next(trouble).TotalSeconds, 7.5, 10);
        Assert.InRange(_backoff.Next(trouble).TotalSeconds, 15, 20);
        for (int i = 0; i < 20; i++)
            Assert.InRange(_backoff.Next(trouble).TotalSeconds, 30, 60);
    }
}
