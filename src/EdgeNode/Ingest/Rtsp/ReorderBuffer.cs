using System.Buffers.Binary;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>
/// Puts the RTP packets of one stream, as UDP brings them, into the order of their sequence numbers. A packet in its turn passes
/// without a copy; one that is early waits for those before it, 100 ms at most and <see cref="Places"/> packets at most, and then they are
/// given up: the depacketizer sees the gap and counts it. Late and doubled packets are dropped. Not thread-safe.
/// </summary>
internal sealed class ReorderBuffer(TimeProvider clock)
{
    /// <summary>How far ahead a packet may be; further means another numbering, or a long loss.</summary>
    public const int Places = 64;

    // A packet so far behind is no late one: the camera numbers anew.
    private const int LateAtMost = 1000;
    private const int FixedHeader = 12;
    private const int UsualPacket = 1536;

    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(100);

    private readonly byte[]?[] _bytes = new byte[]?[Places];
    private readonly int[] _lengths = new int[Places];
    private readonly long[] _arrivedAt = new long[Places];
    private bool _started;
    private ushort _expected;
    private uint _source;
    private int _waiting;
    private long _oldestAt;

    // The first packet of another numbering, while those of the old one go out.
    private byte[] _restart = [];
    private int _restartLength;

    /// <summary>Packets that came too late or twice.</summary>
    public long Late { get; private set; }

    /// <summary>Packets that wait for others.</summary>
    public int Waiting => _waiting;

    /// <summary>Takes a packet as it came. True: it is next, hand it on; false: it waits, or is dropped. Take all with <see cref="TryTake"/> before the next.</summary>
    public bool Offer(ReadOnlySpan<byte> packet)
    {
        if (packet.Length < FixedHeader || packet[0] >> 6 != 2)
            return false;
        ushort sequence = BinaryPrimitives.ReadUInt16BigEndian(packet[2..]);
        int ahead = unchecked((short)(sequence - _expected));
        bool isOther = !_started || BinaryPrimitives.ReadUInt32BigEndian(packet[8..]) != _source || ahead >= Places || ahead < -LateAtMost;
        if (isOther && _waiting > 0)
        {
            KeepRestart(packet);
            return false;
        }

        if (isOther)
        {
            Begin(packet);
            return true;
        }

        if (ahead == 0)
        {
            Advance();
            return true;
        }

        if (ahead > 0)
            Keep(packet, sequence % Places);
        else
            Late++;
        return false;
    }

    /// <summary>The next packet among those that waited; it lives until the next <see cref="Offer"/>.</summary>
    public bool TryTake(out ReadOnlySpan<byte> packet)
    {
        packet = default;
        if (_waiting > 0)
        {
            int place = _expected % Places;
            if (_lengths[place] == 0)
            {
                if (_restartLength == 0 && clock.GetElapsedTime(_oldestAt) < Patience)
                    return false;
                while (_lengths[place] == 0)
                    place = ++_expected % Places;
            }

            packet = _bytes[place].AsSpan(0, _lengths[place]);
            _lengths[place] = 0;
            _waiting--;
            Advance();
            return true;
        }

        if (_restartLength == 0)
            return false;
        packet = _restart.AsSpan(0, _restartLength);
        _restartLength = 0;
        Begin(packet);
        return true;
    }

    private void Begin(ReadOnlySpan<byte> packet)
    {
        _started = true;
        _source = BinaryPrimitives.ReadUInt32BigEndian(packet[8..]);
        _expected = unchecked((ushort)(BinaryPrimitives.ReadUInt16BigEndian(packet[2..]) + 1));
    }

    private void Advance()
    {
        _expected++;
        if (_waiting == 0)
            return;
        _oldestAt = long.MaxValue;
        for (int place = 0; place < Places; place++)
        {
            if (_lengths[place] > 0)
                _oldestAt = Math.Min(_oldestAt, _arrivedAt[place]);
        }
    }

    private void KeepRestart(ReadOnlySpan<byte> packet)
    {
        if (_restart.Length < packet.Length)
            _restart = new byte[packet.Length];
        packet.CopyTo(_restart);
        _restartLength = packet.Length;
    }

    private void Keep(ReadOnlySpan<byte> packet, int place)
    {
        if (_lengths[place] > 0)
        {
            Late++;
            return;
        }

        if (_bytes[place] is null || _bytes[place]!.Length < packet.Length)
            _bytes[place] = new byte[Math.Max(UsualPacket, packet.Length)];
        packet.CopyTo(_bytes[place]);
        _lengths[place] = packet.Length;
        _arrivedAt[place] = clock.GetTimestamp();
        if (_waiting++ == 0)
            _oldestAt = _arrivedAt[place];
    }
}
