namespace EdgeNode.IntegrationTests;

/// <summary>How often what is repeated is repeated: few times in every test run, often in <c>make soak</c>.</summary>
internal static class Soak
{
    private static bool IsOn => Environment.GetEnvironmentVariable("EDGENODE_SOAK") == "1";

    public static int Times(int always, int inSoak) => IsOn ? inSoak : always;

    /// <summary>How long such a repetition may take at most.</summary>
    public static TimeSpan Patience => IsOn ? TimeSpan.FromHours(2) : TimeSpan.FromMinutes(4);
}
