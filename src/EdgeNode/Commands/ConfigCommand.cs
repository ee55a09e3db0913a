using System.CommandLine;
using EdgeNode.Configuration;

namespace EdgeNode.Commands;

/// <summary><c>edgenode config check FILE</c>, <c>config schema</c> and <c>config reference</c>.</summary>
internal static class ConfigCommand
{
    public static Command Create() => new("config", "Work with the configuration.") { CreateCheck(), CreateSchema(), CreateReference() };

    private static Command CreateCheck()
    {
        var file = new Argument<string>("FILE") { Description = "The YAML file to check." };
        var check = new Command("check", "Name every error in a configuration file, with its line.") { file };
        check.SetAction(parsed =>
        {
            NodeConfiguration configuration = ConfigurationReader.ReadFile(parsed.GetRequiredValue(file), out IReadOnlyList<ConfigurationError> notes);
            foreach (ConfigurationError note in notes)
                Console.WriteLine($"Note: {note}");
            Console.WriteLine($"{parsed.GetValue(file)}: good; {configuration.Cameras.Count} camera(s).");
            return 0;
        });
        return check;
    }

    private static Command CreateSchema()
    {
        var schema = new Command("schema", "Print the JSON Schema of the configuration, for editors.");
        schema.SetAction(static _ =>
        {
            Console.Write(ConfigurationSchema.Write());
            return 0;
        });
        return schema;
    }

    private static Command CreateReference()
    {
        var reference = new Command("reference", "Print a configuration file with every key, its meaning and its default.");
        reference.SetAction(static _ =>
        {
            Console.Write(ConfigurationReference.Write());
            return 0;
        });
        return reference;
    }
}
