namespace EdgeNode.Native.FFmpeg;

/// <summary>FFmpeg is not there, is of an unknown release, or answered with an error. The message never holds an URL.</summary>
public sealed class FFmpegException(string message, int code = 0) : Exception(message)
{
    /// <summary>FFmpeg's error number (AVERROR, negative); 0 when the library itself is what is wrong.</summary>
    public int Code { get; } = code;
}
