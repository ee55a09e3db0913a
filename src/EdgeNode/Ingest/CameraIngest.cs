namespace EdgeNode.Ingest;

/// <summary>The thread that keeps one camera's pictures coming.</summary>
public sealed class CameraIngest;
