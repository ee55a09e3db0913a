namespace EdgeNode.Configuration;

/// <summary>One thing that is wrong, or of no effect, in the configuration: where, and what is allowed.</summary>
/// <param name="Place">The file with line and column, or the environment variable.</param>
/// <param name="Message">A sentence that names the key; repeats no secret.</param>
public sealed record ConfigurationError(string Place, string Message)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Place}: {Message}";
}

/// <summary>The configuration cannot be used; holds every error found, not only the first.</summary>
public sealed class ConfigurationException(IReadOnlyList<ConfigurationError> errors) : Exception(string.Join('\n', errors))
{
    /// <summary>What is wrong, in the order of the file.</summary>
    public IReadOnlyList<ConfigurationError> Errors { get; } = errors;
}
