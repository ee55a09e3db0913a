namespace EdgeNode.Storage;

/// <summary>How much is kept (section <c>retention</c> of the configuration).</summary>
public sealed record RetentionLimits
{
    /// <summary>Age at which events go.</summary>
    public TimeSpan Events { get; init; } = TimeSpan.FromDays(90);

    /// <summary>Bytes of the database at which the oldest events go.</summary>
    public long MaxBytes { get; init; } = 4_000_000_000;

    /// <summary>Free bytes of the disk below which the oldest events make room for the new.</summary>
    public long LeastFreeBytes { get; init; } = 64 << 20;

    /// <summary>Bytes that are kept allocated, so that there is room to make room.</summary>
    public long ReserveBytes { get; init; } = 16 << 20;

    /// <summary>The newest events that are kept however full the disk is: where others fill it, ours alone cannot empty it.</summary>
    public int EventsAtLeast { get; init; } = 1000;

    /// <summary>The same for the newest pictures, which go before any event.</summary>
    public int PicturesAtLeast { get; init; } = 100;
}
