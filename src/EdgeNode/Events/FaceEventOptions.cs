namespace EdgeNode.Events;

/// <summary>When events are reported. Times are media time.</summary>
public sealed record FaceEventOptions
{
    /// <summary>An event ends when it is as old as this, and another goes on with the face (<c>faces.max_event</c>).</summary>
    public TimeSpan MaxEvent { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How often an event is reported in which nothing changes.</summary>
    public TimeSpan UpdateEvery { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The model pack that makes the tracks' embeddings.</summary>
    public string ModelPack { get; init; } = "";

    /// <summary>How much better a shot must be than the one last reported to be reported.</summary>
    public float ClearlyBetter { get; init; } = 0.15f;
}
