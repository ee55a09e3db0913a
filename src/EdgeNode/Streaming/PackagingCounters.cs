namespace EdgeNode.Streaming;

/// <summary>What a packager did and what went wrong, since it was made.</summary>
/// <param name="Parts">Parts made.</param>
/// <param name="Segments">Segments completed.</param>
/// <param name="DroppedUnits">Units left out: damaged, out of order, not decodable, or waiting for the next keyframe.</param>
/// <param name="JoinedGaps">Gaps of the camera's clock that were closed up in the packaged timeline.</param>
/// <param name="OverlongParts">Runs that went on without parts: the camera became slower than PART-TARGET, which was measured when packaging began.</param>
/// <param name="ForcedCuts">Segments that begin without a keyframe.</param>
/// <param name="EvictedForBytes">Segments that left early because the bound in bytes was reached.</param>
public readonly record struct PackagingCounters(
    long Parts, long Segments, long DroppedUnits, long JoinedGaps, long OverlongParts, long ForcedCuts, long EvictedForBytes)
{
    /// <summary>Adds up two runs.</summary>
    public static PackagingCounters operator +(PackagingCounters a, PackagingCounters b) => new(
        a.Parts + b.Parts, a.Segments + b.Segments, a.DroppedUnits + b.DroppedUnits, a.JoinedGaps + b.JoinedGaps,
        a.OverlongParts + b.OverlongParts, a.ForcedCuts + b.ForcedCuts, a.EvictedForBytes + b.EvictedForBytes);
}
