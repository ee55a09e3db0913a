using EdgeNode.Ingest.Bitstream;

namespace EdgeNode.Ingest.H265;

/// <summary>The decoding process for picture order counts (ITU-T H.265 §8.3.1), over the pictures of a stream in decoding order.</summary>
internal sealed class PictureOrderCount
{
    private bool _beginsSequence = true;
    private bool _skipsRasl;
    private int _period;
    private int _previousLsb;
    private int _previousMsb;

    /// <summary>What comes next does not build on what came: the stream's start, an end of sequence, another source.</summary>
    public void Restart() => _beginsSequence = true;

    /// <summary>
    /// Where the next picture comes in output order. <paramref name="isSkipped"/>: a RASL picture whose random access
    /// picture began the sequence (NoRaslOutputFlag): it cannot be decoded.
    /// </summary>
    public PictureOrder Next(NalUnitType type, int temporalId, int lsb, int lsbBits, out bool isSkipped)
    {
        bool randomAccess = NalUnitHeader.IsRandomAccess(type);
        bool begins = randomAccess && (_beginsSequence || type != NalUnitType.Cra);
        int msb = 0;
        if (randomAccess)
            _skipsRasl = begins && !NalUnitHeader.IsIdr(type);
        if (begins)
        {
            _beginsSequence = false;
            _period++;
        }
        else
        {
            // (8-1)
            int range = 1 << lsbBits;
            msb = _previousMsb;
            if (lsb < _previousLsb && _previousLsb - lsb >= range / 2)
                msb = unchecked(msb + range);
            else if (lsb > _previousLsb && lsb - _previousLsb > range / 2)
                msb = unchecked(msb - range);
        }

        // prevTid0Pic: of the lowest sub-layer, not leading, referred to.
        if (temporalId == 0 && !NalUnitHeader.IsLeading(type) && NalUnitHeader.IsReference(type))
        {
            _previousLsb = lsb;
            _previousMsb = msb;
        }

        isSkipped = _skipsRasl && NalUnitHeader.IsRasl(type);
        return new PictureOrder(_period, unchecked(msb + lsb));
    }
}
