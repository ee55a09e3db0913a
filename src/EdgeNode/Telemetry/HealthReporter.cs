namespace EdgeNode.Telemetry;

/// <summary>Sends a health report now and every 30 s (contract §4) through a link. Dispose to stop.</summary>
public sealed class HealthReporter : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    private readonly HealthSampler _sampler;
    private readonly MqttLink _link;
    private readonly Func<HealthInputs> _ask;
    private readonly Lock _gate = new();
    private readonly ITimer _timer;
    private HealthReport? _newest;

    /// <summary>Begins to report. <paramref name="ask"/> is called on the thread pool and must not throw; the queue's numbers are added here.</summary>
    public HealthReporter(HealthSampler sampler, MqttLink link, Func<HealthInputs> ask, TimeProvider clock)
    {
        _sampler = sampler;
        _link = link;
        _ask = ask;
        _timer = clock.CreateTimer(static me => ((HealthReporter)me!).Report(), this, TimeSpan.Zero, Interval);
    }

    /// <summary>The report that was sent last; null before the first.</summary>
    public HealthReport? Newest => Volatile.Read(ref _newest);

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    private void Report()
    {
        lock (_gate)
        {
            HealthInputs inputs = _ask();
            HealthReport report = _sampler.Sample(inputs with { QueueDepth = inputs.QueueDepth + _link.QueueDepth, EventsLost = inputs.EventsLost + _link.EventsLost });
            Volatile.Write(ref _newest, report);
            _link.PublishHealth(report);
        }
    }
}
