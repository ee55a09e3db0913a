using System.Buffers.Binary;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>What <see cref="InterleavedFramer.Next"/> found.</summary>
internal enum InterleavedFrameKind
{
    /// <summary>Nothing whole: receive more.</summary>
    None,

    /// <summary>Binary data of a channel (RFC 2326 §10.12).</summary>
    Data,

    /// <summary>An RTSP message.</summary>
    Message,
}

/// <summary>
/// Splits the bytes of an RTSP connection into interleaved frames and messages without copying them: one buffer, filled
/// by large receives, in which only the unfinished rest of a frame moves to the front.
/// </summary>
internal sealed class InterleavedFramer
{
    private const byte Dollar = (byte)'$';
    private const int FrameHeader = 4;
    private const int BufferSize = FrameHeader + ushort.MaxValue + 1;

    // Garbage between frames that is stepped over before the connection is given up.
    private const int MostGarbage = 256 * 1024;
    private const int HighestChannelInGarbage = 31;

    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(BufferSize, pinned: true);
    private int _start;
    private int _end;
    private int _garbage;

    /// <summary>Channel of the frame found last.</summary>
    public byte Channel { get; private set; }

    /// <summary>The message found last.</summary>
    public RtspMessage? Message { get; private set; }

    /// <summary>Bytes stepped over since the connection began because they were neither frame nor message.</summary>
    public long SkippedBytes { get; private set; }

    /// <summary>Room to receive into, never empty after <see cref="Next"/> has said <see cref="InterleavedFrameKind.None"/>. Ends the life of the frames found before.</summary>
    public ArraySegment<byte> Free()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        return new ArraySegment<byte>(_buffer, _end, BufferSize - _end);
    }

    /// <summary>Says that so many bytes of <see cref="Free"/> were filled.</summary>
    public void Received(int count) => _end += count;

    /// <summary>Finds the next frame; <paramref name="payload"/> lies in the buffer and lives until <see cref="Free"/>.</summary>
    /// <exception cref="InvalidDataException">A message that is broken or too large, or too much that is neither.</exception>
    public InterleavedFrameKind Next(out ReadOnlySpan<byte> payload)
    {
        payload = default;
        while (true)
        {
            ReadOnlySpan<byte> bytes = _buffer.AsSpan(_start, _end - _start);
            if (bytes.IsEmpty)
                return InterleavedFrameKind.None;
            if (bytes[0] == Dollar)
            {
                if (bytes.Length < FrameHeader)
                    return InterleavedFrameKind.None;
                int length = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
                if (_garbage > 0 && length > 0)
                {
                    // Out of step, any '$' of the garbage looks like a frame: this one must hold RTP or RTCP of version 2 on a low channel.
                    if (bytes.Length == FrameHeader)
                        return InterleavedFrameKind.None;
                    if (bytes[1] > HighestChannelInGarbage || bytes[FrameHeader] >> 6 != 2)
                    {
                        SkipGarbage(bytes);
                        continue;
                    }
                }

                if (bytes.Length < FrameHeader + length)
                    return InterleavedFrameKind.None;
                Channel = bytes[1];
                payload = bytes.Slice(FrameHeader, length);
                _start += FrameHeader + length;
                _garbage = 0;
                return InterleavedFrameKind.Data;
            }

            if (char.IsAsciiLetterUpper((char)bytes[0]))
            {
                int known = MayBeMessage(bytes);
                if (known == 0)
                    return InterleavedFrameKind.None;
                if (known > 0)
                    return NextMessage(bytes) ? InterleavedFrameKind.Message : InterleavedFrameKind.None;
            }

            SkipGarbage(bytes);
        }
    }

    private bool NextMessage(ReadOnlySpan<byte> bytes)
    {
        long length = RtspMessage.Measure(bytes, out int head);
        if (length > BufferSize)
            throw new InvalidDataException($"The camera's answer has {length} bytes; {BufferSize} are the most.");
        if (length == 0 || length > bytes.Length)
            return false;
        Message = RtspMessage.Parse(bytes[..(int)length], head);
        _start += (int)length;
        _garbage = 0;
        return true;
    }

    /// <summary>1: a message begins here; 0: too early to say; -1: no.</summary>
    private static int MayBeMessage(ReadOnlySpan<byte> bytes)
    {
        // "RTSP/1.0 …", or a request's method: capitals and '_', then a space.
        ReadOnlySpan<byte> version = "RTSP/"u8;
        if (bytes.Length >= version.Length && bytes.StartsWith(version))
            return 1;
        for (int i = 0; i < bytes.Length && i < 16; i++)
        {
            if (bytes[i] == ' ')
                return i >= 3 ? IsRequestLine(bytes) : -1;
            if (!char.IsAsciiLetterUpper((char)bytes[i]) && bytes[i] != '_' && !(i == 4 && bytes[i] == '/'))
                return -1;
        }

        return bytes.Length < 16 ? 0 : -1;
    }

    private static int IsRequestLine(ReadOnlySpan<byte> bytes)
    {
        int end = bytes.IndexOf((byte)'\n');
        if (end < 0)
            return bytes.Length < RtspMessage.LongestHead ? 0 : -1;
        return bytes[..end].IndexOf("RTSP/"u8) > 0 ? 1 : -1;
    }

    private void SkipGarbage(ReadOnlySpan<byte> bytes)
    {
        // To the next '$' or the next message; the byte at the front is neither.
        ReadOnlySpan<byte> rest = bytes[1..];
        int frame = rest.IndexOf(Dollar);
        if (frame >= 0)
            rest = rest[..frame]; // no further: garbage full of '$' would be searched to its end at each of them
        int message = rest.IndexOf("RTSP/"u8);
        int next = message < 0 ? frame : message;
        int skipped = next < 0 ? bytes.Length : next + 1;
        _start += skipped;
        _garbage += skipped;
        SkippedBytes += skipped;
        if (_garbage > MostGarbage)
            throw new InvalidDataException("The camera sends something that is neither RTSP nor RTP.");
    }
}
