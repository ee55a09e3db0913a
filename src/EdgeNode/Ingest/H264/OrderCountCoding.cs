using EdgeNode.Ingest.Bitstream;

namespace EdgeNode.Ingest.H264;

/// <summary>How picture order counts are coded: pic_order_cnt_type and what belongs to it (ITU-T H.264 §7.3.2.1.1).</summary>
/// <param name="Type">pic_order_cnt_type: 0 in each slice, 1 by a cycle, 2 decoding order.</param>
/// <param name="LsbBits">Type 0: bits of pic_order_cnt_lsb, 4 to 16.</param>
/// <param name="DeltaAlwaysZero">Type 1: delta_pic_order_always_zero_flag.</param>
/// <param name="OffsetForNonReference">Type 1: offset_for_non_ref_pic.</param>
/// <param name="OffsetTopToBottom">Type 1: offset_for_top_to_bottom_field.</param>
/// <param name="Cycle">Type 1: offset_for_ref_frame, 255 at most.</param>
internal readonly record struct OrderCountCoding(
    int Type, int LsbBits, bool DeltaAlwaysZero, int OffsetForNonReference, int OffsetTopToBottom, int[] Cycle)
{
    private const int LongestCycle = 255;

    /// <summary>Reads it where the SPS has it.</summary>
    public static OrderCountCoding Read(ref RbspReader reader)
    {
        int type = (int)reader.ReadUnsigned(2);
        if (type == 0)
            return new OrderCountCoding(type, 4 + (int)reader.ReadUnsigned(12), false, 0, 0, []);
        if (type == 2)
            return new OrderCountCoding(type, 0, false, 0, 0, []);
        bool always = reader.ReadBit();
        int nonReference = reader.ReadSigned();
        int topToBottom = reader.ReadSigned();
        int[] cycle = new int[reader.ReadUnsigned(LongestCycle)];
        for (int i = 0; i < cycle.Length; i++)
            cycle[i] = reader.ReadSigned();
        return new OrderCountCoding(type, 0, always, nonReference, topToBottom, cycle);
    }
}
