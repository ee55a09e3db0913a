using System.Text;

namespace EdgeNode.Configuration;

/// <summary>
/// The reference file: every key with what it means, its default in force, and what has no default behind a '#'. Lines of YAML that are
/// switched off have the '#' right at their beginning, before the indentation; words have a blank behind it.
/// </summary>
public static class ConfigurationReference
{
    /// <summary>The file.</summary>
    public static string Write()
    {
        var text = new StringBuilder("""
            # Every key that an EdgeNode knows. What stands here in plain lines holds anyway; take the '#' from a line to use it.
            # Check a file with 'edgenode config check FILE'; 'edgenode config schema' prints a schema for editors.
            # A variable EDGENODE__SECTION__KEY overrides a key; a password may be given as { file: /path }.

            """.ReplaceLineEndings("\n"));
        foreach (ConfigurationKey key in ConfigurationKeys.Root.Keys)
        {
            text.Append('\n');
            WriteKey(text, key, "", isOff: false);
        }

        return text.ToString();
    }

    private static void WriteKey(StringBuilder text, ConfigurationKey key, string indent, bool isOff, bool isFirstOfItem = false)
    {
        bool isList = key.Kind.IsListOfSections;
        bool isSection = key.Kind.Keys.Count > 0;
        isOff |= !key.IsInForce || isList || !isSection && key.Default is null || key.Kind.Keys.Any(static inner => inner.Required);
        string dash = isFirstOfItem ? string.Concat(indent.AsSpan(0, indent.Length - 2), "- ") : indent;
        text.Append(indent).Append("# ").Append(key.Description).Append('\n');
        text.Append(isOff ? "#" : "").Append(dash).Append(key.Name).Append(':').Append(isSection ? "" : " " + (key.Default ?? key.Example)).Append('\n');
        foreach (ConfigurationKey inner in key.Kind.Keys)
            WriteKey(text, inner, isList ? indent + "    " : indent + "  ", isOff, isList && inner == key.Kind.Keys[0]);
    }
}
