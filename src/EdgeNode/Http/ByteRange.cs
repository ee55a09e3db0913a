using System.Globalization;

namespace EdgeNode.Http;

/// <summary>
/// The one range of bytes that a request asks for (RFC 9110 §14.2). Several at once are answered with the whole, as §14.2 allows.
/// </summary>
internal readonly record struct ByteRange(long First, long Count)
{
    /// <summary>Reads a Range header. Null: send the whole. A count of 0: the range lies beyond the end, 416.</summary>
    public static ByteRange? Parse(string? header, long total)
    {
        const string Unit = "bytes=";
        if (header is null || !header.StartsWith(Unit, StringComparison.OrdinalIgnoreCase))
            return null;
        ReadOnlySpan<char> range = header.AsSpan(Unit.Length).Trim();
        int dash = range.IndexOf('-');
        if (dash < 0 || range.Contains(','))
            return null;
        ReadOnlySpan<char> from = range[..dash], to = range[(dash + 1)..];
        if (from.IsEmpty)
        {
            if (!TryNumber(to, out long last))
                return null;
            long count = Math.Min(last, total);
            return new ByteRange(total - count, count);
        }

        long end = long.MaxValue;
        if (!TryNumber(from, out long first) || !(to.IsEmpty || TryNumber(to, out end)) || end < first)
            return null;
        return first >= total ? new ByteRange(0, 0) : new ByteRange(first, Math.Min(end, total - 1) - first + 1);
    }

    private static bool TryNumber(ReadOnlySpan<char> text, out long number) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
