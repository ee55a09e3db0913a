using EdgeNode.Events;
using EdgeNode.Gallery;

namespace EdgeNode.Tests.Events;

internal static class SampleEvents
{
    internal static FaceEvent Event(int seq, FaceEventPhase phase = FaceEventPhase.Updated, string camera = "entrance", Guid? id = null) => new()
    {
        EventId = id ?? Guid.Parse("01980000-0000-7000-8000-000000000001"),
        Seq = seq,
        Phase = phase,
        Site = "hq",
        Node = "edge-01",
        Camera = camera,
        StartedAt = DateTime.UnixEpoch,
        UpdatedAt = DateTime.UnixEpoch,
        EndedAt = phase == FaceEventPhase.Ended ? DateTime.UnixEpoch : null,
        EndReason = phase == FaceEventPhase.Ended ? FaceEventEndReason.Left : null,
        FrameAt = DateTime.UnixEpoch,
        DecidedAt = DateTime.UnixEpoch,
        ClockSynced = true,
        Identity = new FaceEventIdentity(null, null, null, null, RecognitionStatus.Undetermined),
        Box = new FaceEventBox(0, 0, 1, 1),
        DetectionScore = 1,
        Quality = 0,
        Liveness = null,
        TrackFrames = 1,
        Snapshot = false,
        Folded = 0,
    };
}
