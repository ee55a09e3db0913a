namespace EdgeNode.Ingest;

/// <summary>What a camera is doing, as it is published (contract §4).</summary>
public enum CameraState
{
    /// <summary>Not connected; being tried.</summary>
    Connecting,

    /// <summary>Pictures come.</summary>
    Streaming,

    /// <summary>Connected, but nothing has come for a while; being tried anew.</summary>
    Stalled,

    /// <summary>Nothing but a change of configuration will help for now (wrong password, no such stream); tried at long intervals.</summary>
    Failed,

    /// <summary>Switched off.</summary>
    Disabled,
}

/// <summary>A camera's state, since when, and why in one sentence (null while it streams).</summary>
public sealed record CameraStatus(CameraState State, DateTime Since, string? Reason);
