using System.CommandLine;
using EdgeNode.Configuration;
using EdgeNode.Storage;

namespace EdgeNode.Commands;

/// <summary><c>edgenode backup FILE</c> and <c>edgenode restore FILE</c>: the whole state, encrypted with a passphrase.</summary>
internal static class BackupCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "The file to write; one that is there is replaced." };
        Option<string?> passphrase = Passphrase.FileOption(), config = CommonOptions.Config();
        var command = new Command("backup", "Write the whole state into one file, encrypted with a passphrase; the node may run.") { file, passphrase, config };
        command.SetAction(parsed =>
        {
            NodeConfiguration configuration = ConfigurationReader.ReadFile(parsed.GetValue(config));
            string path = parsed.GetRequiredValue(file);
            StateBackup.Write(configuration.Node.State, path, Passphrase.Read(parsed.GetValue(passphrase), twice: true));
            Console.WriteLine($"{path}: {new FileInfo(path).Length} bytes. Without the passphrase nobody can read it, nor can you.");
            return 0;
        });
        return command;
    }

    public static Command CreateRestore()
    {
        var file = new Argument<string>("FILE") { Description = "A file that 'edgenode backup' has written." };
        Option<string?> passphrase = Passphrase.FileOption(), config = CommonOptions.Config();
        var command = new Command("restore", "Put the state of a backup in the place of this node's, which must not run.") { file, passphrase, config };
        command.SetAction(parsed =>
        {
            NodeConfiguration configuration = ConfigurationReader.ReadFile(parsed.GetValue(config));
            string path = parsed.GetRequiredValue(file);
            if (!File.Exists(path))
                throw new CommandFailure(CommandFailure.WrongUsage, $"There is no file '{path}'.");
            StateBackup.Restore(configuration.Node.State, path, Passphrase.Read(parsed.GetValue(passphrase), twice: false));
            Console.WriteLine($"The state in {configuration.Node.State} is that of {path}: start the node.");
            return 0;
        });
        return command;
    }
}
