namespace EdgeNode.Configuration;

/// <summary>What is said of a key that nobody knows: the nearest one that is known.</summary>
internal static class UnknownKey
{
    private const int LongestShown = 40;

    /// <summary>The key as it may be shown. What stands where a key is expected may be a piece of a password that has no quotes: only words that look like keys are repeated.</summary>
    public static string Shown(string key) =>
        key.Length is > 0 and <= LongestShown && key.All(static c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-') ? key : "…";

    /// <summary>A sentence about <paramref name="key"/> in <paramref name="section"/> (empty at the top).</summary>
    public static string Describe(string section, string key, bool hasValue, IReadOnlyList<string> known)
    {
        string? nearest = known.MinBy(k => Distance(k, key));
        bool isNear = nearest is not null && Distance(nearest, key) <= Math.Max(2, key.Length / 3);
        string shown = isNear || hasValue ? Shown(key) : "…";
        string hint = isNear ? $" Did you mean '{nearest}'?" : "";
        return $"'{(section.Length == 0 ? shown : $"{section}.{shown}")}' is not known.{hint} Known here: {string.Join(", ", known)}.";
    }

    // Levenshtein's distance.
    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int above = row[j];
                row[j] = Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }

        return row[b.Length];
    }
}
