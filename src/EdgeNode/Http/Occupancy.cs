namespace EdgeNode.Http;

/// <summary>How many places somebody holds at once: <paramref name="atMost"/>. Remembers only who holds some. Thread-safe.</summary>
internal sealed class Occupancy<TKey>(int atMost)
    where TKey : notnull
{
    private readonly Dictionary<TKey, int> _held = [];
    private readonly Lock _gate = new();

    /// <summary>Takes a place; false when <paramref name="who"/> holds as many as may be.</summary>
    public bool TryEnter(TKey who)
    {
        lock (_gate)
        {
            int held = _held.GetValueOrDefault(who);
            if (held >= atMost)
                return false;
            _held[who] = held + 1;
            return true;
        }
    }

    /// <summary>Gives a place back that was taken.</summary>
    public void Leave(TKey who)
    {
        lock (_gate)
        {
            if (--_held[who] == 0)
                _held.Remove(who);
        }
    }
}
