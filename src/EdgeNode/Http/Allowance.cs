namespace EdgeNode.Http;

/// <summary>
/// How often somebody may do something: <paramref name="atOnce"/> times at first, then once more every <paramref name="oneMoreEvery"/>. Bounded;
/// thread-safe.
/// </summary>
internal sealed class Allowance<TKey>(int atOnce, TimeSpan oneMoreEvery, TimeProvider time)
    where TKey : notnull
{
    private const int RememberedAtMost = 4096;
    private readonly Dictionary<TKey, (double Left, long At)> _remembered = [];
    private readonly Lock _gate = new();

    /// <summary>Counts one time; false when there were too many.</summary>
    public bool TryTake(TKey who)
    {
        lock (_gate)
        {
            long now = time.GetTimestamp();
            (double left, long at) = _remembered.GetValueOrDefault(who, (atOnce, now));
            left = Math.Min(atOnce, left + (time.GetElapsedTime(at, now) / oneMoreEvery));
            bool may = left >= 1;
            if (_remembered.Count >= RememberedAtMost && !_remembered.ContainsKey(who))
                _remembered.Clear();
            _remembered[who] = (may ? left - 1 : left, now);
            return may;
        }
    }
}
