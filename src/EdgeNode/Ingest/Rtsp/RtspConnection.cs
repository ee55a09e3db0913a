using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>
/// The TCP connection to a camera: a plain blocking socket, whose kernel timeouts are the deadlines, and the framer on
/// it. No asynchronous call is ever made on the socket: it would turn it non-blocking, and each receive into several system calls.
/// For <c>rtsps</c> TLS runs on it. The camera's certificate is not verified: cameras sign theirs themselves, and nobody gives them
/// another; TLS keeps the stream and the password from those who listen, not from one who takes the camera's place (docs/decisions/0005).
/// </summary>
internal sealed class RtspConnection : IDisposable
{
    private static readonly TimeSpan LongestTick = TimeSpan.FromSeconds(1);

    private readonly InterleavedFramer _framer = new();
    private readonly CancellationTokenSource _abort = new();
    private readonly string _address;
    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _resolve;
    private volatile Socket? _socket;
    private SocketStream? _stream;
    private SslStream? _tls;
    private volatile bool _connected;
    private volatile bool _aborted;

    private RtspConnection(string address, Func<string, CancellationToken, Task<IPAddress[]>> resolve)
    {
        _address = address;
        _resolve = resolve;
    }

    /// <summary>Splits what was received.</summary>
    public InterleavedFramer Framer => _framer;

    /// <summary>The camera's address; null before the connection.</summary>
    public IPAddress? RemoteAddress => (_socket?.RemoteEndPoint as IPEndPoint)?.Address;

    /// <summary>Our address towards the camera; null before the connection.</summary>
    public IPAddress? LocalAddress => (_socket?.LocalEndPoint as IPEndPoint)?.Address;

    /// <summary>Whether <see cref="Receive"/> has something to do at once. Not known with TLS, which holds bytes back.</summary>
    public bool IsReadable => _socket!.Poll(TimeSpan.Zero, SelectMode.SelectRead);

    /// <summary>Whether <see cref="Abort"/> was called.</summary>
    public bool IsAborted => _aborted;

    /// <summary>A connection that <see cref="Abort"/> can already reach while <see cref="Connect"/> blocks.</summary>
    /// <param name="address">Host and port, fit for messages.</param>
    /// <param name="resolve">Looks names up; null: the system does.</param>
    public static RtspConnection Create(string address, Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null) =>
        new(address, resolve ?? Dns.GetHostAddressesAsync);

    /// <summary>Resolves the name and connects, trying each address while time is left; with TLS, its handshake is within that time, too.</summary>
    /// <exception cref="SourceException">Nobody answers in time, or it was aborted.</exception>
    public void Connect(string host, int port, TimeSpan within, TimeSpan tick, bool tls = false)
    {
        long started = TimeProvider.System.GetTimestamp();
        SocketException? failure = null;
        foreach (IPAddress address in Resolve(host, within))
        {
            TimeSpan left = within - TimeProvider.System.GetElapsedTime(started);
            if (left <= TimeSpan.Zero)
                break;
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            _socket = socket;
            try
            {
                // On Linux the send timeout bounds a blocking connect, too.
                socket.SendTimeout = Milliseconds(left);
                ThrowIfAborted();
                socket.Connect(address, port);
                _connected = true;
                ThrowIfAborted();
                socket.SendTimeout = Milliseconds(within);
                int tickMilliseconds = Milliseconds(tick < LongestTick ? tick : LongestTick);
                if (tls)
                    ShakeHands(host, within - TimeProvider.System.GetElapsedTime(started));
                socket.ReceiveTimeout = tickMilliseconds;
                _stream?.SetTick(tickMilliseconds);
                return;
            }
            catch (SocketException exception)
            {
                failure = exception;
                socket.Dispose();
                ThrowIfAborted();
            }
            catch (ObjectDisposedException)
            {
                ThrowIfAborted();
                throw;
            }
        }

        throw new SourceException(SourceTrouble.Unreachable, $"No connection to {_address}: {Reason(failure?.SocketErrorCode)}.", failure);
    }

    /// <summary>
    /// Receives once into the framer; false when nothing came within a tick, so that the caller looks at its clocks.
    /// </summary>
    /// <exception cref="SourceException">The connection ended.</exception>
    public bool Receive()
    {
        int count = ReceiveInto(_framer.Free(), out SocketError error);
        if (_aborted)
            ThrowIfAborted();
        if (error == SocketError.Success && count > 0)
        {
            _framer.Received(count);
            return true;
        }

        if (error is SocketError.TimedOut or SocketError.WouldBlock or SocketError.Interrupted)
            return false;
        throw new SourceException(SourceTrouble.Closed, $"The camera at {_address} closed the connection.");
    }

    /// <summary>Sends all bytes.</summary>
    /// <exception cref="SourceException">The connection ended, or the camera does not read.</exception>
    public void Send(ReadOnlySpan<byte> bytes)
    {
        if (TrySend(bytes))
            return;
        ThrowIfAborted();
        throw new SourceException(SourceTrouble.Closed, $"The camera at {_address} closed the connection.");
    }

    /// <summary>
    /// Wakes the reading thread. Only the receiving half is shut, so that it can still say TEARDOWN; while connecting, the socket goes.
    /// </summary>
    public void Abort()
    {
        _aborted = true;
        try
        {
            _abort.Cancel();
            if (_connected)
                _socket?.Shutdown(SocketShutdown.Receive);
            else
                _socket?.Dispose();
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // It went away by itself: what was wanted.
        }
    }

    /// <summary>
    /// Sends a last request and waits for its answer, or for the end of the connection, so that the camera has read it
    /// before the socket goes. Never fails.
    /// </summary>
    public void Finish(byte[] request, int sequence, TimeSpan within)
    {
        Socket? socket = _socket;
        if (!_connected || socket is null)
            return;
        long started = TimeProvider.System.GetTimestamp();
        try
        {
            socket.SendTimeout = Milliseconds(within);
            SocketError error = TrySend(request) ? SocketError.Success : SocketError.Shutdown;
            while (error == SocketError.Success && !(_aborted && _tls is not null)) // TLS takes the end of an aborted connection for final
            {
                while (_framer.Next(out _) is var kind and not InterleavedFrameKind.None)
                {
                    if (kind == InterleavedFrameKind.Message && _framer.Message!.Sequence == sequence)
                        return;
                }

                TimeSpan left = within - TimeProvider.System.GetElapsedTime(started);
                if (left <= TimeSpan.Zero)
                    return;
                socket.ReceiveTimeout = Milliseconds(left);
                int count = ReceiveInto(_framer.Free(), out error);
                if (count > 0)
                    _framer.Received(count);
                else if (error == SocketError.Success && !_aborted)
                    return;
                else if (error == SocketError.Success)
                {
                    // An abort shut the receiving side: a read, and a poll, then answer "no more" at once although the camera's answer may
                    // still come, so there is no event to wait for. Bounded by TEARDOWN's own deadline.
                    Thread.Sleep(5);
                }
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or InvalidDataException)
        {
            // The camera will notice by its own time-out.
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket?.Dispose();
        _tls?.Dispose();
        _abort.Dispose();
    }

    private int ReceiveInto(ArraySegment<byte> free, out SocketError error)
    {
        if (_tls is null)
            return _socket!.Receive(free.AsSpan(), SocketFlags.None, out error);
        try
        {
            error = SocketError.Success;
            return _tls.Read(free.Array!, free.Offset, free.Count);
        }
        catch (Exception exception) when (IsTlsFailure(exception))
        {
            error = _stream!.TimedOut ? SocketError.TimedOut : SocketError.ConnectionReset;
            return 0;
        }
    }

    private bool TrySend(ReadOnlySpan<byte> bytes)
    {
        if (_tls is not null)
        {
            try
            {
                _tls.Write(bytes);
                return true;
            }
            catch (Exception exception) when (IsTlsFailure(exception))
            {
                return false;
            }
        }

        while (!bytes.IsEmpty)
        {
            int count = _socket!.Send(bytes, SocketFlags.None, out SocketError error);
            if (error != SocketError.Success || count <= 0)
                return false;
            bytes = bytes[count..];
        }

        return true;
    }

    private void ShakeHands(string host, TimeSpan within)
    {
        _stream = new SocketStream(_socket!);
        _stream.SetDeadline(within);
        _tls = new SslStream(_stream, leaveInnerStreamOpen: true);
        try
        {
            _tls.AuthenticateAsClient(new SslClientAuthenticationOptions
            {
                TargetHost = host,
                CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
#pragma warning disable CA5359 // Cameras sign their certificates themselves: docs/decisions/0005.
                RemoteCertificateValidationCallback = static (_, _, _, _) => true,
#pragma warning restore CA5359
            });
        }
        catch (Exception exception) when (IsTlsFailure(exception))
        {
            ThrowIfAborted();
            throw _stream.TimedOut
                ? new SourceException(SourceTrouble.Stalled, $"The camera at {_address} does not answer the TLS handshake.", exception)
                : new SourceException(SourceTrouble.Unsupported, $"No TLS with {_address}: set the port at which the camera serves rtsps, or use rtsp://.", exception);
        }
    }

    private static bool IsTlsFailure(Exception exception) =>
        exception is IOException or AuthenticationException or SocketException or InvalidOperationException or NotSupportedException;

    private void ThrowIfAborted()
    {
        if (_aborted)
            throw new SourceException(SourceTrouble.Closed, "The source was stopped.");
    }

    private IPAddress[] Resolve(string host, TimeSpan within)
    {
        if (IPAddress.TryParse(host, out IPAddress? literal))
            return [literal];
        try
        {
            // The system looks a name up once at a time: look-ups that were only left alone would queue up behind a name server
            // that does not answer. One that has begun cannot be called back, so the wait ends by itself, too.
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(_abort.Token);
            deadline.CancelAfter(within);
            return _resolve(host, deadline.Token).WaitAsync(deadline.Token).GetAwaiter().GetResult();
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException or ArgumentException)
        {
            ThrowIfAborted();
            throw new SourceException(SourceTrouble.Unreachable, $"The camera's host name {host} cannot be resolved.", exception);
        }
    }

    private static string Reason(SocketError? error) => error switch
    {
        SocketError.ConnectionRefused => "nothing listens at that port",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.NetworkDown => "there is no route to it",
        _ => "nobody answered in time",
    };

    private static int Milliseconds(TimeSpan time) => Math.Max(1, (int)Math.Min(int.MaxValue, time.TotalMilliseconds));
}
