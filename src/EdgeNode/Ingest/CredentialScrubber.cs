using System.Text;
using System.Text.RegularExpressions;

namespace EdgeNode.Ingest;

/// <summary>
/// Takes credentials out of text that others wrote, such as FFmpeg's own messages: all forms of the user names and passwords of sources that are open, and
/// of any URL all but scheme and host. Any thread.
/// </summary>
internal sealed partial class CredentialScrubber
{
    // "a" for a password cannot be told from the letter; in URLs it is taken out all the same.
    private const int ShortestSecret = 3;
    private const string Hidden = "***";

    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _known = [];
    private string[] _longestFirst = [];

    /// <summary>The one of the process: FFmpeg's log is one for all sources.</summary>
    public static CredentialScrubber Shared { get; } = new();

    /// <summary>Knows these secrets, raw, in percent-encoding and in Base64, until the result is disposed.</summary>
    public IDisposable Know(params ReadOnlySpan<string?> secrets)
    {
        var forms = new HashSet<string>(StringComparer.Ordinal);
        foreach (string? secret in secrets)
        {
            if (secret is null || secret.Length < ShortestSecret)
                continue;
            string encoded = Uri.EscapeDataString(secret);
            forms.UnionWith([secret, encoded, LowerHex(encoded), Encode(secret, keep: "!$&'()*+,;=:@/?"), Convert.ToBase64String(Encoding.UTF8.GetBytes(secret))]);
        }

        lock (_gate)
        {
            foreach (string form in forms)
                _known[form] = _known.GetValueOrDefault(form) + 1;
            Sort();
        }

        return new Knowledge(this, forms);
    }

    /// <summary>The text without them.</summary>
    public string Scrub(string text)
    {
        // First what is known: a password as it was pasted may look like the end of a URL.
        foreach (string known in Volatile.Read(ref _longestFirst))
            text = text.Replace(known, Hidden, StringComparison.Ordinal);
        return Url().Replace(text, static match =>
        {
            ReadOnlySpan<char> rest = match.Groups["rest"].ValueSpan;
            int at = rest.LastIndexOf('@');
            ReadOnlySpan<char> host = rest[(at + 1)..];
            int end = host.IndexOfAny("/?#");
            string tail = end >= 0 && end + 1 < host.Length ? "/…" : "";
            return $"{match.Groups["scheme"].ValueSpan}://{(at >= 0 ? Hidden + "@" : "")}{(end < 0 ? host : host[..end])}{tail}";
        });
    }

    private static string LowerHex(string encoded) => Escape().Replace(encoded, static match => match.Value.ToLowerInvariant());

    private static string Encode(string secret, string keep)
    {
        var encoded = new StringBuilder();
        foreach (Rune rune in secret.EnumerateRunes())
            encoded.Append(rune.IsAscii && (Rune.IsLetterOrDigit(rune) || keep.Contains((char)rune.Value)) ? rune.ToString() : Uri.EscapeDataString(rune.ToString()));
        return encoded.ToString();
    }

    private void Forget(HashSet<string> forms)
    {
        lock (_gate)
        {
            foreach (string form in forms)
            {
                if (--_known[form] == 0)
                    _known.Remove(form);
            }

            Sort();
        }
    }

    private void Sort() => Volatile.Write(ref _longestFirst, [.. _known.Keys.OrderByDescending(known => known.Length)]);

    [GeneratedRegex("(?<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?<rest>[^\\s'\"<>]*)")]
    private static partial Regex Url();

    [GeneratedRegex("%[0-9A-F]{2}")]
    private static partial Regex Escape();

    private sealed class Knowledge(CredentialScrubber scrubber, HashSet<string> forms) : IDisposable
    {
        private int _isForgotten;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isForgotten, 1) == 0)
                scrubber.Forget(forms);
        }
    }
}
