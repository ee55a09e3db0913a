namespace EdgeNode.Ingest;

/// <summary>Takes a camera's access units as they come, on the camera's ingest thread.</summary>
public interface IAccessUnitSink
{
    /// <summary>Called once a unit, in decoding order; must be quick and never block. Keeping the unit takes a reference.</summary>
    void OnAccessUnit(AccessUnit unit);
}
