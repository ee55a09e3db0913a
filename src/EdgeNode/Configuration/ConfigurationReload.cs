using Microsoft.Extensions.Logging;

namespace EdgeNode.Configuration;

/// <summary>Reads the configuration (a file and the variables over it, or whatever else it was made of); what is of no effect is noted.</summary>
/// <exception cref="ConfigurationException">Something is wrong in it.</exception>
public delegate NodeConfiguration ConfigurationSource(out IReadOnlyList<ConfigurationError> notes);

/// <summary>
/// Reads the configuration anew while the node runs, secrets in files included, and has applied what can be. An invalid file
/// changes nothing. Thread-safe: reloads wait for each other.
/// </summary>
/// <param name="running">What the node runs with.</param>
/// <param name="read">Reads it anew.</param>
/// <param name="apply">
/// Carries out cameras and live sections; gets the configuration as it runs then (what needs a restart is in it as before) and the change. May throw
/// <see cref="IOException"/> or <see cref="InvalidOperationException"/> with a sentence; what it did until then it must stand to do again.
/// </param>
/// <param name="liveSections">Sections that <paramref name="apply"/> carries out (<see cref="ConfigurationChange.AllSections"/>); the others need a restart, and a reload says so each time until then.</param>
/// <param name="log">Hears the summary.</param>
public sealed class ConfigurationReload(
    NodeConfiguration running,
    ConfigurationSource read,
    Action<NodeConfiguration, ConfigurationChange> apply,
    IReadOnlyCollection<string> liveSections,
    ILogger log)
{
    private readonly Lock _gate = new();
    private volatile NodeConfiguration _running = running;

    /// <summary>What the node runs with.</summary>
    public NodeConfiguration Running => _running;

    /// <summary>Reads anew and applies; every outcome is logged and told.</summary>
    public ReloadResult Reload()
    {
        lock (_gate)
        {
            ReloadResult result = TryReload();
            if (result.Success)
                log.LogInformation("{Summary}", result.Summary);
            foreach (string error in result.Errors)
                log.LogError("The configuration was not reloaded, the node runs on as it did: {Error}", error);
            foreach (string note in result.Notes)
                log.LogWarning("{Note}", note);
            return result;
        }
    }

    private ReloadResult TryReload()
    {
        string[] notes = [];
        try
        {
            NodeConfiguration next = read(out IReadOnlyList<ConfigurationError> found);
            notes = [.. found.Select(note => note.ToString())];
            var change = ConfigurationChange.Between(_running, next);
            // What is of no effect needs no restart.
            NodeConfiguration then = ConfigurationChange.TakeOver(_running, next, [.. liveSections, .. NotInForceYet.Keys]);
            if (!change.IsNone)
                apply(then, change);
            _running = then;
            return ReloadResult.Done(change, liveSections, notes);
        }
        catch (ConfigurationException fault)
        {
            return ReloadResult.Refused([.. fault.Errors.Select(error => error.ToString())], notes);
        }
        catch (Exception fault) when (fault is IOException or InvalidOperationException)
        {
            return ReloadResult.Refused([fault.Message], notes);
        }
        catch (Exception fault)
        {
            // Nobody waits for it who could catch it, and a node ends for no reload. The message may hold anything.
            return ReloadResult.Refused([$"This is a fault of the program, please report it: {fault.GetType().Name}."], notes);
        }
    }
}
