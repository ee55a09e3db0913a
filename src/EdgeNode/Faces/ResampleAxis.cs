using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

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
    private Vector128<byte>[] _blockPicks = [];
    private Vector128<ushort>[] _blockLeft = [];
    private Vector128<ushort>[] _blockRight = [];
    private int _blocks;
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
        PrepareBlocks();
    }

    /// <summary>Resamples one row: sample i of the source lies at i × <paramref name="step"/>; each target is written <paramref name="repeat"/> times.</summary>
    public void Apply(ReadOnlySpan<byte> source, int step, Span<byte> target, int repeat)
    {
        int d = step == 1 ? ApplyBlocks(source, target, repeat) : 0;
        int at = d * repeat;
        ReadOnlySpan<int> first = First;
        ReadOnlySpan<ushort> weights = Weights;
        for (; d < first.Length; d++)
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

    /// <summary>Eight targets at a time, as far as <see cref="PrepareBlocks"/> found that possible; says how many were made.</summary>
    private int ApplyBlocks(ReadOnlySpan<byte> source, Span<byte> target, int repeat)
    {
        Vector128<ushort> half = Vector128.Create((ushort)(One / 2));
        Vector128<byte> twice = Vector128.Create((byte)0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
        for (int block = 0; block < _blocks; block++)
        {
            Vector128<byte> picked = Pick(Vector128.Create(source[_first[8 * block]..]), _blockPicks[block]);
            Vector128<ushort> sum = Vector128.WidenLower(picked) * _blockLeft[block] + Vector128.WidenUpper(picked) * _blockRight[block] + half;
            Vector128<byte> made = Vector128.Narrow(sum >>> 8, Vector128<ushort>.Zero);
            if (repeat == 1)
                made.GetLower().CopyTo(target[(8 * block)..]);
            else if (target.Length >= 16 * block + 16)
                Pick(made, twice).CopyTo(target[(16 * block)..]);
            else
                return 8 * block;
        }
        return 8 * _blocks;
    }

    /// <summary>Bytes of <paramref name="from"/> by index; ahead-of-time compilation makes a loop of the portable shuffle.</summary>
    private static Vector128<byte> Pick(Vector128<byte> from, Vector128<byte> indices) =>
        Ssse3.IsSupported ? Ssse3.Shuffle(from, indices)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.VectorTableLookup(from, indices)
        : Vector128.Shuffle(from, indices);

    /// <summary>Where two taps make a target and the sources of eight lie within 16 bytes, one shuffle fetches them all.</summary>
    private void PrepareBlocks()
    {
        _blocks = 0;
        if (Taps != 2)
            return;
        if (_blockPicks.Length < Count / 8)
        {
            _blockPicks = new Vector128<byte>[Count / 8];
            _blockLeft = new Vector128<ushort>[Count / 8];
            _blockRight = new Vector128<ushort>[Count / 8];
        }
        Span<byte> picks = stackalloc byte[16];
        Span<ushort> left = stackalloc ushort[8];
        Span<ushort> right = stackalloc ushort[8];
        for (int d = 0; d + 8 <= Count; d += 8)
        {
            int start = _first[d];
            if (_first[d + 7] + 1 - start > 15 || start + 16 > _sourceLength)
                return;
            for (int i = 0; i < 8; i++)
            {
                picks[i] = (byte)(_first[d + i] - start);
                picks[8 + i] = (byte)(picks[i] + 1);
                left[i] = _weights[2 * (d + i)];
                right[i] = _weights[2 * (d + i) + 1];
            }
            _blockPicks[_blocks] = Vector128.Create<byte>(picks);
            _blockLeft[_blocks] = Vector128.Create<ushort>(left);
            _blockRight[_blocks++] = Vector128.Create<ushort>(right);
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
