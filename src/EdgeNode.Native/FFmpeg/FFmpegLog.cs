using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace EdgeNode.Native.FFmpeg;

/// <summary>
/// One line that FFmpeg would have written to standard error: raw, so it may hold a URL with its password.
/// <paramref name="Level"/>: AV_LOG_PANIC 0, FATAL 8, ERROR 16, WARNING 24. <paramref name="Context"/>: address of the struct that
/// speaks, as <see cref="FormatContext.Identity"/> has it, or 0.
/// </summary>
public readonly record struct FFmpegLogLine(nint Context, int Level, string Text);

/// <summary>
/// FFmpeg's own log. The libraries write nothing to standard error; warnings and errors go to whoever listens, on the thread
/// on which they arise.
/// </summary>
public static unsafe class FFmpegLog
{
    /// <summary>AV_LOG_ERROR: something went wrong and cannot be recovered.</summary>
    public const int Error = 16;

    /// <summary>AV_LOG_WARNING: something does not look right.</summary>
    public const int Warning = 24;

    private const int LongestLine = 1024;

    private static Action<FFmpegLogLine>[] _listeners = [];
    private static readonly Lock Gate = new();

    /// <summary>Hands warnings and errors to <paramref name="listener"/>, from any thread, until the result is disposed. What it throws is lost.</summary>
    public static IDisposable Listen(Action<FFmpegLogLine> listener)
    {
        lock (Gate)
            _listeners = [.. _listeners, listener];
        return new Subscription(listener);
    }

    internal static void Install() => LibAv.av_log_set_callback(&OnLine);

    // va_list decays to a pointer in C's calling convention on x86-64, and is passed by reference on arm64 (AAPCS64 §6.8.2, a composite over 16 bytes).
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnLine(void* context, int level, byte* format, void* arguments)
    {
        Action<FFmpegLogLine>[] listeners = Volatile.Read(ref _listeners);

        // The upper bits carry a colour.
        level &= 0xFF;
        if (level > Warning || listeners.Length == 0)
            return;
        try
        {
            byte* line = stackalloc byte[LongestLine];
            int prefix = 1;
            int length = LibAv.av_log_format_line2(context, level, format, arguments, line, LongestLine, &prefix);
            if (length <= 0)
                return;
            string text = Encoding.UTF8.GetString(line, Math.Min(length, LongestLine - 1)).TrimEnd();
            if (text.Length == 0)
                return;
            foreach (Action<FFmpegLogLine> listener in listeners)
                listener(new FFmpegLogLine((nint)context, level, text));
        }
        catch (Exception)
        {
            // Nothing may unwind into C, and a line of a log is no reason to end.
        }
    }

    private sealed class Subscription(Action<FFmpegLogLine> listener) : IDisposable
    {
        public void Dispose()
        {
            lock (Gate)
                _listeners = Array.FindAll(_listeners, other => other != listener);
        }
    }
}
