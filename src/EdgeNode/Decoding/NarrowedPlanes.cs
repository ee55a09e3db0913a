using System.Numerics;
using System.Runtime.InteropServices;
using EdgeNode.Native.FFmpeg;

namespace EdgeNode.Decoding;

/// <summary>The upper 8 bits of a 10-bit picture's samples, tightly packed 4:2:0, in memory that is kept from picture to picture.</summary>
internal sealed class NarrowedPlanes
{
    private const int SampleBytes = 2;
    private const int Shift = 10 - 8;

    private byte[] _bytes = [];
    private int _lumaLength;
    private int _chromaLength;

    /// <summary>Luma.</summary>
    public ReadOnlySpan<byte> Luma => _bytes.AsSpan(0, _lumaLength);

    /// <summary>Blue difference.</summary>
    public ReadOnlySpan<byte> Cb => _bytes.AsSpan(_lumaLength, _chromaLength);

    /// <summary>Red difference.</summary>
    public ReadOnlySpan<byte> Cr => _bytes.AsSpan(_lumaLength + _chromaLength, _chromaLength);

    /// <summary>Takes a picture over; of its chroma every <paramref name="chromaRowStep"/>th row.</summary>
    public void Fill(Frame frame, int width, int height, int chromaRowStep)
    {
        int chromaWidth = (width + 1) / 2;
        int chromaHeight = (height + 1) / 2;
        _lumaLength = width * height;
        _chromaLength = chromaWidth * chromaHeight;
        int length = _lumaLength + 2 * _chromaLength;
        if (_bytes.Length < length)
            _bytes = new byte[length];
        Narrow(frame, 0, width, height, 1, _bytes.AsSpan(0, _lumaLength));
        Narrow(frame, 1, chromaWidth, chromaHeight, chromaRowStep, _bytes.AsSpan(_lumaLength, _chromaLength));
        Narrow(frame, 2, chromaWidth, chromaHeight, chromaRowStep, _bytes.AsSpan(_lumaLength + _chromaLength, _chromaLength));
    }

    private static void Narrow(Frame frame, int plane, int width, int height, int rowStep, Span<byte> into)
    {
        int stride = frame.Stride(plane);
        ReadOnlySpan<byte> samples = frame.Plane(plane, rowStep * (height - 1) + 1, SampleBytes * width);
        for (int row = 0; row < height; row++)
            Narrow(MemoryMarshal.Cast<byte, ushort>(samples.Slice(row * rowStep * stride, SampleBytes * width)), into.Slice(row * width, width));
    }

    private static void Narrow(ReadOnlySpan<ushort> samples, Span<byte> into)
    {
        int at = 0;
        for (int step = Vector<byte>.Count; at + step <= samples.Length; at += step)
        {
            Vector<ushort> low = new Vector<ushort>(samples[at..]) >> Shift;
            Vector<ushort> high = new Vector<ushort>(samples[(at + step / 2)..]) >> Shift;
            Vector.Narrow(low, high).CopyTo(into[at..]);
        }

        for (; at < samples.Length; at++)
            into[at] = (byte)(samples[at] >> Shift);
    }
}
