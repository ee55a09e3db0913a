using System.Buffers;
using System.Text.Json;
using System.Threading.Channels;
using EdgeNode.Events;
using EdgeNode.Ingest;
using Microsoft.Extensions.Logging;
using MQTTnet;

namespace EdgeNode.Telemetry;

/// <summary>
/// The node's side of MQTT (contract §4): keeps connected for ever, says so in the retained status, and brings face events to the broker
/// in order, each until it is acknowledged. What is retained is published anew at every connect, as brokers forget. Nothing here ever blocks or
/// throws into its callers; a broker that is away costs a log line a minute. Thread-safe.
/// </summary>
public sealed class MqttLink : IAsyncDisposable
{
    /// <summary>So often may the broker hang up on one event before it is set aside, so that one poison event cannot stop the others.</summary>
    internal const int HangUpsAtMost = 5;

    // Fixed header, topic length, packet id and properties of a PUBLISH (MQTT 5 §3.3).
    private const int PublishOverheadBytes = 16;

    private readonly MqttLinkOptions _options;
    private readonly MqttTopics _topics;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly SparseLog _troubles;
    private readonly EventQueue _queue;
    private readonly RetainedMessages _retained = new();
    private readonly ReconnectBackoff _backoff = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Lock _lifeGate = new();
    private Task? _running;
    private byte[]? _health;
    private long _connectedAt;
    private (Guid Id, int Seq, int Count) _hangUps;
    private long _refused;
    private volatile bool _isConnected;
    private volatile bool _isStatusWrong;
    private volatile string? _lastError;

    /// <summary>A link that does nothing until <see cref="Start"/>.</summary>
    public MqttLink(MqttLinkOptions options, TimeProvider clock, ILogger log)
    {
        _options = options;
        _topics = new MqttTopics(options.Site, options.Node);
        _clock = clock;
        _log = log;
        _troubles = new SparseLog(log, clock);
        _queue = new EventQueue(options.QueueCapacity);
    }

    /// <summary>Connected, and the broker has our status.</summary>
    public bool IsConnected => _isConnected;

    /// <summary>Events that wait for the broker, the one on its way included.</summary>
    public int QueueDepth => _queue.Count;

    /// <summary>Events that the broker will never get: starts and ends for which the queue had no room, and what the broker refused.</summary>
    public long EventsLost => _queue.Lost + Interlocked.Read(ref _refused);

    /// <summary>Updates that made room in a full queue; later reports of their events count them as folded.</summary>
    public long EventsFolded => _queue.Folded;

    /// <summary>Why there is no connection, one sentence without secrets; null while there is one.</summary>
    public string? LastError => _lastError;

    /// <summary>Begins to connect, on the thread pool.</summary>
    public void Start()
    {
        lock (_lifeGate)
            _running ??= Task.Run(RunAsync);
    }

    /// <summary>Queues a face event. Never waits; when the queue is full an update makes room first.</summary>
    public void Enqueue(FaceEvent e)
    {
        _queue.Enqueue(e);
        Wake();
    }

    /// <summary>Publishes a camera's state, retained, now and at each later connect.</summary>
    public void PublishCameraState(string camera, CameraStateMessage state) => PublishRetained(_topics.CameraState(camera), state.ToJson());

    /// <summary>Takes a removed camera's state off the broker.</summary>
    public void RemoveCamera(string camera) => PublishRetained(_topics.CameraState(camera), []);

    /// <summary>Publishes how the node fares; while there is no connection only the newest is kept.</summary>
    public void PublishHealth(HealthReport report)
    {
        Volatile.Write(ref _health, report.ToJson());
        Wake();
    }

    /// <summary>
    /// Sends what is queued, for as long as <see cref="MqttLinkOptions.StopGrace"/>, publishes offline and disconnects. What is still queued
    /// then stays in <see cref="QueueDepth"/>. Never throws for the broker's sake.
    /// </summary>
    public async Task StopAsync()
    {
        Task? running;
        lock (_lifeGate)
            running = _running;
        await _stopping.CancelAsync().ConfigureAwait(false);
        Wake();
        if (running is not null)
            await running.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAsync().ConfigureAwait(false);

    private void PublishRetained(string topic, byte[] payload)
    {
        _retained.Set(topic, payload);
        Wake();
    }

    private void Wake() => _signal.Writer.TryWrite(true);

    private async Task RunAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await ConnectAndServeAsync().ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e)
            {
                BrokerException trouble = BrokerException.From(e, _options.Broker);
                _lastError = trouble.Message;
                if (_stopping.IsCancellationRequested)
                    break;
                if (trouble.IsLasting)
                    _backoff.GoToLongest();
                else if (_isConnected && _clock.GetElapsedTime(_connectedAt) >= ReconnectBackoff.Longest)
                    _backoff.Reset();
                _troubles.Warn(trouble.Message + " The node tries again.");
            }
            finally
            {
                _isConnected = false;
            }

            try
            {
                await Task.Delay(_backoff.Next(), _clock, _stopping.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }
    }

    private async Task ConnectAndServeAsync()
    {
        await using MqttSession session = await MqttSession.ConnectAsync(
            _options, Status(StatusMessage.Offline, since: null), _clock, Wake, _stopping.Token).ConfigureAwait(false);
        session.Received = OnReceived;
        using var hardStop = new CancellationTokenSource();
        // Begins to run out when the stop is asked for.
        using CancellationTokenRegistration onStop = _stopping.Token.Register(() => _ = CancelLaterAsync(hardStop));

        byte[] online = Status(StatusMessage.Online, _clock.GetUtcNow().UtcDateTime);
        _isStatusWrong = true;
        _retained.MarkAllUnsent();
        bool isSubscribed = false;
        try
        {
            while (true)
            {
                if (!session.IsAlive)
                    throw session.End();
                if (_isStatusWrong)
                {
                    _isStatusWrong = false;
                    await session.PublishAcknowledgedAsync(_topics.Status, online, retain: true, hardStop.Token).ConfigureAwait(false);
                    if (!_isConnected)
                    {
                        _connectedAt = _clock.GetTimestamp();
                        _log.LogInformation("Connected to the MQTT broker at {Broker}.", _options.Broker);
                    }

                    _isConnected = true;
                    _lastError = null;
                }
                else if (!isSubscribed)
                {
                    // Behind our own status, so that only a later word of others comes back: an old session's late will.
                    await session.SubscribeAsync(_topics.Status, hardStop.Token).ConfigureAwait(false);
                    isSubscribed = true;
                }
                else if (_retained.NextUnsent() is { } message)
                {
                    await session.PublishAcknowledgedAsync(message.Topic, message.Payload, retain: true, hardStop.Token).ConfigureAwait(false);
                    _retained.MarkSent(message);
                }
                else if (Interlocked.Exchange(ref _health, null) is { } health)
                {
                    await session.PublishUnacknowledgedAsync(_topics.Health, health, hardStop.Token).ConfigureAwait(false);
                }
                else if (_queue.BeginSend() is { } e)
                {
                    await SendAsync(session, e, hardStop.Token).ConfigureAwait(false);
                }
                else if (_stopping.IsCancellationRequested)
                {
                    break;
                }
                else
                {
                    await _signal.Reader.ReadAsync(CancellationToken.None).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException) when (hardStop.IsCancellationRequested)
        {
            // The grace is over; say goodbye all the same.
        }

        await SayGoodbyeAsync(session).ConfigureAwait(false);
    }

    private async Task SendAsync(MqttSession session, FaceEvent e, CancellationToken cancellation)
    {
        byte[] payload = e.ToJson();
        if (payload.Length + _topics.FaceEvents.Length + PublishOverheadBytes > session.PacketBytesAtMost)
        {
            SetAside($"a face event of {payload.Length} bytes is larger than it takes");
            return;
        }

        MqttClientPublishReasonCode answer;
        try
        {
            answer = await session.PublishAcknowledgedAsync(_topics.FaceEvents, payload, retain: false, cancellation).ConfigureAwait(false);
        }
        catch (BrokerException) when (!session.IsCut)
        {
            _hangUps = _hangUps.Id == e.EventId && _hangUps.Seq == e.Seq ? _hangUps with { Count = _hangUps.Count + 1 } : (e.EventId, e.Seq, 1);
            if (_hangUps.Count >= HangUpsAtMost)
                SetAside($"it hung up {HangUpsAtMost} times on the same face event");
            throw;
        }

        if (answer == MqttClientPublishReasonCode.QuotaExceeded)
            throw new BrokerException($"The MQTT broker at {_options.Broker} is over its quota.") { IsLasting = true };
        if ((int)answer >= 128)
            SetAside($"it refuses face events ({answer})");
        else
            _queue.Complete();
    }

    private void SetAside(string why)
    {
        _queue.Complete();
        Interlocked.Increment(ref _refused);
        _troubles.Warn($"The MQTT broker at {_options.Broker} will not get a face event: {why}.");
    }

    private async Task SayGoodbyeAsync(MqttSession session)
    {
        using var timeout = new CancellationTokenSource(_options.StopGrace, _clock);
        try
        {
            byte[] offline = Status(StatusMessage.Offline, _clock.GetUtcNow().UtcDateTime);
            await session.PublishAcknowledgedAsync(_topics.Status, offline, retain: true, timeout.Token).ConfigureAwait(false);
            await session.DisconnectAsync(timeout.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is BrokerException or OperationCanceledException)
        {
            // The broker knows by the last will.
        }
    }

    private async Task CancelLaterAsync(CancellationTokenSource hardStop)
    {
        await Task.Delay(_options.StopGrace, _clock).ConfigureAwait(false);
        try
        {
            await hardStop.CancelAsync().ConfigureAwait(false);
        }
        catch (ObjectDisposedException)
        {
            // It ended in time.
        }
    }

    private void OnReceived(string topic, ReadOnlySequence<byte> payload)
    {
        if (topic != _topics.Status || _stopping.IsCancellationRequested)
            return;
        try
        {
            var reader = new Utf8JsonReader(payload);
            if (JsonSerializer.Deserialize(ref reader, TelemetryJson.Default.StatusMessage)?.State != StatusMessage.Offline)
                return;
        }
        catch (JsonException)
        {
            return;
        }

        _isStatusWrong = true;
        Wake();
    }

    private byte[] Status(string state, DateTime? since) =>
        new StatusMessage(state, since, _options.Version, _options.BootId, _options.BaseUrl).ToJson();
}
