namespace EdgeNode.Configuration;

/// <summary>What differs between the configuration that a node runs with and another one.</summary>
public sealed record ConfigurationChange
{
    // One line a section: how to tell whether it changed, and how to take it over alone.
    private static readonly Part[] Parts =
    [
        new("node", static (a, b) => a.Node == b.Node, static (a, b) => a with { Node = b.Node }),
        new("http", static (a, b) => a.Http == b.Http, static (a, b) => a with { Http = b.Http }),
        new("mqtt", static (a, b) => a.Mqtt == b.Mqtt, static (a, b) => a with { Mqtt = b.Mqtt }),
        new("site", static (a, b) => a.Site == b.Site, static (a, b) => a with { Site = b.Site }),
        new("tokens", static (a, b) => a.Tokens == b.Tokens, static (a, b) => a with { Tokens = b.Tokens }),
        new("models", static (a, b) => a.Models == b.Models, static (a, b) => a with { Models = b.Models }),
        new("faces", static (a, b) => a.Faces == b.Faces, static (a, b) => a with { Faces = b.Faces }),
        new("retention", static (a, b) => a.Retention == b.Retention, static (a, b) => a with { Retention = b.Retention }),
        new("gpio", static (a, b) => a.Gpio == b.Gpio, static (a, b) => a with { Gpio = b.Gpio }),
        new("webhooks", static (a, b) => a.Webhooks.Equals(b.Webhooks), static (a, b) => a with { Webhooks = b.Webhooks }),
        new("limits", static (a, b) => a.Limits == b.Limits, static (a, b) => a with { Limits = b.Limits }),
    ];

    private ConfigurationChange()
    {
    }

    /// <summary>Every section but <c>cameras</c>.</summary>
    public static IReadOnlyList<string> AllSections { get; } = [.. Parts.Select(part => part.Section)];

    /// <summary>Cameras that are new.</summary>
    public required IReadOnlyList<CameraConfiguration> CamerasAdded { get; init; }

    /// <summary>Ids of cameras that are no longer there.</summary>
    public required IReadOnlyList<string> CamerasRemoved { get; init; }

    /// <summary>Cameras of which anything is different, a password included, as they are to be.</summary>
    public required IReadOnlyList<CameraConfiguration> CamerasChanged { get; init; }

    /// <summary>Ids of cameras that are to be left alone.</summary>
    public required IReadOnlyList<string> CamerasUnchanged { get; init; }

    /// <summary>Names of the other sections that are different, in the order of the file.</summary>
    public required IReadOnlyList<string> Sections { get; init; }

    /// <summary>Whether nothing is different.</summary>
    public bool IsNone => CamerasAdded.Count + CamerasRemoved.Count + CamerasChanged.Count + Sections.Count == 0;

    /// <summary>What <paramref name="next"/> has different from <paramref name="running"/>. Another order of the cameras is no difference.</summary>
    public static ConfigurationChange Between(NodeConfiguration running, NodeConfiguration next)
    {
        var before = running.Cameras.ToDictionary(camera => camera.Id, StringComparer.Ordinal);
        HashSet<string> after = [.. next.Cameras.Select(camera => camera.Id)];
        return new ConfigurationChange
        {
            CamerasAdded = [.. next.Cameras.Where(camera => !before.ContainsKey(camera.Id))],
            CamerasRemoved = [.. running.Cameras.Select(camera => camera.Id).Where(id => !after.Contains(id))],
            CamerasChanged = [.. next.Cameras.Where(camera => before.TryGetValue(camera.Id, out CameraConfiguration? old) && old != camera)],
            CamerasUnchanged = [.. next.Cameras.Where(camera => before.TryGetValue(camera.Id, out CameraConfiguration? old) && old == camera).Select(camera => camera.Id)],
            Sections = [.. Parts.Where(part => !part.IsSame(running, next)).Select(part => part.Section)],
        };
    }

    /// <summary><paramref name="running"/> with the cameras and the named sections of <paramref name="next"/>: what a node runs with that took over no more.</summary>
    public static NodeConfiguration TakeOver(NodeConfiguration running, NodeConfiguration next, IReadOnlyCollection<string> sections) =>
        Parts.Where(part => sections.Contains(part.Section)).Aggregate(running with { Cameras = next.Cameras }, (merged, part) => part.TakeOver(merged, next));

    private sealed record Part(string Section, Func<NodeConfiguration, NodeConfiguration, bool> IsSame, Func<NodeConfiguration, NodeConfiguration, NodeConfiguration> TakeOver);
}
