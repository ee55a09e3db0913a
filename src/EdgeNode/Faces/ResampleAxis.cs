namespace EdgeNode.Faces;

/// <summary>
/// Which source samples make each target sample along one axis, in 8-bit fixed point (weights of a target sum to 256), so that
/// every processor gets the same bytes. Up to a ratio of 2 the two nearest samples are blended; above, all samples
/// under the target's footprint are averaged, because blending two would alias.
/// </summary>
internal sealed class ResampleAxis
{
    /// <summary>Sum of the weights of one target sample.</summary>
    public const int One = 256;

    private int[] _first = [];
    private ushort[] _weights = [];
    private int _sourceLength;
    private double _start;
    private double _ratio;

    /// <summary>Target samples.</summary>
    public int Count { get; private set; }

    /// <summary>Source samples that make one target sample.</summary>
    public int Taps { get; private set; }

    /// <summary>First source sample of each target sample.</summary>
    public ReadOnlySpan<int> First => _first.AsSpan(0, Count);

    /// <summary><see cref="Taps"/> weights a target sample.</summary>
    public ReadOnlySpan<ushort> Weights => _weights.AsSpan(0, Count * Taps);

    /// <summary>
    /// Target sample d covers the source from <paramref name="start"/> + d × <paramref name="ratio"/>, in samples; beyond the
    /// source its edge is repeated. Allocates only when it outgrows what it had; the same axis again costs nothing.
    /// </summary>
    public void Configure(int sourceLength, double start, double ratio, int count)
    {
        if (_sourceLength == sourceLength && _start == start && _ratio == ratio && Count == count)
            return;
        _sourceLength = sourceLength;
        _start = start;
        _ratio = ratio;
        Count = count;
        bool average = ratio > 2;
        Taps = Math.Min(average ? (int)Math.Ceiling(ratio) + 1 : 2, sourceLength);
        if (_first.Length < count)
            _first = new int[count];
        if (_weights.Length < count * Taps)
            _weights = new ushort[count * Taps];
        _weights.AsSpan(0, count * Taps).Clear();

        for (int d = 0; d < count; d++)
        {
            double from = start + d * ratio;
            if (average)
                Average(d, Math.Clamp(from, 0, sourceLength - 1), Math.Clamp(from + ratio, 1, sourceLength));
            else
                Blend(d, Math.Clamp(from + ratio / 2 - 0.5, 0, sourceLength - 1));
        }
    }

    /// <summary>Resamples one row: sample i of the source lies at i × <paramref name="step"/>; each target is written <paramref name="repeat"/> times.</summary>
    public void Apply(ReadOnlySpan<byte> source, int step, Span<byte> target, int repeat)
    {
        ReadOnlySpan<int> first = First;
        ReadOnlySpan<ushort> weights = Weights;
        if (Taps == 2 && step == 1 && repeat == 1)
        {
            target = target[..first.Length];
            weights = weights[..(2 * first.Length)];
            for (int d = 0; d < first.Length; d++)
            {
                int i = first[d];
                target[d] = (byte)((source[i] * weights[2 * d] + source[i + 1] * weights[2 * d + 1] + One / 2) >> 8);
            }
            return;
        }
        for (int d = 0, at = 0; d < first.Length; d++)
        {
            int i = first[d] * step;
            int sum = One / 2;
            foreach (ushort weight in weights.Slice(d * Taps, Taps))
            {
                sum += source[i] * weight;
                i += step;
                if (i >= source.Length)
                    break;
            }
            byte value = (byte)(sum >> 8);
            for (int r = 0; r < repeat && at < target.Length; r++)
                target[at++] = value;
        }
    }

    private void Blend(int d, double centre)
    {
        int first = Math.Min((int)centre, _sourceLength - Taps);
        int second = (int)Math.Round((centre - first) * One);
        _first[d] = first;
        _weights[d * Taps] = (ushort)(One - second);
        if (Taps == 2)
            _weights[d * Taps + 1] = (ushort)second;
        else
            _weights[d * Taps] = One;
    }

    private void Average(int d, double from, double to)
    {
        int first = Math.Min((int)from, _sourceLength - Taps);
        _first[d] = first;
        int done = 0;
        for (int k = 0; k < Taps; k++)
        {
            double covered = Math.Clamp(first + k + 1 - from, 0, to - from) / (to - from);
            int upTo = (int)Math.Round(covered * One);
            _weights[d * Taps + k] = (ushort)(upTo - done);
            done = upTo;
        }
    }
}
