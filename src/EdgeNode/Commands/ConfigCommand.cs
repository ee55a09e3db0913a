using System.CommandLine;
using EdgeNode.Configuration;

namespace EdgeNode.Commands;

/// <summary><c>edgenode config check FILE</c>.</summary>
internal static class ConfigCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "The YAML file to check." };
        var check = new Command("check", "Name every error in a configuration file, with its line.") { file };
        check.SetAction(parsed =>
        {
            NodeConfiguration configuration = ConfigurationReader.ReadFile(parsed.GetRequiredValue(file));
            Console.WriteLine($"{parsed.GetValue(file)}: good; {configuration.Cameras.Count} cameras.");
            return 0;
        });
        return new Command("config", "Work with the configuration.") { check };
    }
}
