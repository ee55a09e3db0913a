using System.Text;

namespace EdgeNode.Ingest.Rtsp;

/// <summary>One challenge of a WWW-Authenticate header (RFC 7235 §2.1).</summary>
internal sealed class AuthenticationChallenge
{
    private const int LongestHeader = 8192;

    private readonly Dictionary<string, string> _parameters = new(StringComparer.OrdinalIgnoreCase);

    private AuthenticationChallenge(string scheme) => Scheme = scheme;

    /// <summary>Such as <c>Digest</c> or <c>Basic</c>.</summary>
    public string Scheme { get; }

    /// <summary>Value of a parameter, unquoted; null when it is missing.</summary>
    public string? this[string parameter] => _parameters.GetValueOrDefault(parameter);

    /// <summary>Reads all challenges of the given header values, in their order; what cannot be read is left out.</summary>
    public static List<AuthenticationChallenge> ParseAll(IEnumerable<string> headers)
    {
        var challenges = new List<AuthenticationChallenge>();
        foreach (string header in headers)
        {
            if (header.Length <= LongestHeader)
                Parse(header, challenges);
        }

        return challenges;
    }

    private static void Parse(string header, List<AuthenticationChallenge> challenges)
    {
        int position = 0;
        AuthenticationChallenge? current = null;
        while (true)
        {
            while (position < header.Length && (header[position] is ',' || char.IsWhiteSpace(header[position])))
                position++;
            int start = position;
            while (position < header.Length && header[position] is not ('=' or ',') && !char.IsWhiteSpace(header[position]))
                position++;
            if (position == start)
            {
                if (position >= header.Length)
                    return;
                position++; // a stray '='
                continue;
            }

            string word = header[start..position];
            while (position < header.Length && header[position] is (' ' or '\t'))
                position++;
            if (position < header.Length && header[position] == '=')
            {
                position++;
                string value = ReadValue(header, ref position);
                current?._parameters.TryAdd(word, value);
            }
            else
            {
                current = new AuthenticationChallenge(word);
                challenges.Add(current);
            }
        }
    }

    private static string ReadValue(string header, ref int position)
    {
        while (position < header.Length && header[position] is (' ' or '\t'))
            position++;
        var value = new StringBuilder();
        if (position < header.Length && header[position] == '"')
        {
            for (position++; position < header.Length && header[position] != '"'; position++)
            {
                if (header[position] == '\\' && position + 1 < header.Length)
                    position++;
                value.Append(header[position]);
            }

            position++;
            return value.ToString();
        }

        while (position < header.Length && header[position] != ',' && !char.IsWhiteSpace(header[position]))
            value.Append(header[position++]);
        return value.ToString();
    }
}
