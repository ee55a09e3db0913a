using EdgeNode.Ingest.Bitstream;

namespace EdgeNode.Ingest.H264;

/// <summary>The decoding process for picture order counts (ITU-T H.264 §8.2.1), over the pictures of a stream in decoding order.</summary>
internal sealed class PictureOrderCount
{
    private int _period;
    private int _previousMsb; // of the previous reference picture
    private int _previousLsb;
    private int _previousFrameNumber;
    private int _previousOffset;

    /// <summary>What comes next does not build on what came.</summary>
    public void Restart() => Reset();

    /// <summary>Where the next picture comes in output order; a field counts by itself.</summary>
    public PictureOrder Next(in SliceHeader slice, SequenceParameterSet sequence)
    {
        if (slice.IsIdr)
            Reset();
        (int top, int bottom) = sequence.OrderCount.Type switch
        {
            0 => FromLsb(slice, sequence.OrderCount),
            1 => FromCycle(slice, sequence),
            _ => FromFrameNumber(slice, sequence),
        };
        int count = !slice.IsField ? Math.Min(top, bottom) : slice.IsBottomField ? bottom : top;
        if (!slice.ResetsOrder)
            return new PictureOrder(_period, count);

        // Operation 5: what came before is shown before it, and its own count becomes 0 behind it (8-1, tempPicOrderCnt).
        Reset();
        _previousLsb = slice.IsBottomField ? 0 : top - count;
        return new PictureOrder(_period, 0);
    }

    private void Reset()
    {
        _period++;
        _previousMsb = _previousLsb = _previousFrameNumber = _previousOffset = 0;
    }

    // §8.2.1.1
    private (int Top, int Bottom) FromLsb(in SliceHeader slice, OrderCountCoding coding)
    {
        int range = 1 << coding.LsbBits;
        int lsb = slice.OrderCountLsb;
        int msb = _previousMsb;
        if (lsb < _previousLsb && _previousLsb - lsb >= range / 2)
            msb = unchecked(msb + range);
        else if (lsb > _previousLsb && lsb - _previousLsb > range / 2)
            msb = unchecked(msb - range);
        if (slice.IsReference)
        {
            _previousMsb = msb;
            _previousLsb = lsb;
        }

        int count = unchecked(msb + lsb);
        return (count, slice.IsField ? count : unchecked(count + slice.DeltaBottom));
    }

    // §8.2.1.2
    private (int Top, int Bottom) FromCycle(in SliceHeader slice, SequenceParameterSet sequence)
    {
        OrderCountCoding coding = sequence.OrderCount;
        int[] cycle = coding.Cycle;
        int number = cycle.Length == 0 ? 0 : unchecked(FrameNumberOffset(slice, sequence) + slice.FrameNumber);
        if (!slice.IsReference && number > 0)
            number--;
        int expected = 0;
        if (number > 0)
        {
            int cycleLength = 0;
            foreach (int offset in cycle)
                cycleLength = unchecked(cycleLength + offset);
            expected = unchecked((number - 1) / cycle.Length * cycleLength);
            for (int i = 0; i <= (number - 1) % cycle.Length; i++)
                expected = unchecked(expected + cycle[i]);
        }

        if (!slice.IsReference)
            expected = unchecked(expected + coding.OffsetForNonReference);
        int top = unchecked(expected + slice.Delta0);
        return (top, unchecked(top + coding.OffsetTopToBottom + slice.Delta1));
    }

    // §8.2.1.3
    private (int Top, int Bottom) FromFrameNumber(in SliceHeader slice, SequenceParameterSet sequence)
    {
        int offset = FrameNumberOffset(slice, sequence);
        int count = slice.IsIdr ? 0 : unchecked(2 * (offset + slice.FrameNumber) - (slice.IsReference ? 0 : 1));
        return (count, count);
    }

    // (8-6), (8-11)
    private int FrameNumberOffset(in SliceHeader slice, SequenceParameterSet sequence)
    {
        if (_previousFrameNumber > slice.FrameNumber)
            _previousOffset = unchecked(_previousOffset + (1 << sequence.FrameNumberBits));
        _previousFrameNumber = slice.FrameNumber;
        return _previousOffset;
    }
}
