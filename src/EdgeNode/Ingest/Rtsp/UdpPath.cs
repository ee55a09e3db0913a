using System.Net;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>How one stream travels by UDP: its sockets, the camera's ports, and the order of its packets.</summary>
internal sealed class UdpPath(RtpSockets sockets, TimeProvider clock) : IDisposable
{
    // The smallest RTP packet, of payload type 0, and an empty receiver report: what a firewall or a translating router must see to let answers in.
    private static readonly byte[] DataPuncher = [0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    private static readonly byte[] ControlPuncher = [0x80, 201, 0, 1, 0, 0, 0, 0];

    private SocketAddress? _dataTarget;
    private SocketAddress? _controlTarget;
    private byte[] _peer = [];
    private byte[] _otherPeer = [];

    /// <summary>The sockets.</summary>
    public RtpSockets Sockets { get; } = sockets;

    /// <summary>Puts packets into order.</summary>
    public ReorderBuffer Order { get; } = new(clock);

    /// <summary>Tells whom the packets come from: the camera's address, or the one that it names itself.</summary>
    public void Aim(IPAddress camera, TransportAnswer answer)
    {
        _peer = camera.GetAddressBytes();
        _otherPeer = answer.Source?.GetAddressBytes() ?? [];
        if (answer.ServerPorts is not { } ports)
            return;
        _dataTarget = new IPEndPoint(camera, ports.Data).Serialize();
        _controlTarget = new IPEndPoint(camera, ports.Control).Serialize();
    }

    /// <summary>Whether a datagram from that address is the camera's.</summary>
    public bool IsFromCamera(ReadOnlySpan<byte> sender) => sender.SequenceEqual(_peer) || (_otherPeer.Length > 0 && sender.SequenceEqual(_otherPeer));

    /// <summary>Opens the way through firewalls and address translation.</summary>
    public void Punch()
    {
        if (_dataTarget is not null)
            RtpSockets.Send(Sockets.Data, DataPuncher, _dataTarget);
        if (_controlTarget is not null)
            RtpSockets.Send(Sockets.Control, ControlPuncher, _controlTarget);
    }

    /// <summary>Sends an RTCP packet to the camera.</summary>
    public void SendControl(ReadOnlySpan<byte> packet)
    {
        if (_controlTarget is not null)
            RtpSockets.Send(Sockets.Control, packet, _controlTarget);
    }

    /// <inheritdoc/>
    public void Dispose() => Sockets.Dispose();
}
