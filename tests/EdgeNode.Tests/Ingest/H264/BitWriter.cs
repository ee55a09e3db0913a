namespace EdgeNode.Tests.Ingest.H264;

/// <summary>Writes headers bit by bit, for streams that no encoder here makes.</summary>
internal sealed class BitWriter
{
    private readonly List<byte> _bytes = [];
    private int _free;

    public BitWriter Bits(uint value, int count)
    {
        for (int i = count - 1; i >= 0; i--)
            Bit((value >> i) & 1);
        return this;
    }

    public BitWriter Unsigned(uint value)
    {
        int length = 32 - System.Numerics.BitOperations.LeadingZeroCount(value + 1);
        return Bits(0, length - 1).Bits(value + 1, length);
    }

    /// <summary>The bytes with stop bit and, where needed, emulation prevention.</summary>
    public byte[] ToUnit(params byte[] header)
    {
        Bit(1);
        var unit = new List<byte>(header);
        int zeros = 0;
        foreach (byte value in _bytes)
        {
            if (zeros >= 2 && value <= 3)
            {
                unit.Add(3);
                zeros = 0;
            }

            unit.Add(value);
            zeros = value == 0 ? zeros + 1 : 0;
        }

        return [.. unit];
    }

    private void Bit(uint bit)
    {
        if (_free == 0)
        {
            _bytes.Add(0);
            _free = 8;
        }

        _bytes[^1] |= (byte)(bit << --_free);
    }
}
