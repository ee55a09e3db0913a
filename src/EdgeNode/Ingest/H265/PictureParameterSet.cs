using EdgeNode.Ingest.Bitstream;

namespace EdgeNode.Ingest.H265;

/// <summary>The beginning of a picture parameter set (ITU-T H.265 §7.3.2.3.1): what a slice segment's header needs.</summary>
internal readonly record struct PictureParameterSet(int Id, int SequenceId, bool DependentSlices, bool OutputFlag, int ExtraSliceBits)
{
    /// <summary>Reads a PPS NAL unit without start code or length.</summary>
    /// <exception cref="InvalidDataException">It is no PPS, or ends early.</exception>
    public static PictureParameterSet Parse(ReadOnlySpan<byte> unit)
    {
        if (unit.Length < NalUnitHeader.Length + 1 || NalUnitHeader.TypeOf(unit[0]) != NalUnitType.Pps)
            throw new InvalidDataException("The H.265 picture parameter set is missing.");
        var reader = new RbspReader(unit[NalUnitHeader.Length..]);
        int id = (int)reader.ReadUnsigned(63);
        int sequence = (int)reader.ReadUnsigned(15);
        bool dependent = reader.ReadBit();
        bool output = reader.ReadBit();
        return new PictureParameterSet(id, sequence, dependent, output, (int)reader.ReadBits(3));
    }
}
