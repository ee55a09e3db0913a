using System.Text;
using System.Text.Json;
using EdgeNode.Events;
using EdgeNode.Gallery;

namespace EdgeNode.Tests.Events;

public class FaceEventTests
{
    [Fact]
    public void The_json_is_that_of_the_contract()
    {
        var e = new FaceEvent
        {
            EventId = Guid.Parse("01980000-0000-7000-8000-000000000001"),
            Seq = 3,
            Phase = FaceEventPhase.Updated,
            Site = "hq",
            Node = "edge-01",
            Camera = "entrance",
            StartedAt = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc),
            UpdatedAt = new DateTime(2026, 1, 2, 3, 4, 6, 70, DateTimeKind.Utc),
            EndedAt = null,
            EndReason = null,
            FrameAt = new DateTime(2026, 1, 2, 3, 4, 5, 999, DateTimeKind.Utc),
            DecidedAt = new DateTime(2026, 1, 2, 3, 4, 6, DateTimeKind.Utc),
            ClockSynced = true,
            Identity = new FaceEventIdentity(Guid.Parse("01980000-0000-7000-8000-00000000000a"), "Ada", 0.71, 0.44, RecognitionStatus.Recognized),
            Box = new FaceEventBox(0.41, 0.22, 0.08, 0.15),
            DetectionScore = 0.93,
            Quality = 0.82,
            Liveness = "live",
            TrackFrames = 27,
            Snapshot = true,
            Folded = 0,
        };
        string expected = """
            {"event_id":"01980000-0000-7000-8000-000000000001","seq":3,"phase":"updated","site":"hq","node":"edge-01","camera":"entrance",
            "started_at":"2026-01-02T03:04:05.000Z","updated_at":"2026-01-02T03:04:06.070Z","ended_at":null,"end_reason":null,"frame_at":"2026-01-02T03:04:05.999Z","decided_at":"2026-01-02T03:04:06.000Z","clock_synced":true,
            "identity":{"id":"01980000-0000-7000-8000-00000000000a","name":"Ada","similarity":0.71,"margin":0.44,"status":"recognized"},"box":{"x":0.41,"y":0.22,"w":0.08,"h":0.15},"detection_score":0.93,"quality":0.82,"liveness":"live","track_frames":27,"snapshot":true,"folded":0}
            """.ReplaceLineEndings(string.Empty);
        Assert.Equal(expected, Encoding.UTF8.GetString(e.ToJson()));
        Assert.Equal(e, JsonSerializer.Deserialize(expected, FaceEventJson.Default.FaceEvent));
    }

    [Theory]
    [InlineData(FaceEventEndReason.Left, "left")]
    [InlineData(FaceEventEndReason.Stopped, "stopped")]
    [InlineData(FaceEventEndReason.MaxEvent, "max_event")]
    [InlineData(FaceEventEndReason.Restart, "restart")]
    public void End_reasons_are_words(FaceEventEndReason reason, string word) =>
        Assert.Equal($"\"{word}\"", JsonSerializer.Serialize(reason, FaceEventJson.Default.FaceEventEndReason));
}
