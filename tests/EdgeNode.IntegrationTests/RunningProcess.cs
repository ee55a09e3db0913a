using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace EdgeNode.IntegrationTests;

/// <summary>A process with its output, line by line; killed at the end, whatever the test did.</summary>
internal sealed class RunningProcess : IDisposable
{
    /// <summary>How long a test waits for a condition before it gives up: far more than anything takes.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly List<string> _lines = [];
    private TaskCompletionSource _grown = NewSignal();

    public RunningProcess(string program, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        _process = Process.Start(start)!;
        _process.StandardInput.Close();
        _process.OutputDataReceived += (_, line) => Add(line.Data, isError: false);
        _process.ErrorDataReceived += (_, line) => Add(line.Data, isError: true);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    public List<string> Errors { get; } = [];

    /// <summary>All lines so far, both streams.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines)
                return [.. _lines];
        }
    }

    public string Output => string.Join('\n', Lines);

    /// <summary>Runs a program to its end; both streams' lines, and standard error's alone.</summary>
    public static async Task<(int ExitCode, string Output, string Errors)> RunAsync(string program, params IEnumerable<string> arguments)
    {
        using var process = new RunningProcess(program, arguments);
        await process.ExitAsync(TimeSpan.FromMinutes(4));
        return (process.ExitCode, process.Output, string.Join('\n', process.Errors));
    }

    /// <summary>The first line, from the beginning or from <paramref name="after"/> lines on, that fulfils the condition.</summary>
    public async Task<string> LineAsync(Func<string, bool> condition, int after = 0, TimeSpan? patience = null)
    {
        using var limit = new CancellationTokenSource(patience ?? Patience);
        while (true)
        {
            Task grown;
            lock (_lines)
            {
                if (_lines.Skip(after).FirstOrDefault(condition) is string line)
                    return line;
                grown = _grown.Task;
            }

            try
            {
                await grown.WaitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"The awaited line did not come. What came:\n{Output}");
            }
        }
    }

    public async Task ExitAsync(TimeSpan? patience = null)
    {
        using var limit = new CancellationTokenSource(patience ?? Patience);
        await _process.WaitForExitAsync(limit.Token);
        _process.WaitForExit();
    }

    /// <summary>Asks the process to end, as a service manager does.</summary>
    public async Task TerminateAsync()
    {
        Signal("TERM");
        await ExitAsync();
    }

    public void Signal(string name) => Process.Start("kill", [$"-{name}", Id.ToString()]).WaitForExit();

    public void Kill()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
    }

    public void Dispose()
    {
        Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private void Add(string? line, bool isError)
    {
        if (line is null)
            return;
        TaskCompletionSource grown;
        lock (_lines)
        {
            _lines.Add(line);
            if (isError)
                Errors.Add(line);
            grown = _grown;
            _grown = NewSignal();
        }

        grown.SetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
