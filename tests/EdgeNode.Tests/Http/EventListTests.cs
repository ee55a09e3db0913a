using System.Text;
using System.Text.Json;
using EdgeNode.Events;
using EdgeNode.Gallery;
using EdgeNode.Http;
using static EdgeNode.Tests.Events.SampleEvents;

namespace EdgeNode.Tests.Http;

public class EventListTests
{
    [Fact]
    public void An_event_in_a_list_is_written_as_it_is_alone()
    {
        FaceEvent ended = Event(2, FaceEventPhase.Ended);
        FaceEvent[] events =
        [
            Event(1, FaceEventPhase.Started),
            ended with { EndReason = FaceEventEndReason.MaxEvent, Identity = new FaceEventIdentity(Guid.NewGuid(), "Ada", 0.7, 0.4, RecognitionStatus.Recognized) },
        ];
        using JsonDocument list = JsonDocument.Parse(JsonSerializer.SerializeToUtf8Bytes(new EventList(events, 7, false), HttpJson.Default.EventList));
        Assert.Equal(events.Select(e => Encoding.UTF8.GetString(e.ToJson())), list.RootElement.GetProperty("events").EnumerateArray().Select(e => e.GetRawText()));
    }
}
