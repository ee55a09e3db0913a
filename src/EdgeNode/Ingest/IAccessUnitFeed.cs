namespace EdgeNode.Ingest;

/// <summary>A camera's access units, for whoever attaches.</summary>
public interface IAccessUnitFeed
{
    /// <summary>The longest time seen between two keyframes; zero while there were not two.</summary>
    TimeSpan LongestGop { get; }

    /// <summary>
    /// Hands <paramref name="sink"/> the units since a recent keyframe at once, then each new one. Disposing the result
    /// ends it: when Dispose returns, the sink is called no more.
    /// </summary>
    IDisposable Attach(IAccessUnitSink sink);
}
