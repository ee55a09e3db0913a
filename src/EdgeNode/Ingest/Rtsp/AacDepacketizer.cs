using System.Buffers.Binary;
using EdgeNode.Ingest.Bitstream;
using EdgeNode.Native.Memory;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>
/// Takes AAC frames out of RTP packets (RFC 3640: one or several whole frames a packet behind their headers, or a
/// fragment of one). A frame that lacks a fragment is left out: players bridge it.
/// </summary>
internal sealed class AacDepacketizer(AacPayload payload, TimeProvider clock) : IDepacketizer
{
    private const int LargestFrame = 0xFFFF; // a size has 16 bits at most
    private const int MostFrames = 64;

    private readonly RtpSequence _sequence = new();
    private readonly Queue<AccessUnit> _units = new();

    private PacketMemory? _fragments;
    private int _fragmentsLength;
    private int _fragmentsExpected;
    private uint _fragmentsTimestamp;
    private uint? _tornTimestamp; // of a frame whose loss is counted already

    private uint _lastTimestamp;
    private long _time; // unwrapped, ticks of the packets' clock
    private long _last = long.MinValue; // 90 kHz

    /// <inheritdoc/>
    public long LostPackets => _sequence.LostPackets;

    /// <inheritdoc/>
    public long SkippedUnits { get; private set; }

    /// <inheritdoc/>
    public uint HighestSequence => _sequence.Highest;

    /// <inheritdoc/>
    public uint Source => _sequence.Source;

    /// <inheritdoc/>
    public void Feed(in RtpPacket packet)
    {
        RtpArrival arrival = _sequence.Check(packet);
        if (arrival == RtpArrival.Duplicate)
            return;
        if (arrival != RtpArrival.Next)
            DropFragments();
        else if (packet.Timestamp != _tornTimestamp)
            _tornTimestamp = null;
        if (_fragments is not null && packet.Timestamp != _fragmentsTimestamp)
            DropFragments();
        MoveTo(packet.Timestamp, arrival == RtpArrival.OtherSource);
        ReadOnlySpan<byte> bytes = packet.Payload;
        if (bytes.Length < 2)
            return;
        int headerBits = BinaryPrimitives.ReadUInt16BigEndian(bytes);
        int headerBytes = (headerBits + 7) / 8;
        if (headerBytes > bytes.Length - 2)
        {
            SkippedUnits++;
            return;
        }

        FeedFrames(bytes.Slice(2, headerBytes), headerBits, bytes[(2 + headerBytes)..], packet);
    }

    /// <inheritdoc/>
    public bool TryTake(out AccessUnit unit) => _units.TryDequeue(out unit!);

    /// <inheritdoc/>
    public void Dispose()
    {
        while (_units.TryDequeue(out AccessUnit? unit))
            unit.Release();
        _fragments?.Release();
        _fragments = null;
    }

    private void FeedFrames(ReadOnlySpan<byte> headers, int headerBits, ReadOnlySpan<byte> data, in RtpPacket packet)
    {
        var reader = new BitReader(headers);
        int indexBits = payload.IndexBits;
        for (int frame = 0; frame < MostFrames && headerBits >= payload.SizeBits + indexBits; frame++)
        {
            int size = (int)reader.ReadBits(payload.SizeBits);
            reader.ReadBits(indexBits);
            headerBits -= payload.SizeBits + indexBits;
            indexBits = payload.IndexDeltaBits;
            if (size > data.Length || _fragments is not null)
            {
                // A fragment is alone in its packet (§3.2.3.2).
                if (frame == 0)
                    FeedFragment(size, data, packet);
                else
                    SkippedUnits++;
                return;
            }

            if (size > 0)
                Add(data[..size], frame);
            data = data[size..];
        }
    }

    private void FeedFragment(int size, ReadOnlySpan<byte> data, in RtpPacket packet)
    {
        if (_fragments is null)
        {
            _fragments = PacketMemory.Rent(LargestFrame);
            _fragmentsLength = 0;
            _fragmentsExpected = size;
            _fragmentsTimestamp = packet.Timestamp;
        }

        if (size != _fragmentsExpected || data.Length > size - _fragmentsLength)
        {
            DropFragments();
            return;
        }

        data.CopyTo(_fragments.Span[_fragmentsLength..]);
        _fragmentsLength += data.Length;
        if (_fragmentsLength == _fragmentsExpected)
        {
            Add(_fragments.Span[.._fragmentsLength], 0);
            _fragments.Release();
            _fragments = null;
        }
        else if (packet.Marker)
        {
            DropFragments(); // the last fragment, and yet too short: its beginning was lost
        }
    }

    private void DropFragments()
    {
        if (_fragments is null)
            return;
        _fragments.Release();
        _fragments = null;
        if (_fragmentsTimestamp != _tornTimestamp)
            SkippedUnits++;
        _tornTimestamp = _fragmentsTimestamp;
    }

    private void MoveTo(uint timestamp, bool otherSource)
    {
        int step = unchecked((int)(timestamp - _lastTimestamp));
        _lastTimestamp = timestamp;
        if (_last == long.MinValue)
        {
            _time = timestamp;
            return;
        }

        // A clock that goes back goes on behind the last frame instead; jumps ahead are the camera's and stay.
        _time = step < 0 || otherSource ? _last * payload.ClockRate / AccessUnit.TicksPerSecond + FrameTicks(1) : _time + step;
    }

    private long FrameTicks(int frames) => (long)frames * payload.Config.FrameLength * payload.ClockRate / payload.Config.CoreRate;

    private void Add(ReadOnlySpan<byte> frame, int index)
    {
        long time = (_time + FrameTicks(index)) * AccessUnit.TicksPerSecond / payload.ClockRate;
        if (time <= _last)
            time = _last + Math.Max(1, (long)payload.Config.FrameLength * AccessUnit.TicksPerSecond / payload.Config.CoreRate);
        _last = time;
        PacketMemory memory = PacketMemory.Rent(frame.Length);
        frame.CopyTo(memory.Span);
        _units.Enqueue(AccessUnit.CreateAudio(memory, frame.Length, payload.Format, new AccessUnitTiming(time, time, clock.GetUtcNow().UtcDateTime)));
    }
}
