namespace EdgeNode.Ingest.Bitstream;

/// <summary>
/// A picture's place in output order. Counts are compared within a period; all pictures of a period are shown before those of
/// the next, which begins where a decoder starts its counts anew.
/// </summary>
/// <param name="Period">Counts up from picture order reset to picture order reset.</param>
/// <param name="Count">PicOrderCnt (ITU-T H.264 §8.2.1, H.265 §8.3.1).</param>
internal readonly record struct PictureOrder(int Period, int Count) : IComparable<PictureOrder>
{
    /// <summary>Output order.</summary>
    public int CompareTo(PictureOrder other) => Period != other.Period ? Period.CompareTo(other.Period) : Count.CompareTo(other.Count);

    /// <summary>Shown before the other.</summary>
    public static bool operator <(PictureOrder left, PictureOrder right) => left.CompareTo(right) < 0;

    /// <summary>Shown after the other.</summary>
    public static bool operator >(PictureOrder left, PictureOrder right) => left.CompareTo(right) > 0;
}
