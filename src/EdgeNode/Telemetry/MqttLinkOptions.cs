using System.Security.Cryptography.X509Certificates;
using EdgeNode.Configuration;

namespace EdgeNode.Telemetry;

/// <summary>How the node reaches its broker, and who it says it is.</summary>
public sealed record MqttLinkOptions
{
    /// <summary>The broker.</summary>
    public required BrokerAddress Broker { get; init; }

    /// <summary>Id of the site.</summary>
    public required string Site { get; init; }

    /// <summary>Id of the node.</summary>
    public required string Node { get; init; }

    /// <summary>Version of EdgeNode, for the status.</summary>
    public required string Version { get; init; }

    /// <summary>The kernel's id of this boot (<see cref="StatusMessage.ReadBootId"/>).</summary>
    public required string BootId { get; init; }

    /// <summary>Where the node's API is found; null when none is configured.</summary>
    public string? BaseUrl { get; init; }

    /// <summary>User; null for none.</summary>
    public string? Username { get; init; }

    /// <summary>The user's password.</summary>
    public Secret? Password { get; init; }

    /// <summary>The authorities that may vouch for a broker over TLS; null for those of the system.</summary>
    public X509Certificate2Collection? Authorities { get; init; }

    /// <summary>The node's own certificate with its key, for brokers that ask for one.</summary>
    public X509Certificate2? ClientCertificate { get; init; }

    /// <summary>Within one and a half of these a dead connection is noticed and cut.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long connecting, and each acknowledgement, may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a stop may wait for events that are still queued.</summary>
    public TimeSpan StopGrace { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Events held while the broker is away.</summary>
    public int QueueCapacity { get; init; } = 10_000;

    /// <summary>The client id: one node, one id.</summary>
    public string ClientId => $"edgenode-{Site}-{Node}";

    /// <summary>Who and where.</summary>
    public override string ToString() => $"{ClientId} at {Broker}";
}
