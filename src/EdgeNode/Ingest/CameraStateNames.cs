namespace EdgeNode.Ingest;

/// <summary>The names of states in topics and answers (contract §4).</summary>
public static class CameraStateNames
{
    /// <summary>The name of a state.</summary>
    public static string Of(CameraState state) => state switch
    {
        CameraState.Streaming => "streaming",
        CameraState.Stalled => "stalled",
        CameraState.Failed => "failed",
        CameraState.Disabled => "disabled",
        _ => "connecting",
    };
}
