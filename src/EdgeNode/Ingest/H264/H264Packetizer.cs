using System.Buffers.Binary;
using EdgeNode.Ingest.Bitstream;
using EdgeNode.Native.Memory;

namespace EdgeNode.Ingest.H264;

/// <summary>
/// Turns a demuxer's packets into the node's access units: Annex B start codes (ITU-T H.264 annex B) or lengths of 1 to 4 bytes
/// become lengths of 4, and parameter sets go from the pictures into the <see cref="Format"/>. Access unit delimiters and filler
/// are left out.
/// </summary>
internal sealed class H264Packetizer : Libav.IPacketizer
{
    private const int LengthSize = 4;
    private const int MostParameterSets = 31;
    private const int LongestPicture = 32 << 20;

    private readonly List<byte[]> _sequence = [];
    private readonly List<byte[]> _picture = [];
    private int _sourceLengthSize; // 0: Annex B
    private bool _setsChanged;
    private bool _damagedSinceKey;

    /// <summary>The parameters of the last picture; null before they are known.</summary>
    public VideoFormat? Format { get; private set; }

    /// <summary>Takes a demuxer's extradata: an avcC record, Annex B parameter sets, or nothing.</summary>
    /// <exception cref="InvalidDataException">It cannot be read.</exception>
    public void SetParameters(ReadOnlySpan<byte> extradata)
    {
        if (extradata.IsEmpty)
        {
            _sourceLengthSize = 0;
            return;
        }

        if (extradata[0] == 1)
        {
            DecoderConfigurationRecord record = DecoderConfigurationRecord.Read(extradata);
            _sourceLengthSize = record.LengthSize;
            foreach (byte[] set in record.SequenceParameterSets)
                Keep(_sequence, set);
            foreach (byte[] set in record.PictureParameterSets)
                Keep(_picture, set);
        }
        else
        {
            _sourceLengthSize = 0;
            var units = new NalUnitReader(extradata, _sourceLengthSize);
            while (units.TryRead(out ReadOnlySpan<byte> unit))
                KeepIfParameterSet(unit);
        }

        UpdateFormat();
    }

    /// <summary>Says that something before the next packet was lost.</summary>
    public void MarkDamaged() => _damagedSinceKey = true;

    /// <summary>Copies one packet, which holds one picture, into a block that the caller releases; null when it holds no slice, or no parameter sets are known yet.</summary>
    /// <exception cref="InvalidDataException">The packet's lengths or parameter sets make no sense.</exception>
    public PacketMemory? Packetize(ReadOnlySpan<byte> data, out int length, out AccessUnitFlags flags)
    {
        length = 0;
        flags = AccessUnitFlags.None;

        if (data.Length > LongestPicture)
            throw new InvalidDataException($"The H.264 picture has {data.Length} bytes; {LongestPicture} are the most.");

        // First its length and its parameter sets, then the copy.
        bool hasSlice = false;
        var units = new NalUnitReader(data, _sourceLengthSize);
        while (units.TryRead(out ReadOnlySpan<byte> unit))
        {
            NalUnitType type = NalUnitHeader.TypeOf(unit[0]);
            if (KeepIfParameterSet(unit) || !IsKept(type))
                continue;
            length += LengthSize + unit.Length;
            if (!NalUnitHeader.IsSlice(type))
                continue;
            hasSlice = true;
            if (type == NalUnitType.IdrSlice)
                flags |= AccessUnitFlags.Key;
            if (NalUnitHeader.IsReference(unit[0]))
                flags |= AccessUnitFlags.Reference;
        }

        UpdateFormat();
        if (!hasSlice || Format is null)
            return null;
        if ((flags & AccessUnitFlags.Key) != 0)
            _damagedSinceKey = false;
        if (_damagedSinceKey)
            flags |= AccessUnitFlags.Damaged;

        PacketMemory memory = PacketMemory.Rent(length);
        Span<byte> into = memory.Span;
        units = new NalUnitReader(data, _sourceLengthSize);
        while (units.TryRead(out ReadOnlySpan<byte> unit))
        {
            if (!IsKept(NalUnitHeader.TypeOf(unit[0])))
                continue;
            BinaryPrimitives.WriteInt32BigEndian(into, unit.Length);
            unit.CopyTo(into[LengthSize..]);
            into = into[(LengthSize + unit.Length)..];
        }

        return memory;
    }

    private static bool IsKept(NalUnitType type) => type is >= NalUnitType.Slice and <= NalUnitType.Sei;

    private bool KeepIfParameterSet(ReadOnlySpan<byte> unit)
    {
        switch (NalUnitHeader.TypeOf(unit[0]))
        {
            case NalUnitType.Sps:
                Keep(_sequence, unit);
                return true;
            case NalUnitType.Pps:
                Keep(_picture, unit);
                return true;
            default:
                return false;
        }
    }

    private void Keep(List<byte[]> sets, ReadOnlySpan<byte> unit)
    {
        int id = IdOf(unit);
        for (int i = 0; i < sets.Count; i++)
        {
            if (unit.SequenceEqual(sets[i]))
                return;
            if (IdOf(sets[i]) == id)
            {
                sets[i] = unit.ToArray();
                _setsChanged = true;
                return;
            }
        }

        if (sets.Count >= MostParameterSets)
            throw new InvalidDataException("The H.264 stream has too many parameter sets.");
        sets.Add(unit.ToArray());
        _setsChanged = true;
    }

    // seq_parameter_set_id lies behind profile, constraints and level; pic_parameter_set_id comes first (§7.3.2.1.1, §7.3.2.2).
    private static int IdOf(ReadOnlySpan<byte> unit)
    {
        int header = NalUnitHeader.TypeOf(unit[0]) == NalUnitType.Sps ? 4 : 1;
        if (unit.Length <= header)
            throw new InvalidDataException("An H.264 parameter set ends too early.");
        return (int)new RbspReader(unit[header..]).ReadUnsigned(255);
    }

    private void UpdateFormat()
    {
        if (!_setsChanged || _sequence.Count == 0 || _picture.Count == 0)
            return;
        _setsChanged = false;
        Format = H264Format.FromParameterSets([.. _sequence], [.. _picture]);
    }
}
