namespace EdgeNode.Commands;

/// <summary>The time of the picture that is analysed: events of a film are decided when they are shown, however fast it is read.</summary>
internal sealed class FilmClock(DateTime start) : TimeProvider
{
    /// <summary>The film's time now, UTC.</summary>
    public DateTime Now { get; set; } = start;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => new(Now);
}
