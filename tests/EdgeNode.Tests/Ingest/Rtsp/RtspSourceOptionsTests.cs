using EdgeNode.Ingest.Rtsp;

namespace EdgeNode.Tests.Ingest.Rtsp;

public class RtspSourceOptionsTests
{
    [Theory]
    [InlineData(0, 10, 5)]
    [InlineData(1, 20, 10)]
    [InlineData(3, 40, 20)]
    [InlineData(1000, 60, 20)]
    public void A_start_gets_more_time_at_each_failure_up_to_a_bound_and_a_stall_never_does(int failedStarts, int firstPacket, int answer)
    {
        RtspSourceOptions options = new RtspSourceOptions().After(failedStarts);
        Assert.Equal((TimeSpan.FromSeconds(firstPacket), TimeSpan.FromSeconds(answer), TimeSpan.FromSeconds(5)), (options.FirstPacketWithin, options.AnswerWithin, options.StallAfter));
    }
}
