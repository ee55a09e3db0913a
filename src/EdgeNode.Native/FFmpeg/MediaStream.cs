namespace EdgeNode.Native.FFmpeg;

/// <summary>One stream of a <see cref="FormatContext"/>, as the demuxer describes it (AVStream and its AVCodecParameters).</summary>
public sealed class MediaStream
{
    /// <summary>Its number, which packets carry.</summary>
    public required int Index { get; init; }

    /// <summary>Moving pictures: neither sound nor a cover picture.</summary>
    public required bool IsVideo { get; init; }

    /// <summary>Sound.</summary>
    public required bool IsAudio { get; init; }

    /// <summary>FFmpeg's name of its codec, such as <c>h264</c>.</summary>
    public required string CodecName { get; init; }

    /// <summary>Width in pixels, 0 when not known.</summary>
    public required int Width { get; init; }

    /// <summary>Height in pixels, 0 when not known.</summary>
    public required int Height { get; init; }

    /// <summary>Its timestamps count in <see cref="TimeBaseNumerator"/> / <see cref="TimeBaseDenominator"/> seconds.</summary>
    public required int TimeBaseNumerator { get; init; }

    /// <summary>See <see cref="TimeBaseNumerator"/>.</summary>
    public required int TimeBaseDenominator { get; init; }

    /// <summary>Average pictures a second, 0 when not known.</summary>
    public required double FrameRate { get; init; }

    /// <summary>What a decoder must know beforehand: avcC or hvcC, Annex B parameter sets, or an AudioSpecificConfig; may be empty.</summary>
    public required byte[] Extradata { get; init; }
}
