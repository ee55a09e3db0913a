using System.CommandLine;
using EdgeNode.Configuration;

namespace EdgeNode.Commands;

/// <summary><c>edgenode support-bundle FILE</c>: what a maintainer needs to help.</summary>
internal static class SupportBundleCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "The tar.gz to write." };
        Option<string?> config = CommonOptions.Config();
        var command = new Command("support-bundle", "Write all that a maintainer needs to help; secrets, people and pictures are left out.") { file, config };
        command.SetAction(async (parsed, cancel) =>
        {
            NodeConfiguration configuration = ConfigurationReader.ReadFile(parsed.GetValue(config));
            string path = parsed.GetRequiredValue(file);
            await SupportBundle.WriteAsync(path, configuration, Here(configuration.Http), AdminToken(configuration.Node.State), cancel);
            Console.WriteLine($"{path}: written. Look through it before you send it to anybody.");
            return 0;
        });
        return command;
    }

    private static Uri Here(HttpSection http)
    {
        string host = http.Host switch
        {
            "0.0.0.0" or "localhost" => "127.0.0.1",
            "::" => "[::1]",
            string address => address.Contains(':') ? $"[{address}]" : address,
        };
        return new Uri($"http://{host}:{http.Port}/");
    }

    private static string? AdminToken(string state)
    {
        try
        {
            return File.ReadAllText(Path.Combine(state, NodeHost.FirstAdminTokenFile)).Trim();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
