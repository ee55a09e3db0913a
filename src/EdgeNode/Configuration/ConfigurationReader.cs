using System.Collections;
using System.Text;

namespace EdgeNode.Configuration;

/// <summary>Reads the YAML file and the environment (<c>EDGENODE__SECTION__KEY</c>) into a checked <see cref="NodeConfiguration"/>.</summary>
public static class ConfigurationReader
{
    private const string EnvironmentPrefix = "EDGENODE__";
    private const int MostErrors = 100;

    /// <summary>Where the configuration lies when nobody says otherwise.</summary>
    public static IReadOnlyList<string> DefaultFiles { get; } = ["/etc/edgenode/edgenode.yaml", "./edgenode.yaml"];

    /// <summary>Reads <paramref name="file"/>, or the first default file that exists.</summary>
    /// <exception cref="ConfigurationException">Something is wrong in it; every error is named.</exception>
    public static NodeConfiguration ReadFile(string? file) => ReadFile(file, out _);

    /// <summary>Reads <paramref name="file"/>, or the first default file that exists, and says which keys are of no effect.</summary>
    /// <exception cref="ConfigurationException">Something is wrong in it; every error is named.</exception>
    public static NodeConfiguration ReadFile(string? file, out IReadOnlyList<ConfigurationError> notes)
    {
        file ??= DefaultFiles.FirstOrDefault(File.Exists)
            ?? throw new ConfigurationException([new("Configuration", $"there is none at {string.Join(" or ", DefaultFiles)}: write one, or name it with --config FILE.")]);
        try
        {
            using var text = new StreamReader(file, new UTF8Encoding(false, throwOnInvalidBytes: true));
            return Read(file, text, Environment.GetEnvironmentVariables(), out notes);
        }
        catch (DecoderFallbackException)
        {
            throw new ConfigurationException([new(file, "This is no UTF-8 text: save it as UTF-8.")]);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException([new(file, $"cannot be read: {fault.Message}")]);
        }
    }

    /// <summary>Reads from text, with environment variables over it. <paramref name="name"/> stands in errors.</summary>
    /// <exception cref="ConfigurationException">Something is wrong in it; every error is named.</exception>
    public static NodeConfiguration Read(string name, TextReader text, IDictionary environment) => Read(name, text, environment, out _);

    /// <summary>Reads from text, with environment variables over it, and says which keys are of no effect. <paramref name="name"/> stands in errors.</summary>
    /// <exception cref="ConfigurationException">Something is wrong in it; every error is named.</exception>
    public static NodeConfiguration Read(string name, TextReader text, IDictionary environment, out IReadOnlyList<ConfigurationError> notes)
    {
        YamlMap tree = YamlTree.Read(name, text);
        ApplyEnvironment(tree, environment);
        var findings = new ConfigurationFindings();
        ConfigurationKeys.Root.TryRead(tree, new KeyPlace("", tree.Place, findings), out NodeConfiguration configuration);
        notes = ConfigurationFindings.Sorted(findings.Notes);
        ConfigurationError[] errors = ConfigurationFindings.Sorted(findings.Errors);
        if (errors.Length > MostErrors)
            errors = [.. errors[..MostErrors], new ConfigurationError(name, $"There are {errors.Length - MostErrors} more errors.")];
        return errors.Length == 0 ? configuration : throw new ConfigurationException(errors);
    }

    // Section and key of a variable are joined by two underscores; keys themselves may hold single ones.
    private static void ApplyEnvironment(YamlMap tree, IDictionary environment)
    {
        foreach (string name in environment.Keys.OfType<string>().Where(name => name.StartsWith(EnvironmentPrefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            string[] path = name[EnvironmentPrefix.Length..].ToLowerInvariant().Split("__");
            var place = new YamlPlace($"environment variable {name}");
            YamlMap map = tree;
            foreach (string key in path[..^1])
            {
                if (!map.Entries.TryGetValue(key, out (YamlValue Value, YamlPlace Place) entry) || entry.Value is not YamlMap)
                    map.Entries[key] = entry = (new YamlMap(place), place);
                map = (YamlMap)entry.Value;
            }

            map.Entries[path[^1]] = (new YamlScalar(environment[name] as string, place), place);
        }
    }
}
