namespace EdgeNode.Configuration;

/// <summary>
/// Keys that are read and checked but change nothing in this version: what is configured ahead is not refused, and nobody is left to
/// believe that it works. Whoever puts a key in force takes it out here.
/// </summary>
public static class NotInForceYet
{
    /// <summary>The keys, with <c>[]</c> for the entries of a list; one that names a section stands for all of it.</summary>
    public static IReadOnlyList<string> Keys { get; } =
    [
        "site",
        "gpio",
        "webhooks",
        "mqtt.home_assistant",
        "tokens.issuers",
        "models.execution",
        "models.runtime",
        "models.plugins",
        "cameras[].sub_url",
        "cameras[].decoder",
        "cameras[].analytics.gate",
        "cameras[].analytics.ignore",
    ];
}
