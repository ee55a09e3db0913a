using System.Text.Json.Serialization;
using EdgeNode.Storage;

namespace EdgeNode.Access;

/// <summary>What somebody did. In JSON and in the database as snake_case words.</summary>
[JsonConverter(typeof(SnakeCaseEnum<AuditAction>))]
public enum AuditAction
{
    /// <summary>Came in at the page with a token.</summary>
    SignIn,

    /// <summary>Looked at a camera: once an hour for a token and a camera.</summary>
    View,

    /// <summary>Made a playback session.</summary>
    SessionCreate,

    /// <summary>Ended a playback session.</summary>
    SessionEnd,

    /// <summary>Enrolled a person, or added photos.</summary>
    IdentityEnroll,

    /// <summary>Said that a shot is, or is not, a person.</summary>
    IdentityCorrect,

    /// <summary>Erased a person.</summary>
    IdentityErase,

    /// <summary>Added a camera.</summary>
    CameraAdd,

    /// <summary>Changed a camera.</summary>
    CameraChange,

    /// <summary>Removed a camera.</summary>
    CameraRemove,

    /// <summary>Made an API token.</summary>
    TokenIssue,

    /// <summary>Revoked an API token.</summary>
    TokenRevoke,

    /// <summary>Had the configuration read anew.</summary>
    ConfigurationReload,

    /// <summary>Took a copy of the state, or of what maintainers need.</summary>
    Backup,

    /// <summary>Exported who was seen when.</summary>
    AttendanceExport,
}

/// <summary>How it went.</summary>
[JsonConverter(typeof(SnakeCaseEnum<AuditOutcome>))]
public enum AuditOutcome
{
    /// <summary>It was done.</summary>
    Done,

    /// <summary>It was not allowed.</summary>
    Refused,

    /// <summary>It was allowed and failed.</summary>
    Failed,
}

/// <summary>One line of the audit log.</summary>
/// <param name="Id">Its number, growing: the cursor.</param>
/// <param name="At">When, UTC.</param>
/// <param name="Subject">Who: the token's <c>sub</c>, or <c>system</c>.</param>
/// <param name="Jti">With which token; empty for the node itself.</param>
/// <param name="Action">What, as snake_case (<see cref="AuditAction"/>, or <c>lost</c>: entries that found no room; the object says how many).</param>
/// <param name="Object">To what: kind and id such as <c>camera:entrance</c>, never a person's name; may be empty.</param>
/// <param name="Outcome">How it went, as snake_case.</param>
public sealed record AuditEntry(long Id, DateTime At, string Subject, string Jti, string Action, string Object, string Outcome);

/// <summary>A page of the log, newest first.</summary>
/// <param name="Entries">At most as many as were asked for.</param>
/// <param name="Next">What to ask for as <c>before</c> to read on; null: there is no more.</param>
public sealed record AuditPage(IReadOnlyList<AuditEntry> Entries, long? Next);
