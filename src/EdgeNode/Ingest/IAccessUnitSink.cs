namespace EdgeNode.Ingest;

/// <summary>Takes a camera's access units as they come.</summary>
public interface IAccessUnitSink
{
    /// <summary>
    /// Hands over one picture, on the thread that feeds: cheap, never blocks, never throws. Whoever keeps the unit past
    /// this call takes a reference.
    /// </summary>
    void OnAccessUnit(AccessUnit unit);

    /// <summary>Hands over one audio frame, under the same rules. Sinks of pictures alone leave it out.</summary>
    void OnAudio(AccessUnit unit)
    {
    }
}
