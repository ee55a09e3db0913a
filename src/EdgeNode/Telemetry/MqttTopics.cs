namespace EdgeNode.Telemetry;

/// <summary>Topic names of one node (contract §4). Ids are checked by the configuration, so they hold no wildcard or slash.</summary>
public sealed class MqttTopics(string site, string node)
{
    /// <summary><c>edgenode/{site}/{node}</c></summary>
    public string Root { get; } = $"edgenode/{site}/{node}";

    /// <summary>QoS 1, retained, also the last will.</summary>
    public string Status => $"{Root}/status";

    /// <summary>QoS 0.</summary>
    public string Health => $"{Root}/health";

    /// <summary>QoS 1.</summary>
    public string FaceEvents => $"{Root}/events/face";

    /// <summary>QoS 1, retained.</summary>
    public string CameraState(string camera) => $"{Root}/cameras/{camera}/state";
}
