namespace EdgeNode.Ingest;

/// <summary>Where a camera's access units can be listened to.</summary>
public interface IAccessUnitFeed
{
    /// <summary>
    /// Attaches a sink: the units kept since a keyframe are replayed to it first, in order, then the live ones follow
    /// without a gap or a repeat. A replay from the keyframe before the last one gives a viewer a whole segment at once.
    /// Disposing detaches: the sink gets nothing after that returned. Neither may be called from within the sink.
    /// </summary>
    IDisposable Attach(IAccessUnitSink sink);

    /// <summary>The longest distance of two keyframes seen lately; zero while it is not known.</summary>
    TimeSpan LongestGop { get; }
}
