using System.CommandLine;
using System.Text;
using EdgeNode.Storage;

namespace EdgeNode.Commands;

/// <summary>The passphrase of a backup: from the environment, a file, or the terminal. Never from the command line, which every user of the machine can read.</summary>
internal static class Passphrase
{
    private const string Variable = "EDGENODE_PASSPHRASE";
    private const int LengthAtMost = 1000;

    public static Option<string?> FileOption() => new("--passphrase-file") { Description = $"File whose first line is the passphrase; default: {Variable}, then the terminal.", HelpName = "FILE" };

    /// <summary>Reads it; <paramref name="twice"/>: asked for again at the terminal, because a slip could not be undone.</summary>
    /// <exception cref="CommandFailure">There is none, or it is too short.</exception>
    public static string Read(string? file, bool twice)
    {
        string passphrase = file is not null ? ReadFile(file)
            : Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } variable ? variable
            : Ask(twice);
        return passphrase.Length is >= StateBackup.PassphraseLengthAtLeast and <= LengthAtMost
            ? passphrase
            : throw new CommandFailure(CommandFailure.WrongUsage, $"The passphrase must have {StateBackup.PassphraseLengthAtLeast} to {LengthAtMost} characters.");
    }

    private static string ReadFile(string file)
    {
        try
        {
            using var text = new StreamReader(file);
            return text.ReadLine() ?? "";
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(CommandFailure.WrongUsage, $"The passphrase file cannot be read: {fault.Message}");
        }
    }

    private static string Ask(bool twice)
    {
        if (Console.IsInputRedirected)
            throw new CommandFailure(CommandFailure.WrongUsage, $"There is no terminal to ask for the passphrase: set {Variable}, or name a file with --passphrase-file.");
        string passphrase = Prompt("Passphrase: ");
        return !twice || Prompt("Again: ") == passphrase
            ? passphrase
            : throw new CommandFailure(CommandFailure.WrongUsage, "The two passphrases differ: begin again.");
    }

    private static string Prompt(string prompt)
    {
        Console.Error.Write(prompt);
        var typed = new StringBuilder();
        while (Console.ReadKey(intercept: true) is { Key: not ConsoleKey.Enter } key)
        {
            if (key.Key == ConsoleKey.Backspace)
                typed.Length = Math.Max(0, typed.Length - 1);
            else if (!char.IsControl(key.KeyChar) && typed.Length <= LengthAtMost)
                typed.Append(key.KeyChar);
        }

        Console.Error.WriteLine();
        return typed.ToString();
    }
}
