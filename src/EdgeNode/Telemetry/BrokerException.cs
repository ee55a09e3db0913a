using System.Net.Sockets;
using System.Security.Authentication;
using MQTTnet;

namespace EdgeNode.Telemetry;

/// <summary>The broker cannot be used. The message is one sentence for the user, free of secrets: nothing that a broker or library wrote is in it.</summary>
internal sealed class BrokerException(string message) : Exception(message)
{
    /// <summary>Trying again soon is useless or harmful.</summary>
    internal bool IsLasting { get; init; }

    internal static BrokerException From(Exception e, BrokerAddress broker)
    {
        for (Exception? cause = e; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case BrokerException known:
                    return known;
                case SocketException socket:
                    return new BrokerException($"The MQTT broker at {broker} cannot be reached: {Describe(socket.SocketErrorCode)}.");
                case AuthenticationException:
                    return new BrokerException($"The MQTT broker at {broker} does not pass the TLS check: make its certificate name {broker.Host}, and give its authority as mqtt.ca.") { IsLasting = true };
                case OperationCanceledException:
                    return new BrokerException($"The MQTT broker at {broker} does not answer.");
            }
        }

        return new BrokerException($"The MQTT broker at {broker} closed the connection.");
    }

    internal static BrokerException Refused(MqttClientConnectResultCode code, BrokerAddress broker) => code switch
    {
        MqttClientConnectResultCode.BadUserNameOrPassword or MqttClientConnectResultCode.NotAuthorized or MqttClientConnectResultCode.BadAuthenticationMethod =>
            new BrokerException($"The MQTT broker at {broker} refuses the node: check mqtt.username and mqtt.password.") { IsLasting = true },
        MqttClientConnectResultCode.ClientIdentifierNotValid or MqttClientConnectResultCode.Banned =>
            new BrokerException($"The MQTT broker at {broker} refuses the node's client id ({code}): change node.id or the broker's rules.") { IsLasting = true },
        _ => new BrokerException($"The MQTT broker at {broker} refuses the connection ({code})."),
    };

    private static string Describe(SocketError error) => error switch
    {
        SocketError.ConnectionRefused => "nothing listens there",
        SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => "its host name is not known",
        SocketError.TimedOut => "it does not answer",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.NetworkDown => "there is no network to it",
        SocketError.ConnectionReset or SocketError.OperationAborted or SocketError.Interrupted or SocketError.Shutdown => "the connection broke",
        _ => $"{error}",
    };
}
