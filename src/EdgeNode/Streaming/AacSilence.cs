namespace EdgeNode.Streaming;

/// <summary>One AAC LC frame without a sound: what fills the time when a camera sends none.</summary>
internal static class AacSilence
{
    /// <summary>A raw_data_block (ISO/IEC 14496-3 §4.4.2.1) of one or two channels that have no spectral bands at all.</summary>
    public static byte[] Frame(int channels)
    {
        var bits = new List<bool>(80);
        bool isPair = channels == 2;
        Write(bits, isPair ? 1u : 0u, 3); // ID_CPE or ID_SCE
        Write(bits, 0, 4); // element_instance_tag
        if (isPair)
            Write(bits, 0, 1); // common_window
        for (int channel = 0; channel < channels; channel++)
        {
            Write(bits, 0, 8); // global_gain
            Write(bits, 0, 4); // ics_reserved_bit, window_sequence, window_shape
            Write(bits, 0, 6); // max_sfb
            Write(bits, 0, 1); // predictor_data_present
            Write(bits, 0, 3); // pulse, TNS, gain control
        }

        Write(bits, 7, 3); // ID_END
        byte[] frame = new byte[(bits.Count + 7) / 8];
        for (int i = 0; i < bits.Count; i++)
            frame[i / 8] |= (byte)(bits[i] ? 0x80 >> (i % 8) : 0);
        return frame;
    }

    private static void Write(List<bool> bits, uint value, int count)
    {
        for (int i = count - 1; i >= 0; i--)
            bits.Add(((value >> i) & 1) != 0);
    }
}
