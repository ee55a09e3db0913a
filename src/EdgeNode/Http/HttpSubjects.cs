using EdgeNode.Access;
using EdgeNode.Cameras;
using EdgeNode.Configuration;
using EdgeNode.Events;
using EdgeNode.Faces;
using EdgeNode.Gallery;
using EdgeNode.Streaming;
using EdgeNode.Telemetry;

namespace EdgeNode.Http;

/// <summary>What the routes show and change.</summary>
public sealed record HttpSubjects
{
    /// <summary>The cameras.</summary>
    public required CameraRegistry Registry { get; init; }

    /// <summary>Who watches.</summary>
    public required PlaybackSessions Sessions { get; init; }

    /// <summary>Checks and makes tokens.</summary>
    public required AccessTokens Tokens { get; init; }

    /// <summary>Sessions that were ended.</summary>
    public required Revocations Revocations { get; init; }

    /// <summary>The long-lived tokens.</summary>
    public required ApiTokens ApiTokens { get; init; }

    /// <summary>Who did what.</summary>
    public required AuditLog Audit { get; init; }

    /// <summary>The newest face events.</summary>
    public required EventLog Events { get; init; }

    /// <summary>Their best shots.</summary>
    public required EventShots Shots { get; init; }

    /// <summary>The gallery.</summary>
    public required IdentityStore Identities { get; init; }

    /// <summary>The face models, opened at the first call; null where they cannot be had.</summary>
    public Func<FaceModels?> Models { get; init; } = static () => null;

    /// <summary>How the node fares.</summary>
    public required Func<HealthReport> Health { get; init; }

    /// <summary>Reads the configuration anew; null where there is no file.</summary>
    public Func<ReloadResult>? Reload { get; init; }

    /// <summary>Why the node is not ready, sentences; empty when it is.</summary>
    public Func<IReadOnlyList<string>> Hindrances { get; init; } = static () => [];

    /// <summary>Version of the program.</summary>
    public string Version { get; init; } = "unknown";

    /// <summary>The newest lines of the log.</summary>
    public Func<IReadOnlyList<string>> RecentLog { get; init; } = static () => [];
}
