namespace EdgeNode.Ingest;

/// <summary>Counts over a camera's stream: totals, and rates over the last whole seconds. One writer, any reader.</summary>
public sealed class IngestStatistics(TimeProvider time)
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(2);
    private readonly Lock _gate = new();
    private long _windowStart = time.GetTimestamp();
    private long _windowUnits;
    private long _windowBytes;
    private double _framesPerSecond;
    private double _bitsPerSecond;
    private long _units;
    private long _bytes;
    private long _lastKeyDts = long.MinValue;
    private double _gopSeconds;
    private long _audioUnits;
    private long _damagedUnits;
    private long _damagedGops;
    private bool _isGopDamaged;

    /// <summary>Pictures since the start.</summary>
    public long Units => Interlocked.Read(ref _units);

    /// <summary>Audio frames since the start.</summary>
    public long AudioUnits => Interlocked.Read(ref _audioUnits);

    /// <summary>Pictures with lost packets in them, or in what they build on.</summary>
    public long DamagedUnits => Interlocked.Read(ref _damagedUnits);

    /// <summary>GOPs with such pictures.</summary>
    public long DamagedGops => Interlocked.Read(ref _damagedGops);

    /// <summary>Coded bytes since the start.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Pictures a second, coded bits a second, and the length of the last GOP in seconds; zeros once nothing comes.</summary>
    public (double FramesPerSecond, double BitsPerSecond, double GopSeconds) Rates
    {
        get
        {
            lock (_gate)
                return time.GetElapsedTime(_windowStart) > 3 * Window ? (0, 0, _gopSeconds) : (_framesPerSecond, _bitsPerSecond, _gopSeconds);
        }
    }

    /// <summary>Counts one unit.</summary>
    public void Count(AccessUnit unit)
    {
        Interlocked.Add(ref _bytes, unit.Length);
        bool isPicture = unit.Audio is null;
        if (isPicture)
            CountPicture(unit);
        else
            Interlocked.Increment(ref _audioUnits);
        lock (_gate)
        {
            _windowUnits += isPicture ? 1 : 0;
            _windowBytes += unit.Length;
            double elapsed = time.GetElapsedTime(_windowStart).TotalSeconds;
            if (elapsed >= Window.TotalSeconds)
            {
                _framesPerSecond = _windowUnits / elapsed;
                _bitsPerSecond = 8 * _windowBytes / elapsed;
                (_windowUnits, _windowBytes) = (0, 0);
                _windowStart = time.GetTimestamp();
            }

            if (!unit.IsKey)
                return;
            if (_lastKeyDts != long.MinValue && !unit.StartsTimeline)
                _gopSeconds = (double)(unit.Dts - _lastKeyDts) / AccessUnit.TicksPerSecond;
            _lastKeyDts = unit.Dts;
        }
    }

    private void CountPicture(AccessUnit unit)
    {
        Interlocked.Increment(ref _units);
        if (unit.IsKey)
            _isGopDamaged = false;
        if (!unit.IsDamaged)
            return;
        Interlocked.Increment(ref _damagedUnits);
        if (!_isGopDamaged)
            Interlocked.Increment(ref _damagedGops);
        _isGopDamaged = true;
    }
}
