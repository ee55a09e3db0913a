using System.Buffers;
using System.Globalization;
using EdgeNode.Ingest;

namespace EdgeNode.Streaming;

/// <summary>Builds a playlist as UTF-8 in a pooled buffer. Durations are 90 kHz ticks, written in seconds with five decimals.</summary>
internal ref struct PlaylistWriter
{
    private byte[] _buffer;
    private int _length;

    public PlaylistWriter(int capacity) => _buffer = ArrayPool<byte>.Shared.Rent(capacity);

    /// <summary>Ticks in units of 10 µs, rounded down: so no part shows longer than it is.</summary>
    public static long Floor(long ticks) => ticks * 100_000 / AccessUnit.TicksPerSecond;

    /// <summary>Ticks in units of 10 µs, rounded up: so no part exceeds PART-TARGET.</summary>
    public static long Ceiling(long ticks) => (ticks * 100_000 + AccessUnit.TicksPerSecond - 1) / AccessUnit.TicksPerSecond;

    public void Text(scoped ReadOnlySpan<byte> utf8)
    {
        utf8.CopyTo(Reserve(utf8.Length));
        _length += utf8.Length;
    }

    public void Number(long value)
    {
        value.TryFormat(Reserve(20), out int written, provider: CultureInfo.InvariantCulture);
        _length += written;
    }

    /// <summary>Writes a count of 10 µs as seconds.</summary>
    public void Seconds(long hundredThousandths)
    {
        if (hundredThousandths < 0)
            Text("-"u8);
        hundredThousandths = Math.Abs(hundredThousandths);
        Number(hundredThousandths / 100_000);
        Text("."u8);
        (hundredThousandths % 100_000).TryFormat(Reserve(5), out int written, "D5", CultureInfo.InvariantCulture);
        _length += written;
    }

    public void Decimal(double value, ReadOnlySpan<char> format)
    {
        value.TryFormat(Reserve(32), out int written, format, CultureInfo.InvariantCulture);
        _length += written;
    }

    public void Ascii(ReadOnlySpan<char> text) => _length += System.Text.Encoding.ASCII.GetBytes(text, Reserve(text.Length));

    public void Time(DateTime utc)
    {
        utc.TryFormat(Reserve(32), out int written, "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        _length += written;
    }

    /// <summary>The text; the buffer goes back to its pool.</summary>
    public byte[] Finish()
    {
        byte[] text = _buffer.AsSpan(0, _length).ToArray();
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        return text;
    }

    private Span<byte> Reserve(int count)
    {
        if (_length + count > _buffer.Length)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(_length + count, _buffer.Length * 2));
            _buffer.AsSpan(0, _length).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }

        return _buffer.AsSpan(_length);
    }
}
