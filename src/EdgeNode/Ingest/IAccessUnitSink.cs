namespace EdgeNode.Ingest;

/// <summary>Takes a camera's access units as they come.</summary>
public interface IAccessUnitSink
{
    /// <summary>
    /// Hands over one unit, on the thread that feeds: cheap, never blocks, never throws. Whoever keeps the unit past
    /// this call takes a reference.
    /// </summary>
    void OnAccessUnit(AccessUnit unit);
}
