using System.Diagnostics;
using EdgeNode.Access;
using EdgeNode.Events;
using EdgeNode.Gallery;
using EdgeNode.Storage;
using EdgeNode.Tests.Media;
using EdgeNode.Tests.Telemetry;
using EventLog = EdgeNode.Events.EventLog;

namespace EdgeNode.Tests.Storage;

/// <summary>kill -9 while state is written: 10 times, 200 times with EDGENODE_SOAK=1.</summary>
[Trait("Category", "Repeated")]
public sealed class KillTests : IDisposable
{
    private const int LinesAtMost = 60;

    private readonly TemporaryFolder _folder = new();
    private readonly ListLogger _log = new();
    private readonly HashSet<string> _sessions = [];
    private readonly HashSet<string> _people = [];
    private readonly HashSet<string> _erased = [];
    private readonly HashSet<string> _events = [];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Whenever_the_node_is_killed_the_database_opens_and_nothing_acknowledged_is_lost()
    {
        int kills = Environment.GetEnvironmentVariable("EDGENODE_SOAK") == "1" ? 200 : 10;
        int seed = Environment.ProcessId;
        var random = new Random(seed);
        for (int i = 0; i < kills; i++)
        {
            WriteAndKill(random.Next(1, LinesAtMost));
            Check($"kill {i}, seed {seed}");
        }

        Assert.NotEmpty(_erased);
        Assert.NotEmpty(_events);
    }

    // After so many lines, and whatever it has managed to do since.
    private void WriteAndKill(int lines)
    {
        string[] program = ["exec", typeof(KilledWriter).Assembly.Location, _folder.Path];
        using Process writer = Process.Start(new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", program) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = writer.StandardError.ReadToEndAsync();
        try
        {
            for (int i = 0; i < lines; i++)
            {
                Note(writer.StandardOutput.ReadLine() ?? throw new InvalidOperationException(errors.Result));
            }
        }
        finally
        {
            writer.Kill();
        }

        // What was said before the end holds, too; a line that was cut says nothing.
        string rest = writer.StandardOutput.ReadToEnd();
        foreach (string line in rest.Split('\n').SkipLast(1))
            Note(line);
        writer.WaitForExit();
    }

    private void Note(string line)
    {
        string[] words = line.Split(' ');
        switch (words[0])
        {
            case "r":
                _sessions.Add(words[1]);
                break;
            case "i":
                _people.Add(words[1]);
                break;
            case "x":
                _erased.Add(words[1]);
                break;
            case "e":
                _events.Add(words[1]);
                break;
            default:
                break;
        }
    }

    private void Check(string when)
    {
        using StateDatabase database = StateDatabase.Open(_folder.Path, _log);
        Assert.True(_log.Lines.Length == 0, $"{when}: {string.Join('\n', _log.Lines)}");
        Assert.Equal("ok", database.Read(c => Sql.Scalar(c, "PRAGMA integrity_check")));
        var revocations = new Revocations(database, TimeProvider.System);
        Assert.True(_sessions.All(revocations.Contains), when);
        HashSet<string> people = [.. IdentityStore.Open(database, DeviceKey.LoadOrCreate(_folder.Path), _log).List.Select(i => i.Id.ToString())];
        // One may have been erased without having said so.
        Assert.True(_people.Except(_erased).Except(people).Count() <= 1, when);
        foreach (string lost in _people.Except(_erased).Except(people).ToArray())
            _erased.Add(lost);
        Assert.True(!people.Overlaps(_erased), when);
        using var log = new EventLog(database, _ => null, TimeProvider.System, _log);
        var events = new HashSet<string>();
        long cursor = 0;
        EventPage page;
        do
        {
            page = log.ReadAfter(cursor, _ => true, 500);
            cursor = page.Next;
            foreach (LoggedEvent e in page.Events)
                Assert.True(events.Add($"{e.Event.EventId}/{e.Event.Seq}"), when);
        }
        while (page.HasMore);
        Assert.True(events.IsSupersetOf(_events), when);
        Assert.Empty(_log.Lines);
    }
}
