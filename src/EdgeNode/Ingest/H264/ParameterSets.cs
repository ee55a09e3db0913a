using EdgeNode.Ingest.Bitstream;

namespace EdgeNode.Ingest.H264;

/// <summary>
/// The parameter sets a stream has sent so far, by their ids, and the format of the pictures that use them. A camera
/// that repeats its sets keeps its <see cref="VideoFormat"/> instance.
/// </summary>
internal sealed class ParameterSets
{
    private readonly byte[]?[] _sequence = new byte[]?[32];
    private readonly byte[]?[] _picture = new byte[]?[256];
    private readonly byte[] _sequenceOfPicture = new byte[256];
    private VideoFormat? _format;
    private int _formatSequence = -1;
    private bool _changed;

    /// <summary>Takes an SPS or PPS NAL unit, without start code. True when it differs from what was known under its id.</summary>
    /// <exception cref="InvalidDataException">It cannot be read; what was known stays.</exception>
    public bool Put(ReadOnlySpan<byte> unit)
    {
        // A NAL unit never ends in a zero (§7.4.1); cameras pad.
        unit = unit.TrimEnd((byte)0);
        if (unit.Length is < 2 or > SequenceParameterSet.LongestUnit)
            throw new InvalidDataException($"An H.264 parameter set has {unit.Length} bytes; 2 to {SequenceParameterSet.LongestUnit} are allowed.");
        NalUnitType type = NalUnitHeader.TypeOf(unit[0]);
        if (type == NalUnitType.Sps)
            return PutSequence(unit);
        if (type == NalUnitType.Pps)
            return PutPicture(unit);
        throw new InvalidDataException("An H.264 parameter set is neither SPS nor PPS.");
    }

    /// <summary>
    /// The format of a picture whose first slice is given; null while its parameter sets are missing. The same instance
    /// as before unless its sets changed.
    /// </summary>
    /// <exception cref="InvalidDataException">Its SPS cannot be read.</exception>
    public VideoFormat? FormatOf(ReadOnlySpan<byte> slice)
    {
        int picture = PictureSetOf(slice);
        if (_picture[picture] is null)
            return null;
        int sequence = _sequenceOfPicture[picture];
        if (_format is not null && !_changed && sequence == _formatSequence)
            return _format;
        if (_sequence[sequence] is not { } sps)
            return null;

        var pictures = new List<byte[]>();
        for (int id = 0; id < _picture.Length && pictures.Count < 255; id++)
        {
            if (_picture[id] is { } pps && _sequenceOfPicture[id] == sequence)
                pictures.Add(pps);
        }

        VideoFormat format = H264Format.FromParameterSets([sps], pictures);
        _changed = false;
        _formatSequence = sequence;
        if (_format is null || !format.DecoderConfiguration.AsSpan().SequenceEqual(_format.DecoderConfiguration))
            _format = format;
        return _format;
    }

    private bool PutSequence(ReadOnlySpan<byte> unit)
    {
        if (unit.Length < 5)
            throw new InvalidDataException("An H.264 sequence parameter set ends too early.");
        int id = (int)new RbspReader(unit[4..]).ReadUnsigned(31);
        if (_sequence[id] is { } known && unit.SequenceEqual(known))
            return false;
        SequenceParameterSet.Parse(unit);
        _sequence[id] = unit.ToArray();
        return _changed = true;
    }

    private bool PutPicture(ReadOnlySpan<byte> unit)
    {
        var reader = new RbspReader(unit[1..]);
        int id = (int)reader.ReadUnsigned(255);
        int sequence = (int)reader.ReadUnsigned(31);
        if (_picture[id] is { } known && unit.SequenceEqual(known))
            return false;
        _picture[id] = unit.ToArray();
        _sequenceOfPicture[id] = (byte)sequence;
        return _changed = true;
    }

    // slice_header (§7.3.3): first_mb_in_slice, slice_type, pic_parameter_set_id.
    private static int PictureSetOf(ReadOnlySpan<byte> slice)
    {
        var reader = new RbspReader(slice[1..]);
        reader.ReadUnsigned();
        reader.ReadUnsigned(9);
        return (int)reader.ReadUnsigned(255);
    }
}
