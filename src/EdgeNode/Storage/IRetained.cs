namespace EdgeNode.Storage;

/// <summary>Something in the database of which the oldest goes when its time or its room is over.</summary>
public interface IRetained
{
    /// <summary>Deletes what was recorded before <paramref name="cutoff"/> (UTC), up to a bound; how many rows went.</summary>
    /// <exception cref="IOException">It could not be written.</exception>
    int TrimBefore(DateTime cutoff);

    /// <summary>Deletes the oldest <paramref name="most"/> rows, but none of the newest <paramref name="atLeast"/>; how many went.</summary>
    /// <exception cref="IOException">It could not be written.</exception>
    int TrimOldest(int most, int atLeast);
}
