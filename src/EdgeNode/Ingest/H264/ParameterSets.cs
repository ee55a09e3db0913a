using System.Diagnostics.CodeAnalysis;

namespace EdgeNode.Ingest.H264;

/// <summary>
/// The parameter sets a stream has sent so far, by their ids, and the format of the pictures that use them. A camera
/// that repeats its sets keeps its <see cref="VideoFormat"/> instance.
/// </summary>
internal sealed class ParameterSets
{
    private readonly byte[]?[] _sequence = new byte[]?[32];
    private readonly byte[]?[] _picture = new byte[]?[256];
    private readonly SequenceParameterSet?[] _parsedSequence = new SequenceParameterSet?[32];
    private readonly PictureParameterSet?[] _parsedPicture = new PictureParameterSet?[256];
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
        if (_parsedPicture[SliceHeader.PictureSetOf(slice)] is not { } picture)
            return null;
        int sequence = picture.SequenceId;
        if (_format is not null && !_changed && sequence == _formatSequence)
            return _format;
        if (_sequence[sequence] is not { } sps)
            return null;

        var pictures = new List<byte[]>();
        for (int id = 0; id < _picture.Length && pictures.Count < 255; id++)
        {
            if (_picture[id] is { } pps && _parsedPicture[id]!.SequenceId == sequence)
                pictures.Add(pps);
        }

        VideoFormat format = H264Format.FromParameterSets([sps], pictures);
        _changed = false;
        _formatSequence = sequence;
        if (_format is null || !format.DecoderConfiguration.AsSpan().SequenceEqual(_format.DecoderConfiguration))
            _format = format;
        return _format;
    }

    /// <summary>The sets that a slice names; false while they are missing.</summary>
    /// <exception cref="InvalidDataException">The slice ends before it names them.</exception>
    public bool TryGet(ReadOnlySpan<byte> slice, [NotNullWhen(true)] out SequenceParameterSet? sequence, [NotNullWhen(true)] out PictureParameterSet? picture)
    {
        picture = _parsedPicture[SliceHeader.PictureSetOf(slice)];
        sequence = picture is null ? null : _parsedSequence[picture.SequenceId];
        return picture is not null && sequence is not null;
    }

    private bool PutSequence(ReadOnlySpan<byte> unit)
    {
        var parsed = SequenceParameterSet.Parse(unit);
        if (_sequence[parsed.Id] is { } known && unit.SequenceEqual(known))
            return false;
        _sequence[parsed.Id] = unit.ToArray();
        _parsedSequence[parsed.Id] = parsed;
        return _changed = true;
    }

    private bool PutPicture(ReadOnlySpan<byte> unit)
    {
        var parsed = PictureParameterSet.Parse(unit);
        if (_picture[parsed.Id] is { } known && unit.SequenceEqual(known))
            return false;
        _picture[parsed.Id] = unit.ToArray();
        _parsedPicture[parsed.Id] = parsed;
        return _changed = true;
    }
}
