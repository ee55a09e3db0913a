using System.Buffers;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using MQTTnet;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace EdgeNode.Telemetry;

/// <summary>
/// One connection to the broker, from CONNECT to its end. Pings by itself whatever else is sent, because a QoS 0 publish into a dead
/// connection looks like a success, and cuts it when no answer came within one and a half keep-alives.
/// </summary>
internal sealed class MqttSession : IAsyncDisposable
{
    // Each may take as long as it was waited for before it: together one and a half keep-alives.
    private const double PingShare = 0.75;

    // The return code of MQTT 3.1.1 (§3.2.2.3), which a broker that knows no later version gives to every other.
    private const MqttClientConnectResultCode UnacceptableProtocolVersion = (MqttClientConnectResultCode)1;

    private readonly MqttLinkOptions _options;
    private readonly TimeProvider _clock;
    private readonly BrokerConnection _connection = new();
    private readonly IMqttClient _client = new MqttClientFactory().CreateMqttClient();
    private readonly CancellationTokenSource _ended = new();
    private readonly Action _wake;
    private TimeSpan _keepAlive;
    private Task _watch = Task.CompletedTask;
    private MqttClientDisconnectReason _endReason = MqttClientDisconnectReason.NormalDisconnection;
    private bool _retainAvailable = true;

    private MqttSession(MqttLinkOptions options, TimeProvider clock, Action wake)
    {
        _options = options;
        _clock = clock;
        _wake = wake;
        _keepAlive = options.KeepAlive;
        _client.DisconnectedAsync += OnDisconnectedAsync;
        _client.ApplicationMessageReceivedAsync += OnReceivedAsync;
    }

    /// <summary>Bytes of a packet that the broker takes at most.</summary>
    internal long PacketBytesAtMost { get; private set; } = long.MaxValue;

    internal MqttProtocolVersion Version { get; private set; }

    /// <summary>Still connected, as far as is known.</summary>
    internal bool IsAlive => !_ended.IsCancellationRequested;

    /// <summary>We ended it, not the broker.</summary>
    internal bool IsCut => _connection.IsCut;

    /// <summary>What was said on a subscribed topic; called on MQTTnet's thread.</summary>
    internal Action<string, ReadOnlySequence<byte>>? Received { get; set; }

    /// <summary>
    /// Connects with MQTT 5, or with 3.1.1 where the broker speaks no 5. That is found out anew each time: a broker that hangs up at
    /// CONNECT may only be starting, and one that spoke 3.1.1 may have been updated.
    /// </summary>
    /// <exception cref="BrokerException">The broker cannot be used.</exception>
    internal static async Task<MqttSession> ConnectAsync(MqttLinkOptions options, byte[] will, TimeProvider clock, Action wake, CancellationToken cancellation)
    {
        (MqttSession? session, BrokerException? error, bool mayBeVersion) = await TryConnectAsync(options, MqttProtocolVersion.V500, will, clock, wake, cancellation).ConfigureAwait(false);
        if (session is null && mayBeVersion)
            (session, error, _) = await TryConnectAsync(options, MqttProtocolVersion.V311, will, clock, wake, cancellation).ConfigureAwait(false);
        return session ?? throw error!;
    }

    /// <summary>Publishes with QoS 1 and waits for the acknowledgement; its reason code is at least 128 when the broker refused (MQTT 5 §3.4.2.1).</summary>
    /// <exception cref="BrokerException">The connection is gone, or nothing came in time, and it was cut.</exception>
    internal async Task<MqttClientPublishReasonCode> PublishAcknowledgedAsync(string topic, byte[] payload, bool retain, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(_options.Timeout, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation, _ended.Token);
        try
        {
            MqttClientPublishResult result = await _client.PublishAsync(Message(topic, payload, MqttQualityOfServiceLevel.AtLeastOnce, retain), either.Token).ConfigureAwait(false);
            return result.ReasonCode;
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested)
        {
            throw Broken(e, timeout.IsCancellationRequested);
        }
    }

    /// <summary>Publishes with QoS 0: no more is known than that the system took it.</summary>
    /// <exception cref="BrokerException">The connection is gone.</exception>
    internal async Task PublishUnacknowledgedAsync(string topic, byte[] payload, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(_options.Timeout, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation, _ended.Token);
        try
        {
            await _client.PublishAsync(Message(topic, payload, MqttQualityOfServiceLevel.AtMostOnce, retain: false), either.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested)
        {
            throw Broken(e, timeout.IsCancellationRequested);
        }
    }

    /// <summary>Subscribes to one topic with QoS 1; a broker that does not allow it is left in peace.</summary>
    internal async Task SubscribeAsync(string topic, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(_options.Timeout, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation, _ended.Token);
        try
        {
            MqttClientSubscribeOptions subscribe = new MqttClientSubscribeOptionsBuilder().WithTopicFilter(topic, MqttQualityOfServiceLevel.AtLeastOnce).Build();
            await _client.SubscribeAsync(subscribe, either.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested)
        {
            throw Broken(e, timeout.IsCancellationRequested);
        }
    }

    /// <summary>Says goodbye, so that the broker drops the last will.</summary>
    internal async Task DisconnectAsync(CancellationToken cancellation)
    {
        try
        {
            await _client.DisconnectAsync(new MqttClientDisconnectOptions(), cancellation).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The connection goes either way.
        }
    }

    /// <summary>Why a session that is no longer alive ended.</summary>
    internal BrokerException End()
    {
        if (_endReason == MqttClientDisconnectReason.SessionTakenOver)
        {
            return new BrokerException($"Another client took the id {_options.ClientId} over at the MQTT broker {_options.Broker}: give every node a node.id of its own.")
            {
                IsLasting = true,
            };
        }

        return new BrokerException($"The MQTT broker at {_options.Broker} {(IsCut ? "does not answer" : "closed the connection")}.");
    }

    /// <summary>Cuts the connection without a word.</summary>
    internal void Cut()
    {
        _connection.Cut();
        MarkEnded();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        MarkEnded();
        _connection.Dispose();
        _client.Dispose();
        await _watch.ConfigureAwait(false);
    }

    private static async Task<(MqttSession? Session, BrokerException? Error, bool MayBeVersion)> TryConnectAsync(
        MqttLinkOptions options, MqttProtocolVersion version, byte[] will, TimeProvider clock, Action wake, CancellationToken cancellation)
    {
        var session = new MqttSession(options, clock, wake) { Version = version };
        bool keep = false;
        using var timeout = new CancellationTokenSource(options.Timeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
        try
        {
            MqttClientConnectResult result = await session._client.ConnectAsync(session.BuildOptions(version, will), either.Token).ConfigureAwait(false);
            if (result.ResultCode == MqttClientConnectResultCode.Success)
            {
                session.Begin(result);
                keep = true;
                return (session, null, false);
            }

            bool isVersion = result.ResultCode is MqttClientConnectResultCode.UnsupportedProtocolVersion or UnacceptableProtocolVersion;
            return (null, BrokerException.Refused(result.ResultCode, options.Broker), isVersion);
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested)
        {
            // Brokers that speak no MQTT 5 may also just hang up.
            BrokerException error = BrokerException.From(e, options.Broker);
            return (null, error, session._connection.WasEstablished && !timeout.IsCancellationRequested && !error.IsLasting);
        }
        finally
        {
            if (!keep)
                await session.DisposeAsync().ConfigureAwait(false);
        }
    }

    private MqttClientOptions BuildOptions(MqttProtocolVersion version, byte[] will)
    {
        MqttClientOptionsBuilder builder = new MqttClientOptionsBuilder()
            .WithProtocolVersion(version)
            .WithClientId(_options.ClientId)
            .WithCleanStart(true)
            .WithKeepAlivePeriod(_options.KeepAlive)
            .WithTimeout(_options.Timeout)
            .WithEndPoint(IPAddress.TryParse(_options.Broker.Host, out IPAddress? address)
                ? new IPEndPoint(address, _options.Broker.Port)
                : new DnsEndPoint(_options.Broker.Host, _options.Broker.Port))
            .WithStreamProvider(_connection)
            .WithWillTopic(new MqttTopics(_options.Site, _options.Node).Status)
            .WithWillPayload(will)
            .WithWillQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce)
            .WithWillRetain(true);
        if (_options.Username is not null)
            builder.WithCredentials(_options.Username, _options.Password?.Reveal() ?? string.Empty);
        if (_options.Broker.IsTls)
        {
            builder.WithTlsOptions(tls =>
            {
                // Lists of revoked certificates lie on servers that a camera network seldom reaches.
                tls.UseTls().WithTargetHost(_options.Broker.Host).WithRevocationMode(X509RevocationMode.NoCheck);
                if (_options.Authorities is not null)
                    tls.WithTrustChain(_options.Authorities);
                if (_options.ClientCertificate is not null)
                    tls.WithClientCertificates([_options.ClientCertificate]);
            });
        }

        return builder.Build();
    }

    private void Begin(MqttClientConnectResult result)
    {
        if (result.ServerKeepAlive > 0)
            _keepAlive = TimeSpan.FromSeconds(result.ServerKeepAlive);
        // MQTTnet shows a limit that the broker did not give as 0, which the protocol forbids (MQTT 5 §3.2.2.3.6).
        PacketBytesAtMost = result.MaximumPacketSize is > 0 and { } limit ? limit : long.MaxValue;
        _retainAvailable = Version != MqttProtocolVersion.V500 || result.RetainAvailable;
        _watch = WatchAsync(_ended.Token);
    }

    /// <summary>What became of a request on this session, whose connection is over after it.</summary>
    private BrokerException Broken(Exception e, bool isTimeout)
    {
        if (isTimeout)
            Cut();
        if (e is MqttClientUnexpectedDisconnectReceivedException { ReasonCode: MqttDisconnectReasonCode.SessionTakenOver })
            _endReason = MqttClientDisconnectReason.SessionTakenOver;
        return IsAlive ? BrokerException.From(e, _options.Broker) : End();
    }

    private async Task WatchAsync(CancellationToken ended)
    {
        TimeSpan share = _keepAlive * PingShare;
        try
        {
            while (true)
            {
                await Task.Delay(share, _clock, ended).ConfigureAwait(false);
                using var timeout = new CancellationTokenSource(share, _clock);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, ended);
                await _client.PingAsync(either.Token).ConfigureAwait(false);
            }
        }
        catch (Exception)
        {
            if (!ended.IsCancellationRequested)
                Cut();
        }
    }

    private MqttApplicationMessage Message(string topic, byte[] payload, MqttQualityOfServiceLevel quality, bool retain) => new()
    {
        Topic = topic,
        Payload = new ReadOnlySequence<byte>(payload),
        QualityOfServiceLevel = quality,
        Retain = retain && _retainAvailable,
    };

    private Task OnDisconnectedAsync(MqttClientDisconnectedEventArgs e)
    {
        _endReason = e.Reason;
        MarkEnded();
        return Task.CompletedTask;
    }

    private Task OnReceivedAsync(MqttApplicationMessageReceivedEventArgs e)
    {
        Received?.Invoke(e.ApplicationMessage.Topic, e.ApplicationMessage.Payload);
        return Task.CompletedTask;
    }

    private void MarkEnded()
    {
        _ended.Cancel();
        _wake();
    }
}
