using System.Buffers.Binary;
using EdgeNode.Ingest.Bitstream;
using EdgeNode.Ingest.H265;
using EdgeNode.Native.Memory;

namespace EdgeNode.Ingest.Libav;

/// <summary>
/// Turns a demuxer's H.265 packets into the coded bytes of access units, as <see cref="H264.H264Packetizer"/> does for H.264: start codes or lengths of
/// 1 to 4 bytes become lengths of 4, parameter sets go into the <see cref="Format"/>. Layers above 0, delimiters and filler are left out, and so are
/// leading pictures that build on what was never seen (RASL, ITU-T H.265 §8.3.3).
/// </summary>
internal sealed class H265Packetizer : IPacketizer
{
    private const int LengthSize = 4;
    private const int LongestPicture = 32 << 20;

    private readonly ParameterSets _sets = new();
    private int _sourceLengthSize; // 0: Annex B
    private bool _damagedSinceKey;
    private bool _lacksLeading = true;

    /// <inheritdoc/>
    public VideoFormat? Format { get; private set; }

    /// <inheritdoc/>
    public void SetParameters(ReadOnlySpan<byte> extradata)
    {
        _sourceLengthSize = 0;
        _lacksLeading = true;
        if (extradata.IsEmpty)
            return;
        if (extradata[0] != 1)
        {
            var units = new NalUnitReader(extradata, lengthSize: 0);
            while (units.TryRead(out ReadOnlySpan<byte> unit))
                PutIfParameterSet(unit);
            return;
        }

        DecoderConfigurationRecord record = DecoderConfigurationRecord.Read(extradata);
        _sourceLengthSize = record.LengthSize;
        foreach (byte[] set in (IEnumerable<byte[]>)[.. record.VideoParameterSets, .. record.SequenceParameterSets, .. record.PictureParameterSets])
            _sets.Put(set);
        if (record is { VideoParameterSets.Count: > 0, SequenceParameterSets.Count: > 0, PictureParameterSets.Count: > 0 })
            Format ??= H265Format.FromDecoderConfiguration(extradata);
    }

    /// <inheritdoc/>
    public void MarkDamaged() => _damagedSinceKey = true;

    /// <inheritdoc/>
    public PacketMemory? Packetize(ReadOnlySpan<byte> data, out int length, out AccessUnitFlags flags)
    {
        length = 0;
        flags = AccessUnitFlags.None;
        if (data.Length > LongestPicture)
            throw new InvalidDataException($"The H.265 picture has {data.Length} bytes; {LongestPicture} are the most.");

        // First its length and its parameter sets, then the copy.
        NalUnitType? picture = null;
        ReadOnlySpan<byte> firstSlice = default;
        var units = new NalUnitReader(data, _sourceLengthSize);
        while (units.TryRead(out ReadOnlySpan<byte> unit))
        {
            if (PutIfParameterSet(unit) || !IsKept(unit))
                continue;
            length += LengthSize + unit.Length;
            NalUnitType type = NalUnitHeader.TypeOf(unit[0]);
            if (picture is not null || !NalUnitHeader.IsSlice(type))
                continue;
            picture = type;
            firstSlice = unit;
        }

        if (picture is not { } kind || _sets.FormatOf(firstSlice) is not { } format)
            return null;
        if (NalUnitHeader.IsRandomAccess(kind))
        {
            // After an IDR nothing is missing; after the first CRA its skipped leading pictures are.
            _lacksLeading = (_lacksLeading || _damagedSinceKey) && !NalUnitHeader.IsIdr(kind);
            _damagedSinceKey = false;
            flags |= AccessUnitFlags.Key;
        }
        else if (_lacksLeading && NalUnitHeader.IsRasl(kind))
        {
            return null;
        }
        else if (!NalUnitHeader.IsLeading(kind))
        {
            _lacksLeading = false;
        }

        if (NalUnitHeader.IsReference(kind))
            flags |= AccessUnitFlags.Reference;
        if (_damagedSinceKey)
            flags |= AccessUnitFlags.Damaged;
        Format = format;

        PacketMemory memory = PacketMemory.Rent(length);
        Span<byte> into = memory.Span;
        units = new NalUnitReader(data, _sourceLengthSize);
        while (units.TryRead(out ReadOnlySpan<byte> unit))
        {
            if (!IsKept(unit))
                continue;
            BinaryPrimitives.WriteInt32BigEndian(into, unit.Length);
            unit.CopyTo(into[LengthSize..]);
            into = into[(LengthSize + unit.Length)..];
        }

        return memory;
    }

    private static bool IsKept(ReadOnlySpan<byte> unit)
    {
        if (unit.Length <= NalUnitHeader.Length || NalUnitHeader.LayerOf(unit[0], unit[1]) != 0)
            return false;
        NalUnitType type = NalUnitHeader.TypeOf(unit[0]);
        return NalUnitHeader.IsSlice(type) || type is NalUnitType.PrefixSei or NalUnitType.SuffixSei;
    }

    private bool PutIfParameterSet(ReadOnlySpan<byte> unit)
    {
        if (!NalUnitHeader.IsParameterSet(NalUnitHeader.TypeOf(unit[0])))
            return false;
        if (unit.Length > NalUnitHeader.Length && NalUnitHeader.LayerOf(unit[0], unit[1]) == 0)
            _sets.Put(unit);
        return true;
    }
}
