using Microsoft.Extensions.Logging;

namespace EdgeNode.Storage;

/// <summary>
/// Looks after the database while a node runs: the daily copy (after the start and once a day), retention by age and size, and room on the
/// disk. When a write has failed or space is short, it gives the reserve and old states away and deletes the oldest pictures, then the oldest events, and the node goes on writing in
/// the pages that got free; when there is room again, the reserve is taken back. Dispose to stop.
/// </summary>
public sealed class StateCare : IDisposable
{
    private const int TrimAtOnce = 1000;

    // What is free within the file is reused before it grows.
    private const long RoomInside = 1 << 20;
    private const long KeptInside = 16 << 20;
    private const long ShrinkAtOnce = 4 << 20;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan AgeInterval = TimeSpan.FromHours(1);
    private static readonly TimeSpan OldStatesKept = TimeSpan.FromDays(14);
    private static readonly TimeSpan CopyInterval = TimeSpan.FromDays(1);
    private static readonly TimeSpan CopyRetry = TimeSpan.FromHours(1);

    private readonly StateDatabase _database;
    private readonly RetentionLimits _limits;
    private readonly IRetained _events;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly SpaceReserve _reserve;
    private readonly Lock _looking = new();
    private ITimer? _timer;
    private DateTime _copyAt;
    private DateTime _ageAt;
    private bool _isDisposed;

    /// <summary>Nothing is done before <see cref="Start"/>.</summary>
    public StateCare(StateDatabase database, RetentionLimits limits, IRetained events, TimeProvider time, ILogger log)
    {
        _database = database;
        _limits = limits;
        _events = events;
        _time = time;
        _log = log;
        _reserve = new SpaceReserve(database.Folder, limits.ReserveBytes);
    }

    /// <summary>Pictures of events, in the order in which they go when there is no room for all.</summary>
    public IReadOnlyList<RetainedPart> Pictures { get; init; } = [];

    /// <summary>Looks now and every 10 s, on the thread pool.</summary>
    public void Start() => _timer = _time.CreateTimer(static me => ((StateCare)me!).Look(), this, TimeSpan.Zero, Interval);

    /// <summary>Ends after the look that is under way.</summary>
    public void Dispose()
    {
        _timer?.Dispose();
        lock (_looking)
            _isDisposed = true;
    }

    /// <summary>One look; none while another is under way.</summary>
    internal void Look()
    {
        if (!_looking.TryEnter())
            return;
        try
        {
            // Neither trimmed nor copied over the last good copy, until the next start has repaired it.
            if (_isDisposed || _database.IsDamaged)
                return;
            MakeRoom();
            if (_database.Trouble is not null)
                return;
            Trim();
            Copy();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // The database has said so; the next look tries again.
            _log.LogDebug("State could not be looked after: {Reason}", fault.Message);
        }
        finally
        {
            _looking.Exit();
        }
    }

    private void MakeRoom()
    {
        bool isShort = _reserve.DiskFree < _limits.LeastFreeBytes;
        if (_database.Trouble is null && !isShort)
        {
            _reserve.Keep();
            return;
        }

        _database.DeleteOldStates(DateTime.MaxValue);
        if (_database.Trouble is not null)
            _reserve.Release();
        if (_database.Size().Free < RoomInside)
            TrimOldest();
        // Nobody else may be writing: only a write tells that writing works again.
        if (_database.Trouble is not null)
            _database.Write(static connection => Sql.Execute(connection, "UPDATE event_log SET floor = floor"));
    }

    private void Trim()
    {
        DateTime now = _time.GetUtcNow().UtcDateTime;
        if (now >= _ageAt || now < _ageAt - AgeInterval)
        {
            while (_events.TrimBefore(now - _limits.Events) > 0)
            {
            }

            foreach (RetainedPart part in Pictures)
            {
                while (part.What.TrimBefore(now - part.Age) > 0)
                {
                }
            }

            _database.DeleteOldStates(now - OldStatesKept);
            _ageAt = now + AgeInterval;
        }

        foreach (RetainedPart part in Pictures)
        {
            while (part.AtMost < int.MaxValue && part.What.TrimOldest(TrimAtOnce, part.AtMost) > 0)
            {
            }
        }

        while (_database.Size().Used > _limits.MaxBytes && TrimOldest() > 0)
        {
        }

        if (_database.Size().Free is var free && free > KeptInside)
            _database.Shrink(Math.Min(free - KeptInside, ShrinkAtOnce));
    }

    // An event without its picture says more than a picture without its event.
    private int TrimOldest()
    {
        foreach (RetainedPart part in Pictures)
        {
            if (part.What.TrimOldest(TrimAtOnce, _limits.PicturesAtLeast) is > 0 and int trimmed)
                return trimmed;
        }

        return _events.TrimOldest(TrimAtOnce, _limits.EventsAtLeast);
    }

    private void Copy()
    {
        DateTime now = _time.GetUtcNow().UtcDateTime;
        if (now < _copyAt && now >= _copyAt - CopyInterval)
            return;
        try
        {
            _database.MakeDailyCopy();
            _copyAt = now + CopyInterval;
        }
        catch (IOException fault)
        {
            _copyAt = now + CopyRetry;
            _log.LogWarning("{Reason}", fault.Message);
        }
    }
}
