namespace EdgeNode.Ingest.H265;

/// <summary>
/// The parameter sets a stream has sent so far, by their ids, and the format of the pictures that use them. A camera
/// that repeats its sets keeps its <see cref="VideoFormat"/> instance.
/// </summary>
internal sealed class ParameterSets
{
    private readonly byte[]?[] _video = new byte[]?[16];
    private readonly byte[]?[] _sequence = new byte[]?[16];
    private readonly SequenceParameterSet?[] _parsedSequence = new SequenceParameterSet?[16];
    private readonly byte[]?[] _picture = new byte[]?[64];
    private readonly PictureParameterSet[] _parsedPicture = new PictureParameterSet[64];
    private VideoFormat? _format;
    private int _formatSequence = -1;
    private bool _changed;

    /// <summary>Takes a VPS, SPS or PPS NAL unit, without start code. True when it differs from what was known under its id.</summary>
    /// <exception cref="InvalidDataException">It cannot be read; what was known stays.</exception>
    public bool Put(ReadOnlySpan<byte> unit)
    {
        // A NAL unit never ends in a zero (§7.4.2.1); cameras pad.
        unit = unit.TrimEnd((byte)0);
        if (unit.Length <= NalUnitHeader.Length || unit.Length > SequenceParameterSet.LongestUnit)
            throw new InvalidDataException($"An H.265 parameter set has {unit.Length} bytes; 3 to {SequenceParameterSet.LongestUnit} are allowed.");
        return NalUnitHeader.TypeOf(unit[0]) switch
        {
            NalUnitType.Vps => PutVideo(unit),
            NalUnitType.Sps => PutSequence(unit),
            NalUnitType.Pps => PutPicture(unit),
            _ => throw new InvalidDataException("An H.265 parameter set is neither VPS, SPS nor PPS."),
        };
    }

    /// <summary>The sets that a slice names; false while they are missing.</summary>
    /// <exception cref="InvalidDataException">The slice ends before it names them.</exception>
    public bool TryGet(ReadOnlySpan<byte> slice, out SequenceParameterSet sequence, out PictureParameterSet picture)
    {
        int id = SliceSegmentHeader.PictureSetOf(slice);
        picture = _parsedPicture[id];
        sequence = _parsedSequence[picture.SequenceId]!;
        return _picture[id] is not null && sequence is not null;
    }

    /// <summary>
    /// The format of a picture whose first slice is given; null while its parameter sets are missing. The same instance
    /// as before unless its sets changed.
    /// </summary>
    /// <exception cref="InvalidDataException">The slice or its sets cannot be read.</exception>
    public VideoFormat? FormatOf(ReadOnlySpan<byte> slice)
    {
        if (!TryGet(slice, out SequenceParameterSet parsed, out _))
            return null;
        if (_format is not null && !_changed && parsed.Id == _formatSequence)
            return _format;
        if (_video[parsed.VideoId] is not { } vps)
            return null;

        var pictures = new List<byte[]>();
        for (int id = 0; id < _picture.Length; id++)
        {
            if (_picture[id] is { } pps && _parsedPicture[id].SequenceId == parsed.Id)
                pictures.Add(pps);
        }

        VideoFormat format = H265Format.FromParameterSets([vps], [_sequence[parsed.Id]!], pictures);
        _changed = false;
        _formatSequence = parsed.Id;
        if (_format is null || !format.DecoderConfiguration.AsSpan().SequenceEqual(_format.DecoderConfiguration))
            _format = format;
        return _format;
    }

    private bool PutVideo(ReadOnlySpan<byte> unit) => Keep(_video, VideoParameterSet.IdOf(unit), unit);

    private bool PutSequence(ReadOnlySpan<byte> unit)
    {
        var parsed = SequenceParameterSet.Parse(unit);
        if (!Keep(_sequence, parsed.Id, unit))
            return false;
        _parsedSequence[parsed.Id] = parsed;
        return true;
    }

    private bool PutPicture(ReadOnlySpan<byte> unit)
    {
        var parsed = PictureParameterSet.Parse(unit);
        if (!Keep(_picture, parsed.Id, unit))
            return false;
        _parsedPicture[parsed.Id] = parsed;
        return true;
    }

    private bool Keep(byte[]?[] sets, int id, ReadOnlySpan<byte> unit)
    {
        if (sets[id] is { } known && unit.SequenceEqual(known))
            return false;
        sets[id] = unit.ToArray();
        return _changed = true;
    }
}
