using System.Globalization;
using System.Text.RegularExpressions;

namespace EdgeNode.Configuration;

/// <summary>Durations as people write them, with their unit: <c>500ms</c>, <c>2s</c>, <c>30m</c>, <c>12h</c>, <c>7d</c>.</summary>
public static partial class DurationText
{
    /// <summary>What a duration looks like, as a regular expression (ECMA 262).</summary>
    public const string Pattern = @"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)$";

    /// <summary>Longest duration that is taken.</summary>
    public static TimeSpan Longest { get; } = TimeSpan.FromDays(100 * 366);

    /// <summary>Reads a duration; false for anything else.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        Match match = Form().Match(text);
        if (!match.Success)
            return false;
        string unit = match.Groups[2].Value;
        double seconds = double.Parse(text.AsSpan(0, text.Length - unit.Length), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture) * unit switch
        {
            "ms" => 0.001,
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => 86400,
        };
        if (seconds > Longest.TotalSeconds)
            return false;
        duration = TimeSpan.FromSeconds(seconds);
        return true;
    }

    /// <summary>In the largest unit that gives a whole number.</summary>
    public static string Format(TimeSpan duration) => duration.Ticks switch
    {
        0 => "0s",
        long t when t % TimeSpan.TicksPerDay == 0 => string.Create(CultureInfo.InvariantCulture, $"{t / TimeSpan.TicksPerDay}d"),
        long t when t % TimeSpan.TicksPerHour == 0 => string.Create(CultureInfo.InvariantCulture, $"{t / TimeSpan.TicksPerHour}h"),
        long t when t % TimeSpan.TicksPerMinute == 0 => string.Create(CultureInfo.InvariantCulture, $"{t / TimeSpan.TicksPerMinute}m"),
        long t when t % TimeSpan.TicksPerSecond == 0 => string.Create(CultureInfo.InvariantCulture, $"{t / TimeSpan.TicksPerSecond}s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{(long)duration.TotalMilliseconds}ms"),
    };

    // \z: '$' would let a line break through.
    [GeneratedRegex(@"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)\z", RegexOptions.None, 1000)]
    private static partial Regex Form();
}
