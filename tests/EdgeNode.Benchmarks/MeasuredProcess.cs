using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace EdgeNode.Benchmarks;

/// <summary>A process under measurement. Its output goes to a log file; it ends when this is disposed.</summary>
internal sealed class MeasuredProcess : IDisposable
{
    private readonly Process _process;
    private readonly string _log;

    public MeasuredProcess(string log, string program, params IEnumerable<string> arguments)
    {
        _log = log;
        // The shell only turns the output to the file and then becomes the program: same process, nothing read by us.
        _process = Start(["-c", "exec \"$@\" >\"$0\" 2>&1 </dev/null", log, program, .. arguments]);
    }

    /// <summary>CPU time so far, all threads of now and before, to the nanosecond.</summary>
    public TimeSpan CpuTime
    {
        get
        {
            // clock_getcpuclockid(3) for the whole process (CPUCLOCK_SCHED): /proc/PID/stat counts in steps of 10 ms only.
            int clock = ~_process.Id << 3 | 2;
            return clock_gettime(clock, out TimeSpec time) == 0
                ? TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromTicks(time.Nanoseconds / TimeSpan.NanosecondsPerTick)
                : throw new BenchmarkException($"A measured process has ended: {LastWords}");
        }
    }

    /// <summary>Bytes of memory: proportional (shared pages shared out among those who map them) and resident.</summary>
    public (long Proportional, long Resident) Memory
    {
        get
        {
            long proportional = 0, resident = 0;
            foreach (string line in File.ReadLines($"/proc/{_process.Id}/smaps_rollup"))
            {
                if (line.StartsWith("Pss:", StringComparison.Ordinal))
                    proportional = Kilobytes(line);
                else if (line.StartsWith("Rss:", StringComparison.Ordinal))
                    resident = Kilobytes(line);
            }

            return (proportional, resident);
        }
    }

    public bool HasExited => _process.HasExited;

    public string LastWords => File.Exists(_log) ? string.Join(' ', File.ReadLines(_log).TakeLast(3)) : "it said nothing";

    /// <summary>Runs a program to its end.</summary>
    /// <returns>What it wrote to standard output, and its CPU time, user and system.</returns>
    public static async Task<(string Output, TimeSpan Cpu)> RunAsync(string program, params IEnumerable<string> arguments)
    {
        // bash's own 'time' is the witness for both sides, whatever they say of themselves.
        using Process process = Start(["-c", "TIMEFORMAT='%U %S'; time \"$0\" \"$@\"", program, .. arguments], redirect: true);
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        string[] words = (await errors).Trim().Split('\n');
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new BenchmarkException($"{Path.GetFileName(program)} failed: {string.Join(' ', words.SkipLast(1).TakeLast(3))}");
        return (output, TimeSpan.FromSeconds(words[^1].Split(' ').Sum(seconds => double.Parse(seconds, CultureInfo.InvariantCulture))));
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    private static Process Start(IEnumerable<string> arguments, bool redirect = false)
    {
        ProcessStartInfo start = new("/bin/bash", arguments) { RedirectStandardOutput = redirect, RedirectStandardError = redirect };
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception problem)
        {
            throw new BenchmarkException($"bash could not be started: {problem.Message}");
        }
    }

    private static long Kilobytes(string line)
        => long.Parse(line.AsSpan(4).Trim().TrimEnd(" kB"), CultureInfo.InvariantCulture) * 1024;

#pragma warning disable SYSLIB1054 // A generated import would want unsafe code in this project.
    [DllImport("libc", SetLastError = false)]
    private static extern int clock_gettime(int clock, out TimeSpec time);
#pragma warning restore SYSLIB1054

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct TimeSpec
    {
        public readonly long Seconds;
        public readonly long Nanoseconds;
    }
}
