using System.Net;

namespace EdgeNode.Http;

/// <summary>
/// How often an address may come with a wrong token: 30 times at once, then once in two seconds. Who has a valid one is never held up by a
/// neighbour at the same address. Bounded; thread-safe.
/// </summary>
internal sealed class LoginFailures(TimeProvider time)
{
    /// <summary>Failures that an address has at first.</summary>
    internal const int AtOnce = 30;

    private const int AddressesAtMost = 4096;
    private static readonly TimeSpan OneMoreEvery = TimeSpan.FromSeconds(2);
    private readonly Dictionary<IPAddress, (double Left, long At)> _addresses = [];
    private readonly Lock _gate = new();

    /// <summary>Counts a failure; false when there were too many.</summary>
    public bool MayFailAgain(IPAddress address)
    {
        lock (_gate)
        {
            long now = time.GetTimestamp();
            (double left, long at) = _addresses.GetValueOrDefault(address, (AtOnce, now));
            left = Math.Min(AtOnce, left + (time.GetElapsedTime(at, now) / OneMoreEvery));
            bool may = left >= 1;
            if (_addresses.Count >= AddressesAtMost && !_addresses.ContainsKey(address))
                _addresses.Clear();
            _addresses[address] = (may ? left - 1 : left, now);
            return may;
        }
    }
}
