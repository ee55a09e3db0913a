using System.CommandLine;
using EdgeNode.Configuration;

namespace EdgeNode.Commands;

/// <summary>Options that several commands take.</summary>
internal static class CommonOptions
{
    public static Option<string?> Config() => new("--config") { Description = "Configuration file; default /etc/edgenode/edgenode.yaml, then ./edgenode.yaml.", HelpName = "FILE" };

    public static Option<bool> Json() => new("--json") { Description = "Print JSON for other programs." };

    /// <summary>The configuration of the file, or the defaults where the command can do without one and none was named.</summary>
    public static NodeConfiguration ReadOrDefaults(string? file) =>
        file is null && !ConfigurationReader.DefaultFiles.Any(File.Exists) ? new NodeConfiguration() : ConfigurationReader.ReadFile(file);

    /// <summary>The folder of the model pack: configured, or beside the program.</summary>
    public static string ModelFolder(NodeConfiguration configuration) => configuration.Models.Folder ?? Path.Combine(AppContext.BaseDirectory, "models");
}
