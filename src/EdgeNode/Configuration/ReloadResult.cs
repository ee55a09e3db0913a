namespace EdgeNode.Configuration;

/// <summary>What became of a reload, fit to be shown: ids and sentences, no secret.</summary>
/// <param name="Success">Whether the file is in force, but for <see cref="NeedsRestart"/>.</param>
/// <param name="Errors">Why it is not, a sentence each; then everything runs on as it did.</param>
/// <param name="Notes">Keys that are read but change nothing.</param>
/// <param name="Added">Ids of cameras that were added.</param>
/// <param name="Removed">Ids of cameras that were removed.</param>
/// <param name="Changed">Ids of cameras that were replaced.</param>
/// <param name="Unchanged">Ids of cameras that were left alone.</param>
/// <param name="Applied">Other sections that changed and are in force.</param>
/// <param name="NeedsRestart">Other sections that changed and are in force after a restart of the node.</param>
/// <param name="Summary">One sentence of all this.</param>
public sealed record ReloadResult(
    bool Success,
    IReadOnlyList<string> Errors,
    IReadOnlyList<string> Notes,
    IReadOnlyList<string> Added,
    IReadOnlyList<string> Removed,
    IReadOnlyList<string> Changed,
    IReadOnlyList<string> Unchanged,
    IReadOnlyList<string> Applied,
    IReadOnlyList<string> NeedsRestart,
    string Summary)
{
    internal static ReloadResult Refused(IReadOnlyList<string> errors, IReadOnlyList<string> notes) =>
        new(false, errors, notes, [], [], [], [], [], [], $"The configuration was not reloaded, the node runs on as it did: {(errors.Count == 1 ? errors[0] : $"{errors.Count} errors; the first: {errors[0]}")}");

    internal static ReloadResult Done(ConfigurationChange change, IReadOnlyCollection<string> live, IReadOnlyList<string> notes)
    {
        IEnumerable<string> inForce = change.Sections.Where(section => !NotInForceYet.Keys.Contains(section));
        string[] applied = [.. inForce.Where(live.Contains)];
        string[] needsRestart = [.. inForce.Where(section => !live.Contains(section))];
        string summary = change.IsNone
            ? "The configuration was read anew: nothing changed."
            : $"The configuration was reloaded: {Cameras(change.CamerasAdded.Count, "added")}, {change.CamerasRemoved.Count} removed, {change.CamerasChanged.Count} changed, {change.CamerasUnchanged.Count} left alone."
                + (applied.Length > 0 ? $" In force: {string.Join(", ", applied)}." : "")
                + (needsRestart.Length > 0 ? $" Restart the node to apply what changed in: {string.Join(", ", needsRestart)}." : "");
        return new ReloadResult(
            true, [], notes, [.. change.CamerasAdded.Select(c => c.Id)], change.CamerasRemoved, [.. change.CamerasChanged.Select(c => c.Id)], change.CamerasUnchanged, applied, needsRestart, summary);
    }

    private static string Cameras(int count, string what) => count == 1 ? $"1 camera {what}" : $"{count} cameras {what}";
}
