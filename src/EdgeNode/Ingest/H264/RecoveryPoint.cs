using EdgeNode.Ingest.Bitstream;

namespace EdgeNode.Ingest.H264;

/// <summary>
/// The recovery point message (ITU-T H.264 §D.1.8): a decoder may begin at its picture, and has right pictures after so many
/// frames. Open GOPs mark their I pictures so, with 0 frames; periodic intra refresh each beginning of a refresh.
/// </summary>
/// <param name="Frames">recovery_frame_cnt: reference frames to go until pictures are right.</param>
internal readonly record struct RecoveryPoint(int Frames)
{
    private const int PayloadType = 6;
    private const int LongestUnit = 4096;
    private const int MostFrames = 0xFFFF;

    /// <summary>Finds the message in an SEI NAL unit. Only the unit's first 4 KiB are looked at: vendors fill SEI with data of their own.</summary>
    public static bool TryRead(ReadOnlySpan<byte> unit, out RecoveryPoint point)
    {
        point = default;
        if (unit.Length < 4 || NalUnitHeader.TypeOf(unit[0]) != NalUnitType.Sei)
            return false;
        var reader = new RbspReader(unit[1..Math.Min(unit.Length, LongestUnit)]);
        try
        {
            // Asked before it ends: an exception for each vendor's SEI would be one for each picture.
            while (reader.BytesLeft >= 2)
            {
                int type = ReadNumber(ref reader);
                int size = ReadNumber(ref reader);
                if (type == PayloadType)
                {
                    point = new RecoveryPoint((int)reader.ReadUnsigned(MostFrames));
                    return true;
                }

                if (size > reader.BytesLeft)
                    return false;
                reader.SkipBits(8 * size);
            }

            return false;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    /// <summary>Writes an SEI NAL unit with the message alone, behind a 4-byte length: a decoder that begins here needs it.</summary>
    /// <param name="into">16 bytes at least.</param>
    /// <returns>Bytes written.</returns>
    public int Write(Span<byte> into)
    {
        // ue(v), exact_match_flag 1, broken_link_flag 0, changing_slice_group_idc 0, and a stop bit where the message is no whole bytes.
        uint code = (uint)Frames + 1;
        int length = 32 - System.Numerics.BitOperations.LeadingZeroCount(code);
        int bits = 2 * length - 1 + 4;
        int size = (bits + 7) / 8;
        ulong payload = ((ulong)code << 4) | 8;
        int fill = 8 * size - bits;
        if (fill > 0)
            payload = (payload << fill) | (1ul << (fill - 1));

        into[..16].Clear();
        into[3] = (byte)(4 + size);
        into[4] = (byte)NalUnitType.Sei;
        into[5] = PayloadType;
        into[6] = (byte)size;
        for (int i = 0; i < size; i++)
            into[7 + i] = (byte)(payload >> (8 * (size - 1 - i)));
        into[7 + size] = 0x80; // rbsp_trailing_bits
        return 8 + size;
    }

    // Type and size: 255 as long as it goes on (§7.3.2.3.1).
    private static int ReadNumber(ref RbspReader reader)
    {
        int number = 0;
        uint value;
        do
        {
            value = reader.ReadBits(8);
            number += (int)value;
        }
        while (value == 0xFF);
        return number;
    }
}
