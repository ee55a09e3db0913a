namespace EdgeNode.IntegrationTests;

/// <summary>What <c>make test</c> hands to the tests: where the published binary, models, films and photos lie.</summary>
internal static class Given
{
    public static string Binary => Required("EDGENODE_BINARY");

    public static string Models => Required("EDGENODE_MODELS");

    public static string Media => Required("EDGENODE_MEDIA");

    public static string Films => Required("EDGENODE_FILMS");

    public static string Gallery => Required("EDGENODE_GALLERY");

    public static string Repository { get; } = FindRepository();

    private static string Required(string variable) => Environment.GetEnvironmentVariable(variable)
        ?? throw new InvalidOperationException($"{variable} is not set: run the tests with 'make test'.");

    private static string FindRepository()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "EdgeNode.sln")))
            folder = Path.GetDirectoryName(folder);
        return folder ?? throw new InvalidOperationException("The tests run outside the repository.");
    }
}
