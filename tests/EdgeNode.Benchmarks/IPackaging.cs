namespace EdgeNode.Benchmarks;

/// <summary>Something that packages cameras.</summary>
internal interface IPackaging : IDisposable
{
    /// <summary>The processes whose effort counts.</summary>
    IReadOnlyCollection<MeasuredProcess> Processes { get; }

    /// <summary>The newest playlist of each camera: it changes while segments come.</summary>
    Task<string[]> ProgressAsync();
}
