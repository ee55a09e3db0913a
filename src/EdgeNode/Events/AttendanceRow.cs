namespace EdgeNode.Events;

/// <summary>When and by which cameras one person was seen on one day (UTC). Name: null who was erased since.</summary>
public sealed record AttendanceRow(Guid IdentityId, string? Name, DateOnly Day, DateTime FirstSeen, DateTime LastSeen, IReadOnlyList<string> Cameras)
{
    /// <summary>Days that one query covers at most.</summary>
    public const int DaysAtMost = 366;
}
