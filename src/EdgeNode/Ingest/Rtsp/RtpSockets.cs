using System.Net;
using System.Net.Sockets;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>The two UDP sockets of one stream: an even port for RTP, the odd one above it for RTCP (RFC 3550 §11).</summary>
internal sealed class RtpSockets : IDisposable
{
    // A keyframe of a 4K camera comes at once; the kernel takes what net.core.rmem_max allows.
    private const int ReceiveBuffer = 1 << 20;
    private const int PairsTried = 100;

    // Read in turn with others: nobody waits longer for one socket.
    private const int WaitMilliseconds = 50;

    private RtpSockets(Socket data, Socket control)
    {
        Data = data;
        Control = control;
        Port = ((IPEndPoint)data.LocalEndPoint!).Port;
    }

    /// <summary>Receives RTP.</summary>
    public Socket Data { get; }

    /// <summary>Receives and sends RTCP.</summary>
    public Socket Control { get; }

    /// <summary>The even port.</summary>
    public int Port { get; }

    /// <summary>A pair on the given address.</summary>
    /// <exception cref="SourceException">No two ports could be had.</exception>
    public static RtpSockets Bind(IPAddress address)
    {
        for (int pair = 0; pair < PairsTried; pair++)
        {
            Socket? first = TryBind(address, 0);
            if (first is null)
                break;
            int port = ((IPEndPoint)first.LocalEndPoint!).Port;
            Socket? second = TryBind(address, port ^ 1);
            if (second is null)
            {
                first.Dispose();
                continue;
            }

            return port % 2 == 0 ? new RtpSockets(first, second) : new RtpSockets(second, first);
        }

        throw new SourceException(SourceTrouble.Refused, "No pair of UDP ports is free on the node: set transport: tcp.");
    }

    /// <summary>Sends one datagram of RTCP or a mere hole puncher; what does not go out does no harm.</summary>
    public static void Send(Socket socket, ReadOnlySpan<byte> bytes, SocketAddress target)
    {
        try
        {
            socket.SendTo(bytes, SocketFlags.None, target);
        }
        catch (SocketException)
        {
            // Unreachable for the moment: the stream itself will tell.
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Data.Dispose();
        Control.Dispose();
    }

    private static Socket? TryBind(IPAddress address, int port)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            socket.Bind(new IPEndPoint(address, port));
            socket.ReceiveBufferSize = ReceiveBuffer;
            socket.ReceiveTimeout = WaitMilliseconds;
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
    }
}
