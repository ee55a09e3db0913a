using System.Runtime.Intrinsics;
using EdgeNode.Decoding;

namespace EdgeNode.Faces;

/// <summary>
/// Turns 8-bit YCbCr into RGB floats, (x − mean) / scale, with x clamped to 0–255 but not rounded. Coefficients: ITU-R BT.601-7
/// §2.5.1 and BT.709-6 §3. Products and sums are never fused, so that every processor gets the same values.
/// </summary>
internal readonly struct YuvToRgb
{
    private readonly float _luma, _redCr, _greenCb, _greenCr, _blueCb;
    private readonly float _red, _green, _blue;
    private readonly float _least, _most;

    public YuvToRgb(bool fullRange, ColorMatrix matrix, float mean, float scale)
    {
        (double kr, double kb) = matrix == ColorMatrix.Bt709 ? (0.2126, 0.0722) : (0.299, 0.114);
        double kg = 1 - kr - kb;
        double luma = (fullRange ? 1 : 255.0 / 219) / scale;
        double chroma = (fullRange ? 1 : 255.0 / 224) / scale;
        double black = (fullRange ? 0 : 16) * luma + mean / scale;
        _luma = (float)luma;
        _redCr = (float)(2 * (1 - kr) * chroma);
        _blueCb = (float)(2 * (1 - kb) * chroma);
        _greenCb = (float)(-2 * (1 - kb) * kb / kg * chroma);
        _greenCr = (float)(-2 * (1 - kr) * kr / kg * chroma);
        _red = (float)(-black - 128.0 * _redCr);
        _green = (float)(-black - 128.0 * _greenCb - 128.0 * _greenCr);
        _blue = (float)(-black - 128.0 * _blueCb);
        _least = -mean / scale;
        _most = (255 - mean) / scale;
    }

    /// <summary>One pixel.</summary>
    public void Convert(float y, float cb, float cr, out float red, out float green, out float blue)
    {
        float luma = y * _luma;
        red = Math.Min(Math.Max(luma + cr * _redCr + _red, _least), _most);
        green = Math.Min(Math.Max(luma + cb * _greenCb + cr * _greenCr + _green, _least), _most);
        blue = Math.Min(Math.Max(luma + cb * _blueCb + _blue, _least), _most);
    }

    /// <summary>A row of pixels; all spans of one length.</summary>
    public void Convert(ReadOnlySpan<byte> y, ReadOnlySpan<byte> cb, ReadOnlySpan<byte> cr, Span<float> red, Span<float> green, Span<float> blue)
    {
        int x = 0;
        for (; x <= y.Length - 16; x += 16)
        {
            (Vector128<ushort> yLow, Vector128<ushort> yHigh) = Vector128.Widen(Vector128.Create(y[x..]));
            (Vector128<ushort> cbLow, Vector128<ushort> cbHigh) = Vector128.Widen(Vector128.Create(cb[x..]));
            (Vector128<ushort> crLow, Vector128<ushort> crHigh) = Vector128.Widen(Vector128.Create(cr[x..]));
            Convert8(yLow, cbLow, crLow, red.Slice(x, 8), green.Slice(x, 8), blue.Slice(x, 8));
            Convert8(yHigh, cbHigh, crHigh, red.Slice(x + 8, 8), green.Slice(x + 8, 8), blue.Slice(x + 8, 8));
        }
        for (; x < y.Length; x++)
            Convert(y[x], cb[x], cr[x], out red[x], out green[x], out blue[x]);
    }

    private void Convert8(Vector128<ushort> y, Vector128<ushort> cb, Vector128<ushort> cr, Span<float> red, Span<float> green, Span<float> blue)
    {
        Convert4(Vector128.WidenLower(y), Vector128.WidenLower(cb), Vector128.WidenLower(cr), red, green, blue);
        Convert4(Vector128.WidenUpper(y), Vector128.WidenUpper(cb), Vector128.WidenUpper(cr), red[4..], green[4..], blue[4..]);
    }

    private void Convert4(Vector128<uint> y, Vector128<uint> cb, Vector128<uint> cr, Span<float> red, Span<float> green, Span<float> blue)
    {
        Vector128<float> luma = Vector128.ConvertToSingle(y.AsInt32()) * _luma;
        Vector128<float> blueness = Vector128.ConvertToSingle(cb.AsInt32());
        Vector128<float> redness = Vector128.ConvertToSingle(cr.AsInt32());
        Vector128<float> least = Vector128.Create(_least);
        Vector128<float> most = Vector128.Create(_most);
        Vector128.MinNative(Vector128.MaxNative(luma + redness * _redCr + Vector128.Create(_red), least), most).CopyTo(red);
        Vector128.MinNative(Vector128.MaxNative(luma + blueness * _greenCb + redness * _greenCr + Vector128.Create(_green), least), most).CopyTo(green);
        Vector128.MinNative(Vector128.MaxNative(luma + blueness * _blueCb + Vector128.Create(_blue), least), most).CopyTo(blue);
    }
}
